-- Whether keys hold what they should: a script that meets another type would stop half-way and keep what it wrote.
local types = {}

-- The first key that holds something else, as an error text; nil: all are sound, or not there yet.
function types.fault(expected)
  for key, kind in pairs(expected) do
    local found = redis.call("TYPE", key)["ok"]
    if found ~= kind and found ~= "none" then return "WRONGTYPE " .. key .. " is a " .. found .. ", not a " .. kind end
  end
  return nil
end

return types
