-- The last check before the final dot: whether attempts hold their deliveries; from here an outcome may be unknown.
-- needs: attempts clock full several
-- several: 1
-- ARGV: what TIME says in a test, the node, relay time by its clock, and each attempt.
-- Answers msgpack {"DONE", is_held, now}.
local function fault_of_all()
  return clock.fault() or attempts.gate_fault()
end

return several.run(1, function(attempt)
  local fault = several.fault(fault_of_all)
  if fault then return redis.error_reply(fault) end
  local now, row = several.now(full.go_on), attempts.row(tonumber(attempt))
  if not row or row[9] == 1 or row[8] or attempts.lease(row[4]) <= now then
    return cmsgpack.pack({ "DONE", false, now })
  end
  if not row[6] then attempts.gate(row, now) end
  return cmsgpack.pack({ "DONE", true, now })
end)
