-- The names of the keys of rows and of what lies beside them; relay/store/redis/rowkeys.py makes the same ones.
local rowkeys = {}

rowkeys.STATE = "relay:{relay}:state"
rowkeys.EVENTS = "relay:{relay}:events"
rowkeys.PENDING = "relay:{relay}:pending"

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
