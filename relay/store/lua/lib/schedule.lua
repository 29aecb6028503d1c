-- The schedule: which mailbox may send next, and which should log in; grant for grant what core/schedule.py decides.
-- needs: grants line logins memory provider ready round sessions terms types witnesses
-- A mailbox is a provider and a username; every function writes back what it changed before it returns.
local schedule = {}

local function save()
  line.save()
  provider.save()
end

local function look(name, username)
  return name and line.look(name, username) or nil
end

-- Makes of a function that changes one mailbox one that finds it, and writes it back.
local function changes(change)
  return function(name, username, ...)
    local result = change(line.look(name, username), ...)
    save()
    return result
  end
end

-- checks: an error text, or nil; a script asks before its first write

function schedule.check_round()
  return types.fault(round.types())
end

function schedule.check(name)
  local host = provider.look(name)
  return host.fault or (not host.has_terms and "NO TERMS " .. name) or nil
end

function schedule.check_line(name, username)
  local self = line.look(name, username)
  local fault = self.fault or schedule.check(name)
  if fault then return fault end
  for _, each in ipairs(line.kin(self)) do
    if each.fault then return each.fault end
  end
  return not self.has_terms and "NO TERMS " .. name .. " " .. username or nil
end

-- As `check_line`; that it has no terms of its own yet is no fault.
function schedule.check_known(name, username)
  local fault = schedule.check_line(name, username)
  return fault ~= "NO TERMS " .. name .. " " .. username and fault or nil
end

schedule.check_ready = ready.fault

-- what waits

function schedule.add_ready(name, username, account, lane, ids, now)
  ready.add(look(name, username), account, lane, ids, now)
  save()
end

function schedule.remove_ready(name, username, account, lane, id, now)
  local was_ready = ready.remove(look(name, username), account, lane, id, now)
  save()
  return was_ready
end

-- `origin` and `target` are pairs of provider and username, or nil.
function schedule.move_account(account, origin, target, now)
  ready.move(account, origin and look(origin[1], origin[2]), target and look(target[1], target[2]), now)
  save()
end

-- Whether anything is ready of an account.
schedule.has_ready = ready.has

-- How many are ready: express, bulk.
function schedule.ready_of(name, username, account)
  return ready.many(look(name, username), account)
end

-- what may go

-- Grants in order: {provider, username, account, lane, delivery, is_probe, attempt}; grants.lua says how.
function schedule.grant(now, idle, most, begin)
  local given = grants.give(now, idle, most, begin)
  save()
  return given
end

-- An attempt that no grant began takes its slots.
schedule.start = changes(function(self, attempt, now) round.start(self, attempt, now) end)

-- An attempt of no delivery: as `start`, and it needs a name of its own.
schedule.start_trial = changes(function(self, attempt, now)
  round.start(self, attempt, now)
  round.refresh(self, now)
end)

-- An attempt ended at `at` (perhaps later than now, by linger); nil: MAIL was not written, slots return.
schedule.end_attempt = changes(function(self, attempt, _, at, now) round.stop(self, attempt, at, now) end)

-- who should log in

-- {provider, username, many}, in order; what is named is reserved for `node`.
function schedule.open_sessions(now, most, node, left)
  local opened = sessions.open(now, most, node, left)
  save()
  return opened
end

-- {provider, username, many} of the idle ones that should make room.
function schedule.close_sessions(now, idle)
  local closed = sessions.close(now, idle)
  save()
  return closed
end

schedule.reserve_session = changes(function(self, now, node)
  sessions.reserve(self, now, node)
  round.refresh(self, now)
end)

local function stop_login(self, at, refused_at, now)
  logins.stop(self, at, refused_at)
  memory.after_login(self, at or now, now)
  for _, each in ipairs(line.kin(self)) do round.refresh(each, now) end
end

schedule.session_opened = changes(function(self, now)
  sessions.begin(self, -1)
  witnesses.let_in(self.provider, self.username, not self.provider.standing.is_one_by_one)
  stop_login(self, now, nil, now)
  round.refresh(self, now)
end)

-- `ends_at` nil: now; a login that was never sent is not counted.
schedule.session_refused = changes(function(self, now, is_login_sent, ends_at, is_refusal)
  sessions.begin(self, -1)
  stop_login(self, is_login_sent and (ends_at or now) or nil, is_refusal and now or nil, now)
  sessions.count(self, -1)
  round.refresh(self, now)
end)

schedule.session_closed = changes(function(self, now)
  sessions.count(self, -1)
  round.refresh(self, now)
end)

-- Sessions of a node that is back or, negative, gone; `opening` of them are not open yet.
schedule.resume_sessions = changes(function(self, now, many, opening)
  sessions.count(self, many)
  sessions.begin(self, opening)
  round.refresh(self, now)
end)

-- All logins under way end at `at`, and nobody knows how.
schedule.end_logins = changes(function(self, at, is_refusal, now)
  logins.stop_all(self, at, is_refusal)
  memory.after_login(self, at, now)
  terms.reload(self, now)
end)

-- Refusals since then were no matter of the password.
schedule.acquit_logins = changes(function(self, since) logins.acquit(self, since) end)

-- The provider has enough sessions of this mailbox, or of all of them.
schedule.crowded = changes(function(self, until_, now, is_provider)
  if is_provider then
    self.provider.crowded_until = math.max(until_, self.provider.crowded_until)
    provider.touch(self.provider)
  else
    self.crowded_until = math.max(until_, self.crowded_until)
    line.touch(self)
  end
  round.refresh(self, now)
end)

function schedule.has_logged_in(name, username, now)
  return logins.is_spent(line.look(name, username), now)
end

-- witnesses

function schedule.accuse(name, usernames)
  witnesses.accuse(provider.look(name), usernames)
  save()
end

function schedule.blame_drops(name, usernames)
  witnesses.drop(provider.look(name), usernames)
  save()
end

schedule.clear = changes(function(self, now)
  if witnesses.deliver(self.provider, self.username) then round.refresh(self, now) end
end)

schedule.tell = changes(function(self, began, is_at_login)
  witnesses.tell(self.provider, self.username, began, is_at_login)
end)

schedule.break_line = changes(function(self, now) witnesses.break_line(self.provider, self.username, now) end)

-- health and terms

schedule.set_standing = changes(terms.set_standing)
schedule.set_terms = changes(terms.set)
schedule.need_terms = changes(terms.need)
schedule.lay_terms = terms.lay
schedule.is_busy = terms.is_busy
schedule.reload = changes(terms.reload)

function schedule.set_provider_standing(name, list)
  terms.set_provider_standing(provider.look(name), list)
end

function schedule.set_provider_terms(name, list, midnights, now)
  terms.set_provider(provider.look(name), list, midnights, now)
  save()
end

schedule.set_midnights = terms.set_midnights

-- Totals are counted anew at every question: there is nothing to count again.
function schedule.reload_provider(name)
  provider.look(name).windows = nil
end

function schedule.set_kinship(entries, now)
  terms.set_kinship(entries, now)
  save()
end

function schedule.set_civil_offset(offset, now)
  terms.set_civil_offset(offset, now)
  save()
end

-- when to look again

schedule.wake_at = grants.wake_at

function schedule.rest(now, most)
  grants.rest(now, most)
  save()
end

return schedule
