-- What happened, told: written into the stream of events, and rung to every node that waits for a change.
-- needs: rowkeys
local told = {}

-- `packed`: events as Python writes them.
function told.record(packed)
  for _, each in ipairs(packed) do redis.call("XADD", rowkeys.EVENTS, "*", "e", each) end
end

-- Something happened that may let more be granted; the count of such changes. All that one run does is one of them.
local changes
function told.changed()
  if changes then return changes end
  changes = redis.call("HINCRBY", rowkeys.STATE, "changes", 1)
  -- No more than a hint (every node looks at its heartbeat too), and what is written before it must not be left half
  -- done: the right to the channel can be taken away at any moment.
  redis.pcall("PUBLISH", rowkeys.BELL, string.format("%.0f", changes))
  return changes
end

function told.changes()
  return tonumber(redis.call("HGET", rowkeys.STATE, "changes") or 0)
end

return told
