-- What the limiter remembers of attempts, written: who runs, who ended when, and what is old enough to forget.
-- needs: keys ledger line logins numbers provider
local memory = {}

-- Ends are kept so long whatever limits are in force, so that a new or longer limit does not start empty.
local LEAST = 50 * numbers.HOUR

local function of_totals(self)
  local kept = math.max(LEAST, ledger.kept(self.total_limits))
  for _, name in ipairs(self.kin) do kept = math.max(kept, ledger.kept(provider.look(name).total_limits)) end
  return kept
end

local function of_line(self)
  local budgets = { self.login_limit, self.refused_logins }
  return math.max(ledger.kept(self.limits), ledger.kept(budgets), of_totals(self.provider))
end

-- How far back the limits of a mailbox look, under all of its names.
local function kept(self)
  local longest = of_line(self)
  for _, each in ipairs(line.kin(self)) do longest = math.max(longest, of_line(each)) end
  return longest
end

local function recount(self)
  self.many_running, self.provider.whole = nil, nil
  for _, name in ipairs(self.provider.kin) do provider.look(name).whole = nil end
end

function memory.start(self, attempt, now)
  redis.call("ZADD", line.own_key(self, "running"), now, attempt)
  redis.call("ZADD", keys.of(self.provider.name, "running"), now, attempt)
  recount(self)
end

-- An attempt is over; `at` nil: it never counted.
function memory.stop(self, attempt, at, now)
  redis.call("ZREM", line.own_key(self, "running"), attempt)
  redis.call("ZREM", keys.of(self.provider.name, "running"), attempt)
  recount(self)
  if not at then return end
  redis.call("ZADD", line.own_key(self, "ends"), at, attempt)
  redis.call("ZADD", keys.of(self.provider.name, "ends"), at, attempt)
  local span = kept(self)
  memory.trim(self, now, span)
  memory.rest_later(self, at, span)
end

-- Forgets ends that no limit counts any more.
function memory.trim(self, now, span)
  redis.call("ZREMRANGEBYSCORE", line.own_key(self, "ends"), "-inf", now - span - 1)
  redis.call("ZREMRANGEBYSCORE", keys.of(self.provider.name, "ends"), "-inf", now - of_totals(self.provider) - 1)
end

-- It is looked at again when all it is remembered for is over.
function memory.rest_later(self, at, span)
  redis.call("ZADD", keys.RESTING, at + span + 1, self.mailbox)
end

-- A login is over: what no budget counts any more is forgotten.
function memory.after_login(self, at, now)
  local span = kept(self)
  logins.trim(self, now - span - 1)
  memory.rest_later(self, math.max(at, now), span)
end

-- Forgets of one mailbox what is over.
function memory.rest(self, now)
  local span = kept(self)
  memory.trim(self, now, span)
  logins.trim(self, now - span - 1)
end

return memory
