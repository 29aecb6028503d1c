-- The round in which mailboxes take their turns, and the alarms that bring them back into it: core/round.py.
-- needs: keys line memory provider
-- A mailbox is in the round exactly while something is ready that its health and its own limits let go.
local round = {}

local TYPES = {
  [keys.ROUND] = "hash", [keys.ALARMS] = "zset", [keys.WANTED] = "zset", [keys.BUSY] = "zset",
  [keys.RESTING] = "zset", [keys.CLOCK] = "hash",
}

function round.types()
  return TYPES
end

-- turns

-- All others come before it, and it may send what its weight lets it.
function round.send_to_tail(self)
  self.turn, self.credit = redis.call("HINCRBY", keys.ROUND, "turns", 1), self.weight
  line.touch(self)
end

-- Remembers that a mailbox of the round wants a session.
function round.push_wanting(self)
  self.is_in_wanting, self.is_among_doubtful, self.stands_at = true, line.is_doubtful(self), line.place(self)
  line.touch(self)
  provider.push(self.provider, self.is_among_doubtful, self.stands_at, self.username)
end

-- It has no place among those that want a session.
function round.drop_wanting(self)
  if self.is_in_wanting then provider.drop(self.provider, self.username) end
  self.is_in_wanting = false
  line.touch(self)
end

-- Looks at a mailbox again at this instant; nil: not by itself.
function round.set_alarm(self, at)
  at = at or false
  if at == self.alarm then return end
  if at then
    redis.call("ZADD", keys.ALARMS, at, self.mailbox)
  else
    redis.call("ZREM", keys.ALARMS, self.mailbox)
  end
  self.alarm = at
  line.touch(self)
end

local function leave(self)
  if self.turn then line.touch(self) end
  self.turn = false
end

local function stay(self, now)
  if not self.turn then round.send_to_tail(self) end
  round.set_alarm(self, nil)
  local is_misplaced = self.is_in_wanting and self.is_among_doubtful
    and (not line.is_doubtful(self) or line.place(self) < self.stands_at)
  if (not self.is_in_wanting or is_misplaced) and line.wants_session(self, now) then round.push_wanting(self) end
end

-- Puts a mailbox into the round (newcomers at the tail) or takes it out, as what it may do has changed.
function round.refresh(self, now)
  if not self.is_sound then return end
  if self.express + self.bulk == 0 then
    leave(self)
    round.set_alarm(self, nil)
  elseif not line.may_send(self, now) then
    leave(self)
    local at = line.sends_at(self, now)
    round.set_alarm(self, at and math.max(at, now + 1))
  else
    stay(self, now)
  end
end

-- Looks again at whoever was to be looked at by now.
function round.ring_alarms(now)
  while true do
    local found = redis.call("ZRANGE", keys.ALARMS, 0, 0, "WITHSCORES")
    if not found[1] or tonumber(found[2]) > now then return end
    redis.call("ZREM", keys.ALARMS, found[1])
    local self = line.look(keys.parted(found[1]))
    self.alarm = false
    line.touch(self)
    round.refresh(self, now)
  end
end

-- When the first one rings.
function round.next_alarm()
  return tonumber(redis.call("ZRANGE", keys.ALARMS, 0, 0, "WITHSCORES")[2])
end

-- attempts

-- An attempt takes its slot of every limit.
function round.start(self, attempt, now)
  memory.start(self, attempt, now)
  for _, each in ipairs(line.kin(self)) do round.refresh(each, now) end
end

-- An attempt ended at `at`; nil: its slots return.
function round.stop(self, attempt, at, now)
  memory.stop(self, attempt, at, now)
  round.refresh(self, now)
  for _, each in ipairs(line.kin(self)) do round.refresh(each, now) end
end

return round
