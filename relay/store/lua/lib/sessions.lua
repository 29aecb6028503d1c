-- Who should log in next, and whose idle session should make room for that: core/sessions.py.
-- needs: keys line logins owners provider round witnesses
-- What is to be opened is reserved at once, so that asking twice opens nothing twice.
local sessions = {}

-- The turn of a mailbox that is not in the round: after all others.
local FAR = 2 ^ 52

-- A mailbox opens so many sessions; negative: it has, or has given up. It never opens fewer than none.
function sessions.begin(self, many)
  local host, before = self.provider, self.opening
  self.opening = math.max(before + many, 0)
  host.opening = host.opening + self.opening - before
  line.touch(self)
  provider.touch(host)
  local under_way = keys.of(host.name, "under_way")
  if self.opening ~= 0 then
    redis.call("HSET", under_way, self.username, self.opening)
  else
    redis.call("HDEL", under_way, self.username)
  end
end

-- So many sessions more; negative: they are gone. There are never fewer than none.
function sessions.count(self, many)
  local before = self.sessions
  self.sessions = math.max(before + many, 0)
  if self.sessions == 0 then owners.leave(self.mailbox) end
  line.touch(self)
  self.provider.sessions = self.provider.sessions + self.sessions - before
  provider.touch(self.provider)
end

-- `node` opens it; nil: nobody in particular, as where there is one node alone.
function sessions.reserve(self, now, node)
  if node and self.sessions == 0 then owners.take(self.mailbox, node) end
  sessions.count(self, 1)
  sessions.begin(self, 1)
  logins.start(self, now)
end

-- Whether one more login may begin that perhaps hangs: half of the places stay for others.
local function may_doubt(host)
  local doubtful = 0
  for _, username in ipairs(redis.call("HKEYS", keys.of(host.name, "under_way"))) do
    local each = line.look(host.name, username)
    if line.is_doubtful(each) then doubtful = doubtful + each.opening end
  end
  return doubtful < math.max(1, math.floor(host.total_connections / 2))
end

local function many_wanting(host)
  local many = redis.call("ZCARD", provider.list_wanting(host, false))
  if may_doubt(host) then many = many + redis.call("ZCARD", provider.list_wanting(host, true)) end
  return many
end

-- The first of a list that wants a session and has login budget; the others leave the list until they do.
local function head_of(host, is_doubtful, now)
  while true do
    local place, username = provider.pop(host, is_doubtful)
    if not username then return nil end
    local self = line.look(host.name, username)
    if self.is_in_wanting then
      self.is_in_wanting = false
      line.touch(self)
      if self.turn and line.wants_session(self, now) then
        if place ~= line.place(self) or line.is_doubtful(self) ~= is_doubtful then
          round.push_wanting(self)
        elseif not logins.may_log_in(self, now) then
          round.set_alarm(self, logins.logs_in_at(self, now))
        else
          return self
        end
      end
    end
  end
end

local function first_wanting(host, now)
  local sound = head_of(host, false, now)
  local doubtful = may_doubt(host) and head_of(host, true, now) or nil
  if not sound or not doubtful then return sound or doubtful end
  if sound.turn < doubtful.turn then
    round.push_wanting(doubtful)
    return sound
  end
  round.push_wanting(sound)
  return doubtful
end

-- Whose probe comes first: of who met nothing, then in turns; of who was let in before.
local function probe_rank(host, self)
  local accused_at, is_new = witnesses.accused_at(host, self.username), self.standing.is_proven and 0 or 1
  local is_ill = witnesses.breaks_alone(host, self.username) and 1 or 0
  if host.standing.is_for_proven then return { is_new, is_ill, accused_at, self.turn } end
  return { is_ill, accused_at, is_new, self.turn }
end

local function is_before(a, b)
  for index = 1, 4 do
    if a[index] ~= b[index] then return a[index] < b[index] end
  end
  return false
end

