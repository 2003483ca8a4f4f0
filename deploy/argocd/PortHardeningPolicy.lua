-- Argo CD: health of a PortHardeningPolicy. What the controller has not judged yet says nothing of what was applied.
local function find(type)
  for _, condition in ipairs((obj.status or {}).conditions or {}) do
    if condition.type == type then return condition end
  end
end

local status = obj.status or {}
if status.observedGeneration == nil or status.observedGeneration ~= obj.metadata.generation then
  return { status = "Progressing", message = "The controller has not judged this revision yet." }
end
local ready = find("Ready")
if ready == nil then
  return { status = "Progressing", message = "The controller has not judged it yet." }
end
local stalled = find("Stalled")
if stalled ~= nil and stalled.status == "True" then
  return { status = "Degraded", message = stalled.message }
end
if ready.status == "True" then
  return { status = "Healthy", message = ready.message }
end
if obj.spec.rollout ~= nil and obj.spec.rollout.paused then
  return { status = "Suspended", message = ready.message }
end
-- Ready is Unknown where no node can be heard; the nodes may come back.
return { status = "Progressing", message = ready.message }
