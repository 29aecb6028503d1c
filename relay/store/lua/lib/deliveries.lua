-- Messages and deliveries as rows with their indexes, for what is hot: coming in, going out well.
-- needs: rowkeys rows types
local deliveries = {}

local TABLE, MESSAGES = rowkeys.table("deliveries"), rowkeys.table("messages")
local EXPIRY = rowkeys.index("deliveries", "expiry")
local HOLDERS = rowkeys.group("claims", "holders")
local DELIVERED = 2

-- Of those whose lifetime is over nearly all go at once: more than these are hardly being sent.
local LOOKED_AT = 100

local function text(n)
  return string.format("%.0f", n)
end

-- What is wrong with the keys that mail coming in writes; nil: nothing.
function deliveries.fault()
  return types.fault({
    [TABLE] = "hash", [MESSAGES] = "hash", [EXPIRY] = "zset", [rowkeys.PENDING] = "set",
    [rowkeys.group("messages", "ids")] = "hash", [rowkeys.number("deliveries")] = "string",
    [rowkeys.EVENTS] = "stream", [rowkeys.STATE] = "hash",
  })
end

-- The same of what says when something is to be done.
function deliveries.due_fault()
  return types.fault({ [rowkeys.index("deliveries", "due")] = "zset" })
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
  return types.fault({ [rowkeys.index("deliveries", "ready", row[3], row[4])] = "zset" })
end

-- The key of the body of the next message; what is wrong with it, nil: nothing.
function deliveries.body_fault()
  local seq = tonumber(redis.call("GET", rowkeys.number("deliveries")) or 0) + 1
  return types.fault({ [rowkeys.body(seq)] = "string" })
end

function deliveries.has_message(id)
  return redis.call("HEXISTS", rowkeys.group("messages", "ids"), id) == 1
end

-- The numbers of so many deliveries that follow each other; the first of them.
function deliveries.numbers(many)
  return redis.call("INCRBY", rowkeys.number("deliveries"), many) - many + 1
end

-- `row`: the columns of the table, but for its number and its time. `hash`: how it is found by its Message-ID.
function deliveries.add_message(seq, now, row, hash)
  row[1], row[6], row[10] = seq, now, seq
  redis.call("HSET", MESSAGES, text(seq), cmsgpack.pack(row))
  redis.call("ZADD", rowkeys.index("messages", "account", row[4]), text(seq), text(seq))
  redis.call("ZADD", rowkeys.index("messages", "message_id", hash), text(seq), text(seq))
  rows.join(rowkeys.group("messages", "ids"), row[2], text(seq))
  redis.call("SADD", rowkeys.PENDING, text(row[4]))
end

-- One delivery that is ready: the columns of the table from `domain` on are given.
function deliveries.add(id, seq, account, lane, expires_at, now, domain, hash, envelope)
  local row = { id, seq, account, lane, 0, 0, expires_at, 0, 0, false, false, now, domain, hash, envelope }
  redis.call("HSET", TABLE, text(id), cmsgpack.pack(row))
  redis.call("ZADD", rowkeys.index("deliveries", "ready", account, lane), text(id), text(id))
  redis.call("ZADD", EXPIRY, text(expires_at), text(id))
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
