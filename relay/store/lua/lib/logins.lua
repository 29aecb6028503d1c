-- The logins of a mailbox, under way, over and refused, and whether one more may begin.
-- needs: line numbers windows
local logins = {}

line.has_sets({ "logins", "logged", "refused" })

local function past(self, name)
  local ends, in_flight = { line.own_key(self, name) }, redis.call("ZCARD", line.own_key(self, "logins"))
  for _, each in ipairs(line.kin(self)) do
    ends[#ends + 1] = line.own_key(each, name)
    in_flight = in_flight + redis.call("ZCARD", line.own_key(each, "logins"))
  end
  return { ends = ends, in_flight = in_flight }
end

-- The budget of logins, and that of refused ones, of which those under way may be.
local function budgets(self)
  local logins_of, refusals_of = windows.of(self.login_limit, 1), windows.of(self.refused_logins, 1)
  return logins_of, past(self, "logged"), refusals_of, past(self, "refused")
end

-- Whether its next login is outside every budget: the credential is new, and nothing of it is under way.
local function is_free_to_try(self)
  return self.standing.is_fresh and self.sessions == 0
end

local function to_spare(budget)
  return numbers.floor_div(budget.count, 2) + 1
end

-- Within its budget; beside another session only with logins to spare, for when that one ends.
function logins.may_log_in(self, now)
  if now < math.max(self.crowded_until, self.standing.logs_in_at) then return false end
  if is_free_to_try(self) then return true end
  local budget, begun, refusals, refused = budgets(self)
  if not windows.has_room(refusals, refused, now) then return false end
  local room = windows.room(budget, begun, now)
  return self.sessions > 0 and room >= to_spare(budget) or self.sessions == 0 and room > 0
end

local function spares_at(budget, begun, now)
  local surplus = windows.used(budget, begun, now) + to_spare(budget) - budget.count
  if surplus <= 0 then return now end
  return windows.opening(budget, begun, now, surplus)
end

-- The earliest instant at which it may, if nothing else happens.
function logins.logs_in_at(self, now)
  local shut_until = math.max(self.crowded_until, self.standing.logs_in_at)
  if is_free_to_try(self) then return math.max(now, shut_until) end
  local budget, begun, refusals, refused = budgets(self)
  local opens = self.sessions > 0 and spares_at(budget, begun, now)
    or self.sessions == 0 and windows.opens_at(budget, begun, now) or nil
  local lets = windows.opens_at(refusals, refused, now)
  return opens and lets and math.max(opens, lets, shut_until) or nil
end

-- Whether some of its login budgets is used up.
function logins.is_spent(self, now)
  local budget, begun, refusals, refused = budgets(self)
  return windows.used(budget, begun, now) > 0 or windows.used(refusals, refused, now) > 0
end

-- A login counts from now on, and may be refused.
function logins.start(self, now)
  self.order = self.order + 1
  line.touch(self)
  redis.call("ZADD", line.own_key(self, "logins"), now, numbers.text(self.order))
end

local function finish(self, id, at, refused_at)
  if refused_at then redis.call("ZADD", line.own_key(self, "refused"), refused_at, id) end
  if at then redis.call("ZADD", line.own_key(self, "logged"), at, id) end
end

-- The oldest login under way ended at `at`; nil: it was never sent. It counts as refused from `refused_at` on.
function logins.stop(self, at, refused_at)
  local found = redis.call("ZPOPMIN", line.own_key(self, "logins"))
  if found[1] then finish(self, found[1], at, refused_at) end
end

-- All that are under way end at `at`, and nobody knows how.
function logins.stop_all(self, at, is_refusal)
  for _ = 1, redis.call("ZCARD", line.own_key(self, "logins")) do logins.stop(self, at, is_refusal and at or nil) end
end

-- That it was refused since then was no matter of its password.
function logins.acquit(self, since)
  redis.call("ZREMRANGEBYSCORE", line.own_key(self, "refused"), since, "+inf")
end

-- Forgets what no budget counts any more.
function logins.trim(self, before)
  redis.call("ZREMRANGEBYSCORE", line.own_key(self, "logged"), "-inf", before)
  redis.call("ZREMRANGEBYSCORE", line.own_key(self, "refused"), "-inf", before)
end

return logins
