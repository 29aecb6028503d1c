-- What binds mailboxes and providers, as Python hands it in, and which of them are one under several names.
-- needs: keys line provider round standing
local terms = {}

-- The mailboxes of a provider with something ready, in the order of their names.
local function busy_of(name)
  return redis.call("ZRANGEBYLEX", keys.BUSY, "[" .. name .. " ", "(" .. name .. "!")
end

local function look(mailbox)
  return line.look(keys.parted(mailbox))
end

-- The mailbox's terms may be other ones: it begins anew at the tail, and what is ready stays.
function terms.reload(self, now)
  if not self.is_sound then return end
  for _, each in ipairs(line.kin(self)) do round.refresh(each, now) end
  line.renew(self)
  round.drop_wanting(self)
  self.turn = false
  round.refresh(self, now)
end

-- [limits, weight, connections, login_limit, numerator and denominator of the express share, refused_logins]; a limit
-- is [count, width]. Its standing may come with them.
function terms.set(self, list, now, stands)
  if not self.is_sound then return end
  redis.call("HSET", self.key, "terms", cmsgpack.pack(list))
  if stands then redis.call("HSET", self.key, "standing", standing.packed(stands)) end
  terms.reload(self, now)
end

-- As `set`, of one that has none: they are not said before something is ready there.
function terms.need(self, list, now, stands)
  if not self.has_own_terms then terms.set(self, list, now, stands) end
end

-- Whether something is ready there; nil: it has no terms, and needs none before something is.
function terms.is_busy(name, username)
  local fields = redis.call("HMGET", keys.at(name, "line", username), "terms", "state")
  if not fields[1] then return nil end
  local state = fields[2] and cmsgpack.unpack(fields[2]) or { 0, 0 }
  return state[1] + state[2] > 0
end

-- {{provider, username, terms}, ...}: other terms for many, of which few have anything ready.
function terms.lay(entries, now)
  for _, entry in ipairs(entries) do
    local name, username = entry[1], entry[2]
    local is_busy = terms.is_busy(name, username)
    if is_busy then
      terms.set(line.look(name, username), entry[3], now)
    elseif is_busy == false then
      redis.call("HSET", keys.at(name, "line", username), "terms", cmsgpack.pack(entry[3]))
    end
  end
  line.save()
  provider.save()
end

function terms.set_standing(self, list, now)
  if not self.is_sound then return end
  redis.call("HSET", self.key, "standing", standing.packed(list))
  line.renew(self)
  round.refresh(self, now)
end

-- The midnights of its calendar, civil microseconds, from some days ago to a year ahead.
function terms.set_midnights(name, midnights)
  local key = keys.of(name, "midnights")
  redis.call("DEL", key)
  for _, midnight in ipairs(midnights) do redis.call("ZADD", key, midnight, string.format("%.0f", midnight)) end
end

-- [total_limits, total_connections]; mailboxes that waited for their provider's terms are looked at again.
function terms.set_provider(self, list, midnights, now)
  if not self.is_sound then return end
  redis.call("HSET", self.key, "terms", cmsgpack.pack(list))
  terms.set_midnights(self.name, midnights)
  self.total_limits, self.total_connections, self.windows = list[1], list[2], nil
  if self.has_terms then return end
  self.has_terms = true
  for _, mailbox in ipairs(busy_of(self.name)) do terms.reload(look(mailbox), now) end
end

function terms.set_provider_standing(self, list)
  if not self.is_sound then return end
  local packed = standing.packed(list)
  redis.call("HSET", self.key, "standing", packed)
  self.standing = standing.read(packed)
end

-- Each entry [provider, its kin, those of them that the routing has no more]: their slots are counted together.
function terms.set_kinship(entries, now)
  for _, entry in ipairs(entries) do
    local self = provider.look(entry[1])
    if self.is_sound then
      redis.call("HSET", self.key, "kin", cmsgpack.pack(entry[2]), "gone", cmsgpack.pack(entry[3]))
      self.kin, self.gone, self.whole = entry[2], entry[3], nil
    end
  end
  for _, self in pairs(line.all_known()) do self.others, self.ends = nil, nil end
  local names = {}
  for _, entry in ipairs(entries) do names[#names + 1] = entry[1] end
  table.sort(names)
  for _, name in ipairs(names) do
    for _, mailbox in ipairs(busy_of(name)) do terms.reload(look(mailbox), now) end
    for _, username in ipairs(provider.all_wanting(provider.look(name))) do
      local self = line.look(name, username)
      if self.express + self.bulk == 0 then round.drop_wanting(self) end
    end
  end
end

-- A corrected civil clock (civil minus relay time) for calendar days.
function terms.set_civil_offset(offset, now)
  provider.set_offset(offset)
  for _, self in pairs(line.all_known()) do self.windows = nil end
  for _, mailbox in ipairs(redis.call("ZRANGE", keys.BUSY, 0, -1)) do round.refresh(look(mailbox), now) end
end

-- So many are looked at anew when the clock is another one: a hundredth of a second of the server's time. Room
-- is asked for at each grant, so that nobody exceeds his day; who is not among them is looked at when his alarm rings.
local AT_ONCE = 100

-- As `set_civil_offset`, in the middle of a take: the server must not be held up, for that again looks like a step.
function terms.follow_civil_offset(offset, now)
  provider.set_offset(offset)
  for _, self in pairs(line.all_known()) do self.windows = nil end
  for _, mailbox in ipairs(redis.call("ZRANGE", keys.BUSY, 0, AT_ONCE - 1)) do round.refresh(look(mailbox), now) end
end

return terms
