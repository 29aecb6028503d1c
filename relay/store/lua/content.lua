-- Reads bodies for attempts that are under way; changes nothing.
-- needs: rowkeys several types
-- several: 2
-- ARGV: three that are not needed, and of each: the attempt, the message whose body is wanted (empty: it is at hand).
-- Answers msgpack {"DONE", is_under_way, the sealed body or false}.
local CLAIMS = rowkeys.table("claims")

return several.run(2, function(attempt, seq)
  local found, fault = types.read("hash", "HEXISTS", CLAIMS, attempt)
  local body = false
  if found == 1 and seq ~= "" then body, fault = types.read("string", "GET", rowkeys.body(tonumber(seq))) end
  if fault then return redis.error_reply(fault) end
  return cmsgpack.pack({ "DONE", found == 1, body })
end)
