-- The last check before the final dot: whether the attempt holds its delivery; from here its outcome may be unknown.
-- needs: clock attempts full
-- ARGV: what TIME says in a test, the node, CLOCK_BOOTTIME gone by there, the attempt.
-- Answers msgpack {"DONE", is_held, now}.
local attempt = tonumber(ARGV[4])
local fault = clock.fault() or attempts.gate_fault()
if fault then return redis.error_reply(fault) end
full.go_on()
local now = clock.now(ARGV[1], ARGV[2], ARGV[3])
local row = attempts.row(attempt)
if not row or row[9] == 1 or row[8] or attempts.lease(row[4]) <= now then
  return cmsgpack.pack({ "DONE", false, now })
end
if not row[6] then attempts.gate(row, now) end
return cmsgpack.pack({ "DONE", true, now })
