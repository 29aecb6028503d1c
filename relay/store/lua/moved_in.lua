-- Takes over rows of a store that is moved here, with what lies beside them, and notes how far that is.
-- needs: rows told rowkeys types
-- ARGV: what the fields begin with that speak of the move, the run, the field of the position, the position,
-- msgpack {{{hash, id, row, {command, ...}}, ...}, {{key, body}, ...}, {event, ...}}. A row that is there already is
-- left as it is: a page may come again. A run that another one took over from writes nothing.
local META = rowkeys.META
local fault = types.fault({ [META] = "hash", [rowkeys.EVENTS] = "stream" })
if fault then return redis.error_reply(fault) end
if redis.call("HGET", META, ARGV[1] .. ":run") ~= ARGV[2] then return "TAKEN OVER" end
local work = cmsgpack.unpack(ARGV[5])
for _, each in ipairs(work[1]) do
  fault = types.fault({ [each[1]] = "hash" }) or rows.fault(each[4])
  if fault then return redis.error_reply(fault) end
end

for _, each in ipairs(work[2]) do redis.call("SET", each[1], each[2]) end
for _, each in ipairs(work[1]) do
  if redis.call("HSETNX", each[1], each[2], each[3]) == 1 then rows.write(each[4]) end
end
told.record(work[3])
redis.call("HSET", META, ARGV[3], ARGV[4])
return redis.status_reply("OK")
