-- The pen: who holds it decides, one operation at a time; what is hot and decides nothing needs none.
-- needs: rowkeys types
local pen = {}

-- One entry while nobody holds the pen: who waits for it, waits for that entry.
local FREE = rowkeys.PEN_FREE

-- What is wrong with its keys; nil: nothing.
function pen.fault()
  return types.fault({ [rowkeys.STATE] = "hash", [rowkeys.EVENTS] = "stream", [FREE] = "list" })
end

-- Whether `token` holds it now; where nobody does, or its time is over, `token` takes it for `lease` microseconds.
function pen.take(token, now, lease)
  local known = redis.call("HMGET", rowkeys.STATE, "pen", "pen_until")
  if known[1] and known[1] ~= "" and known[1] ~= token and tonumber(known[2]) > now then
    return false, tonumber(known[2])
  end
  redis.call("HSET", rowkeys.STATE, "pen", token, "pen_until", string.format("%.0f", now + lease))
  redis.call("DEL", FREE)
  return true
end

function pen.is_held(token)
  return redis.call("HGET", rowkeys.STATE, "pen") == token
end

-- Lets it go, and wakes one who waits for it.
function pen.release()
  redis.call("HSET", rowkeys.STATE, "pen", "")
  redis.call("DEL", FREE)
  redis.call("RPUSH", FREE, "1")
end

return pen
