-- Takes away keys that an earlier move left here; without any, only says whether this run still is the one that writes.
-- needs: rowkeys types
-- ARGV: what the fields begin with that speak of the move, the run, keys.
local fault = types.fault({ [rowkeys.META] = "hash" })
if fault then return redis.error_reply(fault) end
if redis.call("HGET", rowkeys.META, ARGV[1] .. ":run") ~= ARGV[2] then return "TAKEN OVER" end
for place = 3, #ARGV do redis.call("UNLINK", ARGV[place]) end
return redis.status_reply("OK")
