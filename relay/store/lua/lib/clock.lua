-- Relay time: what TIME says plus an offset that absorbs its steps, so that it never goes back and never leaps.
-- needs: keys numbers types
local clock = {}

-- A node's request may lie this long in a socket; what TIME gained more than the node's own clock is a leap.
local LATE = numbers.SECOND

local function time()
  local said = redis.call("TIME")
  return said[1] * numbers.SECOND + said[2]
end

-- What is wrong with its key; nil: nothing.
function clock.fault()
  return types.fault({ [keys.CLOCK] = "hash" })
end

-- Relay time and civil time, in microseconds. `said`: what TIME says, where a test says it (else empty); `node` and
-- `gone`: who asks, and how many microseconds of CLOCK_BOOTTIME went by there since it asked last (empty: it has not).
function clock.now(said, node, gone)
  local civil = (said and said ~= "") and tonumber(said) or time()
  local heard = "heard:" .. (node or "")
  local known = redis.call("HMGET", keys.CLOCK, "last", "offset", heard)
  local last, offset = tonumber(known[1] or civil), tonumber(known[2] or 0)
  local now = math.max(civil + offset, last)
  gone = tonumber(gone)
  if gone and known[3] then
    local expected = math.max(tonumber(known[3]) + gone, last)
    if now > expected + LATE then now = expected end
  end
  redis.call("HSET", keys.CLOCK, "last", now, "offset", now - civil, heard, now)
  return now, civil
end

return clock
