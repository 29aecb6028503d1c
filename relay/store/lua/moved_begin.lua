-- Begins a move to here, or goes on with one: the run that says so writes from now on, and every earlier one does not.
-- needs: keys rowkeys types
-- ARGV: what the fields begin with that speak of the move, the move as it was found (empty: there was none), as it is
-- from now on, the run, the sentence that bars what is here until it is finished.
local META = rowkeys.META
local fault = types.fault({ [META] = "hash", [keys.CLOCK] = "hash", [rowkeys.STATE] = "hash" })
if fault then return redis.error_reply(fault) end
local found = redis.call("HMGET", META, ARGV[1], ARGV[1] .. ":run")
if found[1] == ARGV[3] and found[2] == ARGV[4] then return redis.status_reply("OK") end
if (found[1] or "") ~= ARGV[2] then return "ANOTHER" end
-- Nothing was found here, and now a store is in use.
if ARGV[2] == "" and redis.call("EXISTS", keys.CLOCK, rowkeys.STATE) > 0 then return "ANOTHER" end
if ARGV[2] ~= ARGV[3] then
  for _, field in ipairs(redis.call("HKEYS", META)) do
    if string.sub(field, 1, #ARGV[1] + 1) == ARGV[1] .. ":" then redis.call("HDEL", META, field) end
  end
end
redis.call("HSET", META, "barred", ARGV[5], ARGV[1], ARGV[3], ARGV[1] .. ":run", ARGV[4])
return redis.status_reply("OK")
