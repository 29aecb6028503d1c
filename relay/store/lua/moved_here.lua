-- A store that was moved here is all there: it may be used from now on, and is at least as far as it was elsewhere.
-- needs: full rowkeys told types
-- ARGV: what the fields begin with that speak of the move, the run that writes, the count of changes it had elsewhere.
local META = rowkeys.META
local fault = types.fault({ [META] = "hash", [rowkeys.STATE] = "hash" })
if fault then return redis.error_reply(fault) end
if redis.call("HEXISTS", META, ARGV[1]) == 0 then return redis.status_reply("OK") end
if redis.call("HGET", META, ARGV[1] .. ":run") ~= ARGV[2] then return "TAKEN OVER" end
full.go_on()
-- A node that remembers more than it finds takes what is here for an older copy, and does not work with it.
if tonumber(ARGV[3]) > told.changes() then redis.call("HSET", rowkeys.STATE, "changes", ARGV[3]) end
for _, field in ipairs(redis.call("HKEYS", META)) do
  if field == "barred" or field == ARGV[1] or string.sub(field, 1, #ARGV[1] + 1) == ARGV[1] .. ":" then
    redis.call("HDEL", META, field)
  end
end
return redis.status_reply("OK")
