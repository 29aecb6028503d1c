-- A store that was moved here is all there: it may be used from now on.
-- needs: rowkeys types
-- ARGV: what the fields begin with that speak of the move, the run that writes.
local META = rowkeys.META
local fault = types.fault({ [META] = "hash" })
if fault then return redis.error_reply(fault) end
if redis.call("HEXISTS", META, ARGV[1]) == 0 then return redis.status_reply("OK") end
if redis.call("HGET", META, ARGV[1] .. ":run") ~= ARGV[2] then return "TAKEN OVER" end
for _, field in ipairs(redis.call("HKEYS", META)) do
  if field == "barred" or field == ARGV[1] or string.sub(field, 1, #ARGV[1] + 1) == ARGV[1] .. ":" then
    redis.call("HDEL", META, field)
  end
end
return redis.status_reply("OK")
