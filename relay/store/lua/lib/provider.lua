-- One provider as the schedule sees it: terms, standing, sessions, and who of its mailboxes wants one.
-- needs: keys ledger standing types
local provider = {}

-- Those that this script has met, and those of them that are to be written back by `save`.
local known, changed = {}, {}

local STATE = { "sessions", "opening", "crowded_until", "order", "let_in_at", "delivered_at" }

-- What is wrong with the keys beside its own; those that are there only in trouble are asked for together.
local function fault_of(name)
  local under_way, accused, droppers = keys.of(name, "under_way"), keys.of(name, "accused"), keys.of(name, "droppers")
  local told, broken, broke = keys.of(name, "told"), keys.of(name, "broken"), keys.of(name, "broke")
  local fault
  if redis.call("EXISTS", under_way, accused, droppers, told, broken, broke) > 0 then
    fault = types.fault({
      [under_way] = "hash", [accused] = "zset", [droppers] = "zset", [told] = "hash", [broken] = "hash",
      [broke] = "zset",
    })
  end
  return fault or types.fault({
    [keys.of(name, "midnights")] = "zset", [keys.of(name, "running")] = "zset", [keys.of(name, "ends")] = "zset",
    [keys.of(name, "wanting")] = "zset", [keys.of(name, "doubtful")] = "zset",
  })
end

local function unsound(name, fault)
  local made = { name = name, has_terms = false, total_limits = {}, total_connections = 0, kin = {}, gone = {} }
  made.standing, made.is_sound, made.fault = standing.read(nil), false, fault
  for _, field in ipairs(STATE) do made[field] = 0 end
  return made
end

local function load(name)
  local key = keys.of(name, "provider")
  local fields, fault = types.read("hash", "HMGET", key, "terms", "standing", "state", "kin", "gone")
  if fault then return nil, fault end
  local terms = fields[1] and cmsgpack.unpack(fields[1])
  local state = fields[3] and cmsgpack.unpack(fields[3]) or {}
  local made = {
    name = name, key = key, has_terms = terms ~= false, is_sound = true,
    total_limits = terms and terms[1] or {}, total_connections = terms and terms[2] or 0,
    standing = standing.read(fields[2]),
    kin = fields[4] and cmsgpack.unpack(fields[4]) or {}, gone = fields[5] and cmsgpack.unpack(fields[5]) or {},
  }
  for index, field in ipairs(STATE) do made[field] = state[index] or 0 end
  return made
end

-- One whose keys are of wrong types is as one without terms: nothing is granted and nothing written there.
function provider.look(name)
  if known[name] then return known[name] end
  local found, fault = load(name)
  fault = fault or fault_of(name)
  for _, each in ipairs(found and found.kin or {}) do
    fault = fault or types.fault({ [keys.of(each, "provider")] = "hash" }) or fault_of(each)
  end
  known[name] = fault and unsound(name, fault) or found
  return known[name]
end

-- What is wrong with the keys of a provider; nil: nothing.
function provider.fault(name)
  return provider.look(name).fault
end

function provider.touch(self)
  changed[self] = true
end

-- Writes back all that changed.
function provider.save()
  for self in pairs(changed) do
    if self.is_sound then
      local state = {}
      for index, field in ipairs(STATE) do state[index] = self[field] end
      redis.call("HSET", self.key, "state", cmsgpack.pack(state))
    end
  end
  changed = {}
end

-- Civil minus relay time, by which calendar days are told.
local offset
function provider.offset()
  if not offset then offset = tonumber(redis.call("HGET", keys.ROUND, "offset") or 0) end
  return offset
end

function provider.set_offset(value)
  offset = value
  redis.call("HSET", keys.ROUND, "offset", value)
  for _, self in pairs(known) do self.windows = nil end
end

-- totals

-- The totals as they bind now, and what all its mailboxes hold of them, with those of kin that is gone.
function provider.totals(self)
  if not self.windows then self.windows = ledger.windows(self.total_limits, 1, self.name, provider.offset) end
  if not self.whole then
    local ends, in_flight = { keys.of(self.name, "ends") }, redis.call("ZCARD", keys.of(self.name, "running"))
    for _, name in ipairs(self.gone) do
      ends[#ends + 1] = keys.of(name, "ends")
      in_flight = in_flight + redis.call("ZCARD", keys.of(name, "running"))
    end
    self.whole = { ends = ends, in_flight = in_flight }
  end
  return self.windows, self.whole
end

-- Under its ceiling, and freely or, while the host fails, by one probe at a time.
function provider.may_connect(self, now)
  if not self.has_terms or self.sessions >= self.total_connections or now < self.crowded_until then return false end
  local opens_at = standing.opens_at(self.standing, now)
  if not opens_at or opens_at > now then return false end
  local busy = self.standing.is_one_by_one and self.sessions or self.opening
  return not self.standing.is_stopped or busy == 0
end

-- who wants a session

function provider.list_wanting(self, is_doubtful)
  return keys.of(self.name, is_doubtful and "doubtful" or "wanting")
end

function provider.push(self, is_doubtful, place, username)
  redis.call("ZADD", provider.list_wanting(self, is_doubtful), place, username)
  redis.call("ZREM", provider.list_wanting(self, not is_doubtful), username)
  redis.call("ZADD", keys.WANTED, 0, self.name)
end

-- The first of a list, taken out of it: place and username.
function provider.pop(self, is_doubtful)
  local found = redis.call("ZPOPMIN", provider.list_wanting(self, is_doubtful))
  return tonumber(found[2]), found[1]
end

function provider.drop(self, username)
  redis.call("ZREM", provider.list_wanting(self, false), username)
  redis.call("ZREM", provider.list_wanting(self, true), username)
end

-- Everybody in its lists.
function provider.all_wanting(self)
  local found = redis.call("ZRANGE", provider.list_wanting(self, false), 0, -1)
  for _, username in ipairs(redis.call("ZRANGE", provider.list_wanting(self, true), 0, -1)) do
    found[#found + 1] = username
  end
  return found
end

function provider.is_wanted(self)
  local is_so = redis.call("EXISTS", provider.list_wanting(self, false), provider.list_wanting(self, true)) > 0
  if not is_so then redis.call("ZREM", keys.WANTED, self.name) end
  return is_so
end

return provider
