-- Which rows changed when: for nodes that keep some tables in memory, to read again what another node wrote.
-- needs: rowkeys types
local feeds = {}

local FEEDS = {
  "mailboxes", "providers", "routing", "routed_accounts", "fingerprints", "paused_accounts", "suppressions", "secrets",
  "unheard", "warmups", "meta",
}

-- What a node has to have heard before it takes mail in: where it goes, and which key seals it ("keys" of `meta`).
local ON_THE_WAY = { routing = true, routed_accounts = true, fingerprints = true, paused_accounts = true }

local BY_KEY = {}
for _, name in ipairs(FEEDS) do BY_KEY[rowkeys.table(name)] = name end

-- What is wrong with their keys; nil: nothing.
function feeds.fault()
  local expected = {}
  for _, name in ipairs(FEEDS) do expected[rowkeys.feed(name)] = "zset" end
  return types.fault(expected)
end

function feeds.revision()
  return tonumber(redis.call("HGET", rowkeys.STATE, "revision") or 0)
end

-- Whether a node that works with this routing and has heard so far may take mail in by itself.
function feeds.is_ready_for_mail(version, revision)
  local known = redis.call("HMGET", rowkeys.STATE, "routing", "intake")
  return tonumber(known[1] or 0) == version and tonumber(known[2] or 0) <= revision
end

-- After rows were written by these commands: which of them others may have in memory (`*`: all of a table). Where none
-- is, nobody has to hear.
function feeds.note(commands)
  local found = {}
  for _, each in ipairs(commands) do
    local name = (each[1] == "HSET" or each[1] == "HDEL" or each[1] == "SWAP") and BY_KEY[each[2]]
    if name then found[#found + 1] = { name, each[3] } end
  end
  if #found == 0 then return feeds.revision() end
  local revision = redis.call("HINCRBY", rowkeys.STATE, "revision", 1)
  for _, each in ipairs(found) do
    redis.call("ZADD", rowkeys.feed(each[1]), revision, each[2])
    if ON_THE_WAY[each[1]] or (each[1] == "meta" and each[2] == "keys") then
      redis.call("HSET", rowkeys.STATE, "intake", revision)
    end
  end
  return revision
end

-- The rows that changed after a revision, by table.
function feeds.since(revision)
  local found = {}
  for _, name in ipairs(FEEDS) do
    local changed = redis.call("ZRANGEBYSCORE", rowkeys.feed(name), "(" .. string.format("%.0f", revision), "+inf")
    if #changed > 0 then found[#found + 1] = { name, changed } end
  end
  return found
end

return feeds
