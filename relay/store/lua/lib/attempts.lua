-- Attempts under way as rows, and the leases of the nodes that they belong to.
-- needs: owners rowkeys rows types
local attempts = {}

local CLAIMS, ATTEMPTS = rowkeys.table("claims"), rowkeys.table("attempts")
local HOLDERS, OF = rowkeys.group("claims", "holders"), rowkeys.group("attempts", "of")
local SAID = rowkeys.index("attempts", "said")
local LEASES, LAPSED, USED = rowkeys.LEASES, rowkeys.LAPSED, rowkeys.USED

local function text(n)
  return string.format("%.0f", n)
end

-- The attempts of a mailbox that ended, by when.
local function tried(mailbox)
  return rowkeys.index("attempts", "tried", mailbox)
end

-- What is wrong with the keys that attempts write; nil: nothing.
function attempts.fault(node)
  return types.fault({
    [CLAIMS] = "hash", [ATTEMPTS] = "hash", [HOLDERS] = "hash", [OF] = "hash", [LEASES] = "zset",
    [LAPSED] = "zset", [USED] = "hash",
    [rowkeys.held(node)] = "zset", [rowkeys.number("attempts")] = "string",
  })
end

-- The same of those that `begin` writes, and of what is asked before.
function attempts.begin_fault(node)
  return types.fault({
    [CLAIMS] = "hash", [HOLDERS] = "hash", [LEASES] = "zset", [LAPSED] = "zset", [rowkeys.held(node)] = "zset",
    [rowkeys.number("attempts")] = "string",
  })
end

-- The same of what says whether an attempt is under way.
function attempts.gate_fault()
  return types.fault({ [CLAIMS] = "hash", [LEASES] = "zset" })
end

-- The same of all nodes, whose claims and sessions may run out.
function attempts.fault_of_nodes()
  local expected = {}
  for _, node in ipairs(redis.call("ZRANGE", LEASES, 0, -1)) do
    expected[rowkeys.held(node)], expected[rowkeys.owned(node)] = "zset", "set"
  end
  return types.fault(expected)
end

-- Whether something has run out: a lease with attempts under it or, of another node than `me`, with sessions; or the
-- time for a reply after one.
function attempts.has_run_out(now, me)
  if #redis.call("ZRANGEBYSCORE", LAPSED, "-inf", now, "LIMIT", 0, 1) > 0 then return true end
  for _, node in ipairs(redis.call("ZRANGEBYSCORE", LEASES, "-inf", now)) do
    if redis.call("ZCARD", rowkeys.held(node)) > 0 or (node ~= me and owners.has_any(node)) then return true end
  end
  return false
end

-- When the next one runs out; those of `node`, which is about to renew its lease, aside, and the sessions of `me`.
function attempts.wakes_at(node, me)
  local first = redis.call("ZRANGE", LAPSED, 0, 0, "WITHSCORES")
  local at = first[2] and tonumber(first[2]) or nil
  local leases = redis.call("ZRANGE", LEASES, 0, -1, "WITHSCORES")
  for index = 1, #leases, 2 do
    local until_ = tonumber(leases[index + 1])
    local is_other = leases[index] ~= node and (not at or until_ < at)
    local has_sessions = is_other and leases[index] ~= me and owners.has_any(leases[index])
    if is_other and (has_sessions or redis.call("ZCARD", rowkeys.held(leases[index])) > 0) then at = until_ end
  end
  return at
end

-- A node lives: what it holds is its own for another while.
function attempts.extend(node, until_)
  redis.call("ZADD", LEASES, text(until_), node)
end

function attempts.lease(node)
  return tonumber(redis.call("ZSCORE", LEASES, node) or 0)
end

function attempts.next_number()
  return redis.call("INCR", rowkeys.number("attempts"))
end

-- A mailbox has tried something, which is remembered for longer than its attempts.
function attempts.used(mailbox)
  redis.call("HSET", USED, text(mailbox), "1")
end

-- An attempt begins. Columns: attempt, delivery, mailbox, node, started_at, gated_at, is_probe, lapsed_at, is_lost.
function attempts.begin(attempt, delivery, mailbox, node, now, is_probe)
  local row = { attempt, tonumber(delivery), mailbox, node, now, false, is_probe and 1 or 0, false, 0 }
  redis.call("HSET", CLAIMS, text(attempt), cmsgpack.pack(row))
  rows.join(HOLDERS, text(row[2]), text(attempt))
  redis.call("ZADD", rowkeys.held(node), text(attempt), text(attempt))
  return row
end

function attempts.row(attempt)
  local packed = redis.call("HGET", CLAIMS, text(attempt))
  return packed and cmsgpack.unpack(packed)
end

function attempts.gate(row, now)
  row[6] = now
  redis.call("HSET", CLAIMS, text(row[1]), cmsgpack.pack(row))
end

-- Its node's lease ended after the gate: it is in doubt at `ends_at`.
function attempts.lapse(attempt, node, ends_at)
  redis.call("ZREM", rowkeys.held(node), text(attempt))
  redis.call("ZADD", LAPSED, text(ends_at), text(attempt))
end

-- It is over: nothing has to be looked at any more.
function attempts.gone(attempt, node)
  redis.call("ZREM", rowkeys.held(node), text(attempt))
  redis.call("ZREM", LAPSED, text(attempt))
end

-- What is wrong with the keys that an end writes besides; nil: nothing.
function attempts.end_fault(row)
  return types.fault({
    [HOLDERS] = "hash", [ATTEMPTS] = "hash", [OF] = "hash", [USED] = "hash", [tried(row[3])] = "zset",
    [SAID] = "zset", [rowkeys.held(row[4])] = "zset",
  })
end

-- It ended at `at` and counts. `ending`: stage, class, reply, likeness, said.
function attempts.finish(row, at, ending)
  local attempt, delivery = text(row[1]), text(row[2])
  redis.call("HDEL", CLAIMS, attempt)
  rows.leave(HOLDERS, delivery, attempt)
  redis.call("ZREM", rowkeys.held(row[4]), attempt)
  local ended = {
    row[1], row[2], row[3], row[4], row[5], row[6], at, 1, ending[1], ending[2], ending[3], ending[4], ending[5],
  }
  redis.call("HSET", ATTEMPTS, attempt, cmsgpack.pack(ended))
  attempts.used(row[3])
  rows.join(OF, delivery, attempt)
  redis.call("ZADD", tried(row[3]), text(at), attempt)
  if ending[5] then redis.call("ZADD", SAID, text(at), attempt) end
end

return attempts
