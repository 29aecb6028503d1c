-- Whether keys hold what they should: a script that meets another type would stop half-way and keep what it wrote.
local types = {}

-- What a key of a kind answers with a number, and any other refuses: it costs less than TYPE.
local LENGTHS = { hash = "HLEN", zset = "ZCARD", set = "SCARD", list = "LLEN", string = "STRLEN", stream = "XLEN" }

local function named(key, kind, refusal)
  local found = redis.call("TYPE", key)["ok"]
  if found == kind or found == "none" then return refusal.err end
  return "WRONGTYPE " .. key .. " is a " .. found .. ", not a " .. kind
end

-- The first key that holds something else, as an error text; nil: all are sound, or not there yet.
function types.fault(expected)
  for key, kind in pairs(expected) do
    local length = redis.pcall(LENGTHS[kind], key)
    if type(length) ~= "number" then return named(key, kind, length) end
  end
  return nil
end

-- What a command reads of a key; where it holds something else, false and an error text.
function types.read(kind, command, key, ...)
  local found = redis.pcall(command, key, ...)
  if type(found) == "table" and found.err then return false, named(key, kind, found) end
  return found
end

return types
