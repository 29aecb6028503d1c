-- One mailbox as the schedule sees it: what is ready, whose turn it is, how many sessions there are.
-- needs: keys ledger numbers provider standing types witnesses
local line = {}

-- Behind every turn that there will be.
local LAST = 2 ^ 51

-- Those that this script has met, by mailbox, and those of them that are to be written back by `save`.
local known, changed = {}, {}

local STATE = {
  "express", "bulk", "sessions", "opening", "turn", "credit", "alarm", "is_in_wanting", "is_among_doubtful",
  "stands_at", "crowded_until", "order",
}
local AT_FIRST = { 0, 0, 0, 0, false, 0, false, false, false, 0, 0, 0 }

-- The keys beside its own and `running`, and those that other libraries use.
local SETS = { "ends", "accounts:express", "accounts:bulk" }

-- A library that uses other sorted sets of a mailbox says so.
function line.has_sets(names)
  for _, name in ipairs(names) do SETS[#SETS + 1] = name end
end

local function fault_of(name, username)
  local expected = {}
  for _, each in ipairs(SETS) do expected[keys.at(name, each, username)] = "zset" end
  return types.fault(expected)
end

-- What is wrong with the keys of a mailbox under another name.
local function fault_of_kin(name, username)
  return types.fault({ [keys.at(name, "line", username)] = "hash", [keys.at(name, "running", username)] = "zset" })
    or fault_of(name, username)
end

-- Its own key and how many run, read; what is wrong with its keys, its provider's, or those that count with it.
local function load(self)
  local host, username = self.provider, self.username
  if host.fault then return {}, host.fault end
  local fields, fault = types.read("hash", "HMGET", self.key, "terms", "standing", "state")
  if fault then return {}, fault end
  self.many_running, fault = types.read("zset", "ZCARD", keys.at(host.name, "running", username))
  fault = fault or fault_of(host.name, username)
  for _, name in ipairs(host.kin) do fault = fault or fault_of_kin(name, username) end
  return fault and {} or fields, fault
end

local function fill(self, fields)
  local terms = fields[1] and cmsgpack.unpack(fields[1])
  self.has_own_terms = terms and true or false
  self.has_terms = terms and self.provider.has_terms or false
  terms = terms or { {}, 1, 0, { 1, numbers.HOUR }, 0, 1, { 1, numbers.HOUR } }
  self.limits, self.weight, self.connections, self.login_limit = terms[1], terms[2], terms[3], terms[4]
  self.share, self.refused_logins = { terms[5], terms[6] }, terms[7]
  self.standing = standing.read(fields[2])
  local state = fields[3] and cmsgpack.unpack(fields[3]) or AT_FIRST
  for index, field in ipairs(STATE) do self[field] = state[index] end
end

-- One whose keys are of wrong types is as one without terms: nothing is granted and nothing written there.
function line.look(name, username)
  local mailbox = keys.mailbox(name, username)
  local self = known[mailbox]
  if self then return self end
  self = { mailbox = mailbox, username = username, provider = provider.look(name) }
  self.key = keys.at(name, "line", username)
  local fields, fault = load(self)
  self.fault, self.is_sound = fault, fault == nil
  fill(self, fields)
  known[mailbox] = self
  return self
end

-- What is wrong with the keys of a mailbox or its provider; nil: nothing.
function line.fault(name, username)
  return line.look(name, username).fault
end

-- Reads it again after its terms or standing were written.
function line.renew(self)
  line.save()
  fill(self, redis.call("HMGET", self.key, "terms", "standing", "state"))
  self.windows = nil
end

function line.all_known()
  return known
end

-- It is not any more as it was read.
function line.touch(self)
  changed[self] = true
end

-- Writes back all that changed, and lets go of what is as at first.
function line.save()
  for self in pairs(changed) do
    if self.is_sound then
      local state, is_at_first = {}, true
      for index, field in ipairs(STATE) do
        state[index] = self[field] or false
        is_at_first = is_at_first and state[index] == AT_FIRST[index]
      end
      if is_at_first then
        redis.call("HDEL", self.key, "state")
      else
        redis.call("HSET", self.key, "state", cmsgpack.pack(state))
      end
    end
  end
  changed = {}
end

function line.own_key(self, name)
  return keys.at(self.provider.name, name, self.username)
end

-- The same mailbox under its other names; nearly always there is none.
function line.kin(self)
  if not self.others then
    self.others = {}
    for index, name in ipairs(self.provider.kin) do self.others[index] = line.look(name, self.username) end
  end
  return self.others
end

-- what it holds

function line.running(self)
  if not self.many_running then self.many_running = redis.call("ZCARD", line.own_key(self, "running")) end
  return self.many_running
end

function line.in_flight(self)
  local many = line.running(self)
  for _, each in ipairs(line.kin(self)) do many = many + line.running(each) end
  return many
end

local function gathered(self, name)
  local found = { line.own_key(self, name) }
  for _, each in ipairs(line.kin(self)) do found[#found + 1] = line.own_key(each, name) end
  return found
end

-- Its own limits as they bind now, and what it holds of them under all of its names.
local function held(self)
  if not self.windows then
    self.windows = ledger.windows(self.limits, self.standing.slow, self.provider.name, provider.offset)
  end
  if not self.ends then self.ends = gathered(self, "ends") end
  return self.windows, { ends = self.ends, in_flight = line.in_flight(self) }
end

-- What it holds of its provider's totals, under this name alone.
function line.own_past(self)
  return { ends = { line.own_key(self, "ends") }, in_flight = line.running(self) }
end

local function has_own_room(self, now, share)
  if #self.limits == 0 then return true end
  local bound, past = held(self)
  return ledger.has_room(bound, past, now, share)
end

-- ready accounts, in turns inside the mailbox

local function first_account(self, lane)
  local found = redis.call("ZRANGE", line.own_key(self, "accounts:" .. lane), 0, 0, "WITHSCORES")
  return found[1], tonumber(found[2])
end

local function next_order(self)
  self.order = self.order + 1
  line.touch(self)
  return self.order
end

local function set_total(self, lane, many)
  local was = self.express + self.bulk
  self[lane] = math.max(0, self[lane] + many)
  line.touch(self)
  local is = self.express + self.bulk
  if was == 0 and is > 0 then redis.call("ZADD", keys.BUSY, 0, self.mailbox) end
  if was > 0 and is == 0 then redis.call("ZREM", keys.BUSY, self.mailbox) end
end

-- After deliveries of an account came (or, negative, went): the counts, and whether the account has a turn.
function line.count(self, account, lane, many)
  set_total(self, lane, many)
  local accounts = line.own_key(self, "accounts:" .. lane)
  if many <= 0 then
    local is_empty = redis.call("EXISTS", keys.ready(self.provider.name, self.username, account, lane)) == 0
    if is_empty then redis.call("ZREM", accounts, account) end
  elseif not redis.call("ZSCORE", accounts, account) then
    local other = line.own_key(self, "accounts:" .. (lane == "bulk" and "express" or "bulk"))
    redis.call("ZADD", accounts, redis.call("ZSCORE", other, account) or next_order(self), account)
  end
end

-- It was served: other accounts come before it.
function line.pass_account(self, account)
  local order = next_order(self)
  for _, lane in ipairs({ "express", "bulk" }) do
    if self[lane] > 0 then redis.call("ZADD", line.own_key(self, "accounts:" .. lane), "XX", order, account) end
  end
end

-- what it may

function line.is_doubtful(self)
  return standing.is_careful(self.standing) or witnesses.is_accused(self.provider, self.username)
end

-- Whether it met trouble the last time: whoever did not, and is doubtful because he is new, goes before it.
function line.is_troubled(self)
  local is = self.standing
  return is.is_stopped or is.logs_in_at > 0 or witnesses.is_accused(self.provider, self.username)
end

-- Its place among those that want a session; it has to have a turn.
function line.place(self)
  return line.is_troubled(self) and self.turn + LAST or self.turn
end

function line.may_use(self, now)
  if not self.has_terms then return false end
  if not self.standing.is_stopped then return true end
  local probe_at = self.standing.probe_at
  return probe_at ~= nil and now >= probe_at and line.in_flight(self) == 0
end

local function has_room(self, now)
  if self.express > 0 and has_own_room(self, now) then return true end
  return self.bulk > 0 and has_own_room(self, now, self.share)
end

-- Whether it belongs into the rotation: something is ready, its health and its own limits let it go.
function line.may_send(self, now)
  return line.may_use(self, now) and has_room(self, now)
end

-- The earliest instant at which `may_send` can become true if nothing else happens.
function line.sends_at(self, now)
  local usable = standing.opens_at(self.standing, now)
  if not self.has_terms or not usable or (self.standing.is_stopped and line.in_flight(self) > 0) then return nil end
  local bound, past = held(self)
  local opens
  if self.express > 0 then opens = ledger.opens_at(bound, past, now) end
  if self.bulk > 0 then opens = numbers.earlier(opens, ledger.opens_at(bound, past, now, self.share)) end
  return opens and math.max(opens, usable)
end

-- The account whose turn it is inside the mailbox, and the lane; express before bulk inside the account.
function line.choose(self, now)
  if not line.may_use(self, now) or not has_own_room(self, now) then return nil end
  local express, first = first_account(self, "express")
  local bulk, second
  if self.share[1] == 0 or has_own_room(self, now, self.share) then bulk, second = first_account(self, "bulk") end
  if express and (not bulk or first <= second) then return express, "express" end
  return bulk, "bulk"
end

-- Fewer sessions than it may have and could use at once; one at a time until a login has worked.
function line.wants_session(self, now)
  if not self.has_terms or (self.opening > 0 and self.opening == self.sessions) then return false end
  local allowed = standing.is_careful(self.standing) and 1 or self.connections
  if self.sessions >= allowed then return false end
  local bound, past = held(self)
  local useful = math.min(self.express + self.bulk, ledger.room(bound, past, now))
  return self.sessions < line.running(self) + useful
end

return line