-- The first in order; where only one may probe, the first of those whose probe shows most.
local function next_wanting(host, now)
  if not host.standing.is_stopped then return first_wanting(host, now) end
  local able, found, best = {}, nil, nil
  while true do
    local self = first_wanting(host, now)
    if not self then break end
    able[#able + 1] = self
    local rank = probe_rank(host, self)
    if not best or is_before(rank, best) then found, best = self, rank end
  end
  for _, self in ipairs(able) do
    if self ~= found then round.push_wanting(self) end
  end
  return found
end

-- Whether this node is not to open one: it leaves it to others, or its sessions are another node's, which opens more.
local function is_elsewhere(self, node, left)
  if left[self.mailbox] then return true end
  if not node or self.sessions == 0 then return false end
  local owner = owners.of(self.mailbox)
  return owner ~= nil and owner ~= node
end

-- The next in order that `node` may open a session of; those of others go to `others`, so many at most besides those
-- that it leaves to others itself: nobody waits for them.
local AT_MOST = 100
local function next_of(host, now, node, others, left, many_left)
  while #others < AT_MOST + many_left do
    local self = next_wanting(host, now)
    if not self or not is_elsewhere(self, node, left) then return self end
    others[#others + 1] = self
  end
  return nil
end

-- Mailboxes next in order that want a session of `node`, each with how many; they are reserved at once. `left`:
-- {{provider, username}, ...} that it leaves to other nodes; nil: none.
function sessions.open(now, most, node, left)
  round.ring_alarms(now)
  local opened, places, is_left = {}, {}, {}
  for _, each in ipairs(left or {}) do is_left[keys.mailbox(each[1], each[2])] = true end
  for _, name in ipairs(redis.call("ZRANGE", keys.WANTED, 0, -1)) do
    local host = provider.look(name)
    local others = {}
    while most > 0 and provider.may_connect(host, now) do
      local self = next_of(host, now, node, others, is_left, #(left or {}))
      if not self then break end
      sessions.reserve(self, now, node)
      if line.wants_session(self, now) then round.push_wanting(self) end
      if not places[self.mailbox] then
        opened[#opened + 1] = { name, self.username, 0 }
        places[self.mailbox] = opened[#opened]
      end
      places[self.mailbox][3] = places[self.mailbox][3] + 1
      most = most - 1
    end
    for _, self in ipairs(others) do round.push_wanting(self) end
    provider.is_wanted(host)
  end
  return opened
end

-- The sessions whose next turn is farthest away, as many as are wanted.
local function give_up(host, idle, now, closed)
  local head = next_wanting(host, now)
  if not head or not head.turn then return end
  round.push_wanting(head)
  local wanted, turns = many_wanting(host), {}
  for _, each in ipairs(idle) do
    turns[#turns + 1] = { each, line.look(each[1], each[2]).turn or FAR }
  end
  table.sort(turns, function(a, b)
    if a[2] ~= b[2] then return a[2] > b[2] end
    return a[1][2] > b[1][2]
  end)
  for _, each in ipairs(turns) do
    local many = math.min(each[1][3], wanted)
    if each[2] < head.turn or many < 1 then break end
    closed[#closed + 1] = { each[1][1], each[1][2], many }
    wanted = wanted - many
  end
end

-- Idle sessions to give up where others, earlier in order, find no place under the provider's ceiling.
function sessions.close(now, idle)
  local closed, spare, names = {}, {}, {}
  for _, each in ipairs(idle) do
    if each[3] > 0 then
      if not spare[each[1]] then
        spare[each[1]] = {}
        names[#names + 1] = each[1]
      end
      table.insert(spare[each[1]], each)
    end
  end
  table.sort(names)
  for _, name in ipairs(names) do
    local host = provider.look(name)
    if host.has_terms and host.sessions >= host.total_connections then give_up(host, spare[name], now, closed) end
  end
  return closed
end

return sessions
