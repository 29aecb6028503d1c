-- Rows of tables as Python's ledger hands them over: fields of hashes, places in indexes, members of groups.
-- needs: rowkeys types
local rows = {}

local TYPES = {
  HSET = "hash", HDEL = "hash", ZADD = "zset", ZREM = "zset", JOIN = "hash", LEAVE = "hash",
  SADD = "set", SREM = "set", SET = "string", DEL = false,
  RPUSH = "list", UNLINK = false,
}

-- What is wrong with the keys that these commands write, or with the hashes of what was read; nil: nothing.
function rows.fault(commands, reads)
  local expected = {}
  for _, each in ipairs(commands) do
    local kind = TYPES[each[1]]
    if each[1] == "SWAP" then
      kind = each[4]
      expected[rowkeys.staged(each[2])] = kind
    end
    if kind == nil then return "UNKNOWN COMMAND " .. tostring(each[1]) end
    if kind then expected[each[2]] = kind end
  end
  for _, each in ipairs(reads or {}) do expected[each[1]] = "hash" end
  return types.fault(expected)
end

-- Whether every row that was read is still as it was.
function rows.are_as_read(reads)
  for _, each in ipairs(reads) do
    if redis.call("HGET", each[1], each[2]) ~= each[3] then return false end
  end
  return true
end

-- The members of a group, parted by blanks.
function rows.join(key, field, member)
  if redis.call("HSETNX", key, field, member) == 1 then return end
  redis.call("HSET", key, field, redis.call("HGET", key, field) .. " " .. member)
end

function rows.leave(key, field, member)
  local kept = {}
  for each in string.gmatch(redis.call("HGET", key, field) or "", "%S+") do
    if each ~= member then kept[#kept + 1] = each end
  end
  if #kept == 0 then
    redis.call("HDEL", key, field)
  else
    redis.call("HSET", key, field, table.concat(kept, " "))
  end
end

-- What was prepared takes the place of a key at once; where nothing was, there is nothing from now on.
function rows.swap(key)
  redis.call("UNLINK", key)
  if redis.call("EXISTS", rowkeys.staged(key)) == 1 then redis.call("RENAME", rowkeys.staged(key), key) end
end

function rows.write(commands)
  for _, each in ipairs(commands) do
    if each[1] == "JOIN" then
      rows.join(each[2], each[3], each[4])
    elseif each[1] == "LEAVE" then
      rows.leave(each[2], each[3], each[4])
    elseif each[1] == "SWAP" then
      rows.swap(each[2])
    elseif each[1] == "ZADD" then
      redis.call("ZADD", each[2], string.format("%.0f", each[3]), each[4])
    else
      redis.call(unpack(each))
    end
  end
end

return rows
