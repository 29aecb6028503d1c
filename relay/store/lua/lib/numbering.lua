-- Numbers of accounts and mailboxes: given once, and never to another name.
-- needs: rowkeys types
local numbering = {}

-- What is wrong with the keys that a number of this table writes; nil: nothing.
function numbering.fault(table_name)
  return types.fault({
    [rowkeys.table(table_name)] = "hash", [rowkeys.group(table_name, "names")] = "hash",
    [rowkeys.number(table_name)] = "string",
  })
end

-- The number of this row of a table, which is made where there is none; `name` finds it, `cells` follow its number.
function numbering.give(table_name, name, cells)
  local names = rowkeys.group(table_name, "names")
  local known = redis.call("HGET", names, name)
  if known then return tonumber(known) end
  local number = redis.call("INCR", rowkeys.number(table_name))
  local row = { number }
  for index, cell in ipairs(cells) do row[index + 1] = cell end
  local id = string.format("%.0f", number)
  redis.call("HSET", rowkeys.table(table_name), id, cmsgpack.pack(row))
  redis.call("HSET", names, name, id)
  return number
end

function numbering.mailbox(name, username)
  return numbering.give("mailboxes", rowkeys.of(name, username), { name, username, false })
end

return numbering
