-- Argo CD: health of a PortHardeningNodeState, shown where an Application's tree leads to it.
local function find(type)
  for _, condition in ipairs((obj.status or {}).conditions or {}) do
    if condition.type == type then return condition end
  end
end

local status = obj.status or {}
if status.observedGeneration == nil or status.observedGeneration ~= obj.metadata.generation then
  return { status = "Progressing", message = "The node's agent has not answered this revision yet." }
end
local ready = find("Ready")
if ready == nil then
  return { status = "Progressing", message = "The node's agent has not answered yet." }
end
if ready.status == "True" then
  return { status = "Healthy", message = ready.message }
end
local pending = false
for _, policy in ipairs(status.policies or {}) do
  if policy.state == "Failed" or policy.state == "NotEnforceable" then
    return { status = "Degraded", message = ready.message }
  end
  pending = pending or policy.state == "Pending"
end
return { status = pending and "Progressing" or "Degraded", message = ready.message }
