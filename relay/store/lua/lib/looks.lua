-- Mailboxes and providers written down whole, for Python to make its own objects of them.
-- needs: keys line provider ready
local looks = {}

line.has_sets({ "logins", "logged", "refused" })

local function scores(key)
  local found = redis.call("ZRANGE", key, 0, -1, "WITHSCORES")
  local made = {}
  for index = 2, #found, 2 do made[#made + 1] = tonumber(found[index]) end
  return made
end

local function flat(key)
  local found = redis.call("ZRANGE", key, 0, -1, "WITHSCORES")
  for index = 2, #found, 2 do found[index] = tonumber(found[index]) end
  return found
end

local function number(value)
  return value and 1 or 0
end

-- Attempts and logins of one name: running, ends, logins under way, over and refused.
local function past(self)
  return {
    self.provider.name, scores(line.own_key(self, "running")), scores(line.own_key(self, "ends")),
    scores(line.own_key(self, "logins")), scores(line.own_key(self, "logged")), scores(line.own_key(self, "refused")),
  }
end

-- The accounts in the order of their turns, with how much is ready of each.
local function accounts(self)
  local turns, found = {}, {}
  for _, lane in ipairs({ "express", "bulk" }) do
    local listed = flat(line.own_key(self, "accounts:" .. lane))
    for index = 1, #listed, 2 do turns[listed[index]] = listed[index + 1] end
  end
  for account, turn in pairs(turns) do
    local express, bulk = ready.many(self, account)
    found[#found + 1] = { account, express, bulk, turn }
  end
  table.sort(found, function(a, b) return a[4] < b[4] end)
  return found
end

-- One mailbox; -1 stands for what there is not.
function looks.line(name, username)
  local self = line.look(name, username)
  local pasts = { past(self) }
  for _, each in ipairs(line.kin(self)) do pasts[#pasts + 1] = past(each) end
  return {
    name, username, self.sessions, self.opening, self.turn or -1, self.credit, self.alarm or -1,
    number(self.is_in_wanting), number(self.is_among_doubtful), self.crowded_until, accounts(self), pasts,
  }
end

local function told(self)
  local found = redis.call("HGETALL", keys.of(self.name, "told"))
  local made = {}
  for index = 1, #found, 2 do
    local is = cmsgpack.unpack(found[index + 1])
    made[#made + 1] = { found[index], is[1], number(is[2]) }
  end
  return made
end

local function broken(self)
  local made = {}
  local found = flat(keys.of(self.name, "broke"))
  for index = 1, #found, 2 do
    local is = cmsgpack.unpack(redis.call("HGET", keys.of(self.name, "broken"), found[index]))
    made[#made + 1] = { found[index], is[1], found[index + 1], number(is[2]) }
  end
  return made
end

local function whole(self)
  if #self.total_limits == 0 then return { {}, {} } end
  local running, ends = {}, {}
  for _, name in ipairs({ self.name, unpack(self.gone) }) do
    for _, at in ipairs(scores(keys.of(name, "running"))) do running[#running + 1] = at end
    for _, at in ipairs(scores(keys.of(name, "ends"))) do ends[#ends + 1] = at end
  end
  return { running, ends }
end

-- One provider, with its witnesses and how many of its mailboxes have something ready.
function looks.provider(name)
  local self = provider.look(name)
  local busy = redis.call("ZLEXCOUNT", keys.BUSY, "[" .. name .. " ", "(" .. name .. "!")
  local witnesses = {
    flat(keys.of(name, "accused")), self.let_in_at, flat(keys.of(name, "droppers")), self.delivered_at, told(self),
    broken(self), self.order,
  }
  return { name, self.sessions, self.opening, self.crowded_until, busy, whole(self), witnesses }
end

-- At most `most` mailboxes with something ready that come after `after` in the order of their names, of one provider
-- or (an empty name) of all.
function looks.busy(name, after, most)
  local from = after ~= "" and "(" .. after or name ~= "" and "[" .. name .. " " or "-"
  local to = name ~= "" and "(" .. name .. "!" or "+"
  local found = {}
  for index, mailbox in ipairs(redis.call("ZRANGEBYLEX", keys.BUSY, from, to, "LIMIT", 0, most)) do
    found[index] = looks.line(keys.parted(mailbox))
  end
  return found
end

return looks
