-- Which node has the sessions of each mailbox: hosts punish logins of one mailbox from several addresses.
-- needs: rowkeys types
local owners = {}

local OWNERS = rowkeys.OWNERS

-- What is wrong with the keys that a node writes here; nil: nothing.
function owners.fault(node)
  return types.fault({ [OWNERS] = "hash", [rowkeys.owned(node)] = "set" })
end

-- The same of the node that has sessions of a mailbox.
function owners.fault_of(mailbox)
  local node, fault = types.read("hash", "HGET", OWNERS, mailbox)
  return fault or (node and types.fault({ [rowkeys.owned(node)] = "set" })) or nil
end

-- The node that has sessions of this mailbox; nil: none has.
function owners.of(mailbox)
  return redis.call("HGET", OWNERS, mailbox) or nil
end

-- A node opens the first one.
function owners.take(mailbox, node)
  redis.call("HSET", OWNERS, mailbox, node)
  redis.call("SADD", rowkeys.owned(node), mailbox)
end

-- The last one is gone.
function owners.leave(mailbox)
  local node = owners.of(mailbox)
  if not node then return end
  redis.call("HDEL", OWNERS, mailbox)
  redis.call("SREM", rowkeys.owned(node), mailbox)
end

-- Whether a node has sessions of anybody.
function owners.has_any(node)
  return redis.call("SCARD", rowkeys.owned(node)) > 0
end

return owners
