-- Reads a body for an attempt that is under way; changes nothing.
-- needs: rowkeys types
-- ARGV: the attempt, the message whose body is wanted (empty: it is at hand).
-- Answers msgpack {"DONE", is_under_way, the sealed body or false}.
local claims, body = rowkeys.table("claims"), ARGV[2] ~= "" and rowkeys.body(tonumber(ARGV[2]))
local expected = { [claims] = "hash" }
if body then expected[body] = "string" end
local fault = types.fault(expected)
if fault then return redis.error_reply(fault) end
local is_under_way = redis.call("HEXISTS", claims, ARGV[1]) == 1
return cmsgpack.pack({ "DONE", is_under_way, is_under_way and body and redis.call("GET", body) or false })
