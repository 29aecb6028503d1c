-- Bars a store that was moved elsewhere, if nobody has used it since it was looked at.
-- needs: full keys pen rowkeys types
-- ARGV: the sentence that says so, relay time when it was asked last, how often it was decided.
-- Answers 1, or 0 where somebody has used it: then nothing was done.
local META = rowkeys.META
local NEVER = 2 ^ 52
local fault = types.fault({ [META] = "hash", [keys.CLOCK] = "hash" }) or pen.fault()
if fault then return redis.error_reply(fault) end
if (redis.call("HGET", keys.CLOCK, "last") or "0") ~= ARGV[2] then return 0 end
if (redis.call("HGET", rowkeys.STATE, "revision") or "0") ~= ARGV[3] then return 0 end
full.go_on()
redis.call("HSET", META, "barred", ARGV[1])
-- A node that is connected and knows nothing of it finds every routing stale, and the pen in the hand of another.
redis.call("HSET", rowkeys.STATE, "routing", -1, "pen", "moved", "pen_until", string.format("%.0f", NEVER))
return 1
