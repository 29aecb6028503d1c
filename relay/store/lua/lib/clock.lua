-- Relay time: what nodes have witnessed of it by their own clocks, whatever steps TIME makes.
-- Of TIME only the clock on the wall is believed, and, where nobody knows better, for how long nobody looked.
-- needs: keys numbers types
local clock = {}

-- A node that lives is heard three times in this while.
local WITNESSED = numbers.MINUTE

local function time()
  local said = redis.call("TIME")
  return said[1] * numbers.SECOND + said[2]
end

-- What is wrong with its key; nil: nothing.
function clock.fault()
  return types.fault({ [keys.CLOCK] = "hash" })
end

-- Whether another node was heard so lately that it may live, and knows how much time went by.
local function has_others(node, last)
  local known = redis.call("HGETALL", keys.CLOCK)
  for index = 1, #known, 2 do
    local name = string.match(known[index], "^heard:(.*)$")
    if name and name ~= node and tonumber(known[index + 1]) > last - WITNESSED then return true end
  end
  return false
end

-- Relay time and civil time, in microseconds. `said`: what TIME says, where a test says it (else empty); `node` and
-- `read`: who asks, and what relay time is there by its CLOCK_BOOTTIME (empty: it has not heard of any in this life).
--
-- Of how long nobody looked TIME alone tells, and it may have been stepped. So the first word of a life is believed
-- only where no other node may live; else that gap is in doubt until one speaks that was there before (it is
-- none: that node knows better), or nobody did for long enough (it is one). A node that is past the end of the gap has
-- heard the truth already, from a server that is no more.
function clock.now(said, node, read)
  node = node or ""
  local civil = (said and said ~= "") and tonumber(said) or time()
  local known = redis.call("HMGET", keys.CLOCK, "last", "offset", "doubt:at", "doubt:gap", "unsure:" .. node)
  local last, offset = tonumber(known[1] or civil), tonumber(known[2] or 0)
  local doubt, gap, is_over = known[3], tonumber(known[4]), false
  local now, more = math.max(tonumber(read) or last, last), {}
  if not tonumber(read) then
    local claimed = civil + offset
    if doubt or (claimed > last and has_others(node, last)) then
      if not doubt then more = { "doubt:gap", claimed - last, "doubt:at", last } end
      more[#more + 1], more[#more + 2] = "unsure:" .. node, doubt or last
    else
      now = math.max(claimed, last)
    end
  elseif doubt then
    is_over = known[5] ~= doubt or now >= tonumber(doubt) + WITNESSED
    if known[5] == doubt and is_over and now < tonumber(doubt) + gap then now = now + gap end
  end
  redis.call("HSET", keys.CLOCK, "last", now, "offset", now - civil, "heard:" .. node, now, unpack(more))
  if is_over then redis.call("HDEL", keys.CLOCK, "doubt:at", "doubt:gap", "unsure:" .. node) end
  return now, civil
end

return clock
