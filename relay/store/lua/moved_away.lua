-- Bars a store that was moved elsewhere, if nobody has used it since it was looked at, and no other move has left it.
-- needs: full keys pen rowkeys types
-- ARGV: the sentence that says so, relay time when it was asked last, how often it was decided, the field that says
-- which move has barred it, this move.
-- Answers left, elsewhere (another move was first) or used (somebody has used it): of two moves one alone leaves.
local META = rowkeys.META
local NEVER = 2 ^ 52
local fault = types.fault({ [META] = "hash", [keys.CLOCK] = "hash" }) or pen.fault()
if fault then return redis.error_reply(fault) end
if redis.call("HEXISTS", META, "barred") == 1 then
  return redis.call("HGET", META, ARGV[4]) == ARGV[5] and "left" or "elsewhere"
end
if (redis.call("HGET", keys.CLOCK, "last") or "0") ~= ARGV[2] then return "used" end
if (redis.call("HGET", rowkeys.STATE, "revision") or "0") ~= ARGV[3] then return "used" end
full.go_on()
redis.call("HSET", META, "barred", ARGV[1], ARGV[4], ARGV[5])
-- A node that is connected and knows nothing of it finds every routing stale, and the pen in the hand of another.
redis.call("HSET", rowkeys.STATE, "routing", -1, "pen", "moved", "pen_until", string.format("%.0f", NEVER))
return "left"
