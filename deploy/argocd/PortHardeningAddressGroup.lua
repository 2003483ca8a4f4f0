-- Argo CD: health of a PortHardeningAddressGroup. It is a list, and has no status: what it means to a policy is said there.
return { status = "Healthy" }
