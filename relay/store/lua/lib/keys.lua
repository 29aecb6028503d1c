-- The names of all keys of the schedule; relay/store/redis/keys.py makes the same ones.
local keys = {}

-- What belongs to nobody alone.
keys.ROUND = "relay:{relay}:round"
keys.ALARMS = "relay:{relay}:alarms"
keys.WANTED = "relay:{relay}:wanted"
keys.BUSY = "relay:{relay}:busy"
keys.RESTING = "relay:{relay}:resting"
keys.CLOCK = "relay:{relay}:clock"

-- What belongs to a provider.
function keys.of(provider, name)
  return "relay:{" .. provider .. "}:" .. name
end

-- What belongs to a mailbox.
function keys.at(provider, name, username)
  return "relay:{" .. provider .. "}:" .. name .. ":" .. username
end

-- A mailbox as a member of a set; no provider has a blank in its name.
function keys.mailbox(provider, username)
  return provider .. " " .. username
end

function keys.parted(mailbox)
  local blank = string.find(mailbox, " ", 1, true)
  return string.sub(mailbox, 1, blank - 1), string.sub(mailbox, blank + 1)
end

-- The ids of what is ready of an account in a lane; without a provider its mail goes nowhere.
function keys.ready(provider, username, account, lane)
  if not provider then return "relay:{relay}:unrouted:" .. lane .. ":" .. account end
  return keys.of(provider, "ready:" .. lane .. ":" .. #username .. ":" .. username .. ":" .. account)
end

return keys
