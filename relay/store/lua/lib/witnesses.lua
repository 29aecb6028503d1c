-- Which mailboxes of a provider met what stops it, and since when others have fared better: core/witnesses.py.
-- needs: keys numbers provider
local witnesses = {}

-- A line that broke longer ago than this is forgotten.
local REMEMBERED = 12 * numbers.HOUR

local function key(self, name)
  return keys.of(self.name, name)
end

local function next_order(self)
  self.order = self.order + 1
  provider.touch(self)
  return self.order
end

local function mark(self, name, usernames, order)
  for _, username in ipairs(usernames) do redis.call("ZADD", key(self, name), order, username) end
end

-- When it met what stopped it, if it has not worked since; 0: it has not.
function witnesses.accused_at(self, username)
  return tonumber(redis.call("ZSCORE", key(self, "accused"), username) or 0)
end

function witnesses.is_accused(self, username)
  return redis.call("ZSCORE", key(self, "accused"), username) ~= false
end

function witnesses.accuse(self, usernames)
  mark(self, "accused", usernames, next_order(self))
end

function witnesses.drop(self, usernames)
  local order = next_order(self)
  mark(self, "accused", usernames, order)
  mark(self, "droppers", usernames, order)
end

function witnesses.let_in(self, username, is_acquitted)
  self.let_in_at = next_order(self)
  if is_acquitted then redis.call("ZREM", key(self, "accused"), username) end
end

-- A mail went through; whether it was thought to be what stopped its provider.
function witnesses.deliver(self, username)
  self.delivered_at = next_order(self)
  local droppers, told, broken = key(self, "droppers"), key(self, "told"), key(self, "broken")
  local broke, accused = key(self, "broke"), key(self, "accused")
  if redis.call("EXISTS", droppers, told, broken, broke, accused) == 0 then return false end
  redis.call("ZREM", droppers, username)
  redis.call("HDEL", told, username)
  redis.call("HDEL", broken, username)
  redis.call("ZREM", broke, username)
  return redis.call("ZREM", accused, username) == 1
end

-- It is told something in the name of all: the first time counts, until a mail of it goes through.
function witnesses.tell(self, username, began, is_at_login)
  local known = redis.call("HGET", key(self, "told"), username)
  if known and cmsgpack.unpack(known)[2] == is_at_login then return end
  redis.call("HSET", key(self, "told"), username, cmsgpack.pack({ began, is_at_login }))
end

function witnesses.break_line(self, username, now)
  local stale = redis.call("ZRANGEBYSCORE", key(self, "broke"), "-inf", now - REMEMBERED - 1)
  for _, each in ipairs(stale) do
    redis.call("HDEL", key(self, "broken"), each)
    redis.call("ZREM", key(self, "broke"), each)
  end
  local known = redis.call("HGET", key(self, "broken"), username)
  local order = known and cmsgpack.unpack(known)[1] or self.order
  redis.call("HSET", key(self, "broken"), username, cmsgpack.pack({ order, order < self.delivered_at }))
  redis.call("ZADD", key(self, "broke"), now, username)
end

function witnesses.breaks_alone(self, username)
  local known = redis.call("HGET", key(self, "broken"), username)
  return known and cmsgpack.unpack(known)[2] or false
end

return witnesses
