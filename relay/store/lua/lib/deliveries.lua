-- Messages and deliveries as rows with their indexes, for what is hot: coming in, going out well.
-- needs: rowkeys types
local deliveries = {}

local TABLE, MESSAGES = rowkeys.table("deliveries"), rowkeys.table("messages")
local EXPIRY, IDS = rowkeys.index("deliveries", "expiry"), rowkeys.group("messages", "ids")
local HOLDERS = rowkeys.group("claims", "holders")
local DELIVERED = 2

-- Of those whose lifetime is over nearly all go at once: more than these are hardly being sent.
local LOOKED_AT = 100

local function text(n)
  return string.format("%.0f", n)
end

-- What is wrong with the keys that whatever is done with a delivery needs; nil: nothing.
function deliveries.fault()
  return types.fault({ [TABLE] = "hash", [EXPIRY] = "zset", [rowkeys.STATE] = "hash" })
end

-- The same of what mail coming in writes besides.
function deliveries.fault_of_new()
  return types.fault({
    [MESSAGES] = "hash", [rowkeys.PENDING] = "set", [IDS] = "hash", [rowkeys.number("deliveries")] = "string",
    [rowkeys.EVENTS] = "stream",
  })
end

-- The same of what is handed out, and of what says when something is to be done.
function deliveries.due_fault()
  return types.fault({ [MESSAGES] = "hash", [rowkeys.index("deliveries", "due")] = "zset" })
end

-- The same of what belongs to an account.
function deliveries.account_fault(account, hash)
  return types.fault({
    [rowkeys.index("messages", "account", account)] = "zset",
    [rowkeys.index("messages", "message_id", hash)] = "zset",
    [rowkeys.index("deliveries", "ready", account, 0)] = "zset",
    [rowkeys.index("deliveries", "ready", account, 1)] = "zset",
  })
end

-- The same of one that ends.
function deliveries.end_fault(row)
  return types.fault({
    [rowkeys.index("deliveries", "ready", row[3], row[4])] = "zset", [rowkeys.EVENTS] = "stream",
  })
end

function deliveries.has_message(id)
  return redis.call("HEXISTS", IDS, id) == 1
end

-- The numbers of so many deliveries that follow each other; the first of them.
function deliveries.numbers(many)
  return redis.call("INCRBY", rowkeys.number("deliveries"), many) - many + 1
end

-- One that is not there yet. `row`: the columns of the table, but for its number and its time. `hash`: how it is found
-- by its Message-ID.
function deliveries.add_message(seq, now, row, hash)
  local id = text(seq)
  row[1], row[6], row[10] = seq, now, seq
  redis.call("HSET", MESSAGES, id, cmsgpack.pack(row))
  redis.call("ZADD", rowkeys.index("messages", "account", row[4]), id, id)
  redis.call("ZADD", rowkeys.index("messages", "message_id", hash), id, id)
  redis.call("HSET", IDS, row[2], id)
  redis.call("SADD", rowkeys.PENDING, text(row[4]))
end

-- One delivery that is ready: the columns of the table from `domain` on are given.
function deliveries.add(id, seq, account, lane, expires_at, now, domain, hash, envelope)
  local row = { id, seq, account, lane, 0, 0, expires_at, 0, 0, false, false, now, domain, hash, envelope }
  local field = text(id)
  redis.call("HSET", TABLE, field, cmsgpack.pack(row))
  redis.call("ZADD", rowkeys.index("deliveries", "ready", account, lane), field, field)
  redis.call("ZADD", EXPIRY, text(expires_at), field)
end

-- Whether the lifetime of some delivery is over that is not being sent.
function deliveries.has_expired(now)
  for _, id in ipairs(redis.call("ZRANGEBYSCORE", EXPIRY, "-inf", now, "LIMIT", 0, LOOKED_AT)) do
    if redis.call("HEXISTS", HOLDERS, id) == 0 then return true end
  end
  return false
end

function deliveries.row(id)
  local packed = redis.call("HGET", TABLE, id)
  return packed and cmsgpack.unpack(packed), packed
end

function deliveries.packed_message(seq)
  return redis.call("HGET", MESSAGES, text(seq))
end

-- A delivery that was being sent went through: its envelope goes.
function deliveries.deliver(row, reason, reply, now)
  local id = text(row[1])
  redis.call("ZREM", rowkeys.index("deliveries", "ready", row[3], row[4]), id)
  redis.call("ZREM", EXPIRY, id)
  row[5], row[6], row[8], row[10], row[11], row[12], row[15] = DELIVERED, 0, row[8] + 1, reason, reply, now, false
  redis.call("HSET", TABLE, id, cmsgpack.pack(row))
end

return deliveries
