-- What may go next, and when to look again: the head of core/schedule.py.
-- needs: keys ledger line memory numbers provider ready round terms
local grants = {}

local function has_total_room(self, now)
  if not self.has_terms then return false end
  if #self.provider.total_limits == 0 then return true end
  local bound, whole = provider.totals(self.provider)
  return ledger.total_has_room(bound, whole, line.own_past(self), now)
end

local function next_of(self, now, begin)
  if not has_total_room(self, now) then return nil end
  local account, lane = line.choose(self, now)
  if not account then
    round.refresh(self, now)
    return nil
  end
  local delivery, fault = ready.pop(self, account, lane)
  if not delivery then
    if not fault then line.count(self, account, lane, 0) end
    return nil
  end
  local is_probe = self.standing.is_stopped
  local attempt = begin(self.provider.name, self.username, account, lane, delivery, is_probe)
  round.start(self, attempt, now)
  line.pass_account(self, account)
  return { self.provider.name, self.username, account, lane, delivery, is_probe, attempt }
end

-- After a grant: a mailbox keeps its place until its weight is spent, then goes to the tail.
local function pass_turn(self, now)
  self.credit = self.credit - 1
  line.touch(self)
  if self.credit <= 0 then round.send_to_tail(self) end
  round.refresh(self, now)
end

local function put_in_turn(turns, self)
  local low, high = 1, #turns + 1
  while low < high do
    local middle = math.floor((low + high) / 2)
    if turns[middle][1] < self.turn then low = middle + 1 else high = middle end
  end
  table.insert(turns, low, { self.turn, self })
end

local function numbered()
  return string.format("%.0f", redis.call("HINCRBY", keys.ROUND, "attempts", 1))
end

-- Calendar days follow the clock on the wall, which relay time has parted from by what it absorbed of its steps.
local function follow_clock(now)
  local absorbed = tonumber(redis.call("HGET", keys.CLOCK, "offset") or nil)
  if absorbed and math.abs(absorbed + provider.offset()) >= numbers.SECOND then
    terms.follow_civil_offset(-absorbed, now)
  end
end

-- Forgets of at most `most` mailboxes what no limit counts any more; a take does it for one more than it grants.
function grants.rest(now, most)
  for _, mailbox in ipairs(redis.call("ZRANGEBYSCORE", keys.RESTING, "-inf", now, "LIMIT", 0, most)) do
    redis.call("ZREM", keys.RESTING, mailbox)
    local self = line.look(keys.parted(mailbox))
    if self.is_sound then memory.rest(self, now) end
  end
end

-- At most `most` grants and so many of each mailbox as `idle` ({provider, username, many}) says, in order, with slots
-- of all limits taken: {provider, username, account, lane, delivery, is_probe, attempt}. `begin` is told of each (all
-- but the last) and names the attempt; without it they are numbered.
function grants.give(now, idle, most, begin)
  follow_clock(now)
  round.ring_alarms(now)
  begin = begin or numbered
  local left, turns, given = {}, {}, {}
  for _, each in ipairs(idle) do
    local self = line.look(each[1], each[2])
    if each[3] > 0 and self.turn then
      left[self] = each[3]
      put_in_turn(turns, self)
    end
  end
  while #turns > 0 and #given < most do
    local self = table.remove(turns, 1)[2]
    local grant = next_of(self, now, begin)
    if grant then
      given[#given + 1] = grant
      left[self] = left[self] - 1
      pass_turn(self, now)
      if left[self] > 0 and self.turn then put_in_turn(turns, self) end
    end
  end
  grants.rest(now, #given + 1)
  return given
end

local function wakes_of(name, now)
  local host, at = provider.look(name), nil
  if not host.has_terms or not provider.is_wanted(host) then return nil end
  local probe_at = host.standing.probe_at
  if host.standing.is_stopped and probe_at and probe_at > now then at = probe_at end
  if host.crowded_until > now then at = math.min(at or host.crowded_until, host.crowded_until) end
  return at
end

-- The earliest instant at which more could be granted or opened if nothing else happens; nil: none.
function grants.wake_at(now, idle)
  local at = round.next_alarm() or math.huge
  for _, each in ipairs(idle) do
    local self = line.look(each[1], each[2])
    if each[3] > 0 and self.turn then
      local bound, whole = provider.totals(self.provider)
      at = math.min(at, ledger.total_opens_at(bound, whole, line.own_past(self), now) or math.huge)
    end
  end
  for _, name in ipairs(redis.call("ZRANGE", keys.WANTED, 0, -1)) do
    at = math.min(at, wakes_of(name, now) or math.huge)
  end
  return at < math.huge and at or nil
end

return grants
