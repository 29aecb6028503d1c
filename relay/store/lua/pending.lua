-- Counts what is not final of some accounts where it lies, and takes out of the set those that have nothing left.
-- needs: rowkeys types
-- ARGV: numbers of accounts.
-- Answers for each, in this order: how many wait or are being sent, how many are held, and the oldest of them (0:
-- none).
local expected = { [rowkeys.PENDING] = "set" }
for _, account in ipairs(ARGV) do
  for _, of in ipairs({ "ready", "stalled" }) do
    for part = 0, 1 do expected[rowkeys.index("deliveries", of, account, part)] = "zset" end
  end
end
local fault = types.fault(expected)
if fault then return redis.error_reply(fault) end

local function lowest(key, known)
  local found = redis.call("ZRANGE", key, 0, 0)
  local id = found[1] and tonumber(found[1])
  return id and (known == 0 or id < known) and id or known
end

local counts, empty = {}, {}
for _, account in ipairs(ARGV) do
  local waiting, held, oldest = 0, 0, 0
  for _, of in ipairs({ "ready", "stalled" }) do
    for part = 0, 1 do
      local key = rowkeys.index("deliveries", of, account, part)
      local many = redis.call("ZCARD", key)
      if of == "stalled" and part == 1 then held = many else waiting = waiting + many end
      if many > 0 then oldest = lowest(key, oldest) end
    end
  end
  if waiting + held == 0 then empty[#empty + 1] = account end
  counts[#counts + 1], counts[#counts + 2], counts[#counts + 3] = waiting, held, oldest
end
for _, account in ipairs(empty) do redis.call("SREM", rowkeys.PENDING, account) end
return counts
