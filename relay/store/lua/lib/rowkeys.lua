-- The names of the keys of rows and of what lies beside them; relay/store/redis/rowkeys.py makes the same ones.
local rowkeys = {}

rowkeys.META = "relay:{relay}:meta"
rowkeys.STATE = "relay:{relay}:state"
rowkeys.EVENTS = "relay:{relay}:events"
rowkeys.PENDING = "relay:{relay}:pending"
rowkeys.BELL = "relay:{relay}:bell"
rowkeys.DONE = "relay:{relay}:done"
rowkeys.PEN_FREE = "relay:{relay}:pen:free"
rowkeys.USED = "relay:{relay}:used"
rowkeys.OWED = "relay:{relay}:owed"
rowkeys.LEASES = "relay:{relay}:leases"
rowkeys.LAPSED = "relay:{relay}:lapsed"
rowkeys.OWNERS = "relay:{relay}:owners"
rowkeys.NODES = "relay:{relay}:nodes"
rowkeys.NODES_SEEN = "relay:{relay}:nodes:seen"
-- It is never there: to delete it is a write that a full Redis does not refuse.
rowkeys.NOTHING = "relay:{relay}:nothing"

-- Where what is to take the place of a key is prepared.
function rowkeys.staged(key)
  return key .. ":next"
end

-- What the takes of a node gave whose answers it may not have heard.
function rowkeys.taken(node)
  return "relay:{relay}:taken:" .. node
end

-- The attempts of a node that its lease still holds.
function rowkeys.held(node)
  return "relay:{relay}:claims:" .. node
end

-- The attempts that a node lost and has not settled.
function rowkeys.lost(node)
  return "relay:{relay}:lost:" .. node
end

-- The mailboxes whose sessions a node has.
function rowkeys.owned(node)
  return "relay:{relay}:owned:" .. node
end

-- Which rows of a table changed when.
function rowkeys.feed(name)
  return "relay:{relay}:feed:" .. name
end

function rowkeys.table(name)
  return "relay:{relay}:t:" .. name
end

-- Several values as one key: each with its length, so that no two keys are the same by chance.
function rowkeys.of(...)
  local parts = {}
  for index, part in ipairs({ ... }) do
    local text = type(part) == "number" and string.format("%.0f", part) or part
    parts[index] = #text .. ":" .. text
  end
  return table.concat(parts, ",")
end

function rowkeys.index(name, index, ...)
  local parts = rowkeys.of(...)
  return "relay:{relay}:i:" .. name .. ":" .. index .. (parts ~= "" and ":" .. parts or "")
end

function rowkeys.group(name, group)
  return "relay:{relay}:g:" .. name .. ":" .. group
end

function rowkeys.number(name)
  return "relay:{relay}:n:" .. name
end

function rowkeys.body(seq)
  return string.format("relay:{relay}:body:%.0f", seq)
end

function rowkeys.recent(client, account)
  return "relay:{relay}:recent:" .. rowkeys.of(client, account)
end

return rowkeys
