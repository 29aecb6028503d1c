-- What waits: the ids of ready deliveries by account and lane, counted in the line of their mailbox.
-- needs: keys line round types
local ready = {}

-- Redis takes so many arguments of one command at most with ease.
local AT_ONCE = 1000

-- What is wrong with an account's queues; nil: nothing.
function ready.fault(name, username, account)
  return types.fault({
    [keys.ready(name, username, account, "express")] = "zset",
    [keys.ready(name, username, account, "bulk")] = "zset",
  })
end

-- `self` nil: of an account of which mail goes nowhere.
local function key_of(self, account, lane)
  return keys.ready(self and self.provider.name, self and self.username, account, lane)
end

local function put(key, ids)
  local added = 0
  for first = 1, #ids, AT_ONCE do
    local pairs_of = {}
    for index = first, math.min(first + AT_ONCE - 1, #ids) do
      pairs_of[#pairs_of + 1] = ids[index]
      pairs_of[#pairs_of + 1] = ids[index]
    end
    added = added + redis.call("ZADD", key, unpack(pairs_of))
  end
  return added
end

-- How many are ready of an account: express, bulk.
function ready.many(self, account)
  return redis.call("ZCARD", key_of(self, account, "express")), redis.call("ZCARD", key_of(self, account, "bulk"))
end

-- Whether anything is ready of an account; without a provider its mail goes nowhere.
function ready.has(name, username, account)
  return redis.call(
    "EXISTS", keys.ready(name, username, account, "express"), keys.ready(name, username, account, "bulk")
  ) > 0
end

-- Deliveries of an account became ready; without a mailbox they only wait, for its mail goes nowhere.
function ready.add(self, account, lane, ids, now)
  if not self then
    put(key_of(nil, account, lane), ids)
    return
  end
  local added = put(key_of(self, account, lane), ids)
  if added > 0 then line.count(self, account, lane, added) end
  round.refresh(self, now)
end

-- A delivery that was ready is not any more; whether it was.
function ready.remove(self, account, lane, id, now)
  local key = key_of(self, account, lane)
  local removed = redis.call("ZREM", key, id)
  if not self then return removed == 1 end
  if removed == 1 then line.count(self, account, lane, -1) end
  round.refresh(self, now)
  return removed == 1
end

-- The oldest id of a lane, taken out; nil: there is none. What is wrong with its key, too: then nothing is written.
function ready.pop(self, account, lane)
  local found, fault = types.read("zset", "ZPOPMIN", key_of(self, account, lane))
  if fault then return nil, fault end
  if found[1] then line.count(self, account, lane, -1) end
  return found[1]
end

local function move_lane(account, lane, origin, target, now)
  local from, to = key_of(origin, account, lane), key_of(target, account, lane)
  local many = redis.call("ZCARD", from)
  if many == 0 or from == to then return end
  local were = redis.call("ZCARD", to)
  if were == 0 then
    redis.call("RENAME", from, to)
  else
    redis.call("ZUNIONSTORE", to, 2, from, to, "AGGREGATE", "MIN")
    redis.call("DEL", from)
  end
  if origin then
    line.count(origin, account, lane, -many)
    round.refresh(origin, now)
  end
  if target then
    line.count(target, account, lane, redis.call("ZCARD", to) - were)
    round.refresh(target, now)
  end
end

-- What is ready of an account follows it; nil: its mail goes nowhere.
function ready.move(account, origin, target, now)
  move_lane(account, "express", origin, target, now)
  move_lane(account, "bulk", origin, target, now)
end

return ready
