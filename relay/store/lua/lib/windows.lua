-- Rolling windows, counted from exact ends: what core/limits.py keeps in memory is asked of sorted sets here.
-- needs: numbers
-- A past is what a limit looks at: `ends`, the sorted sets with the ends of attempts, and how many are `in_flight`.
local windows = {}

local EXACT_COUNT = 256
local SHORT_WINDOW = numbers.MINUTE
local SLOWED_WINDOW = numbers.HOUR

function windows.count_from(past, bound)
  local many = 0
  for _, key in ipairs(past.ends) do many = many + redis.call("ZCOUNT", key, bound, "+inf") end
  return many
end

local function nth_of_one(key, bound, nth)
  local rank = redis.call("ZCARD", key) - redis.call("ZCOUNT", key, bound, "+inf") + nth - 1
  local found = redis.call("ZRANGE", key, rank, rank, "WITHSCORES")
  return tonumber(found[2])
end

-- The nth end at or after the bound; nil: there are fewer. Several sets are searched by halving the time between.
function windows.nth_from(past, bound, nth)
  if #past.ends == 1 then return nth_of_one(past.ends[1], bound, nth) end
  local total, high = windows.count_from(past, bound), bound
  if total < nth then return nil end
  for _, key in ipairs(past.ends) do
    local last = redis.call("ZREVRANGE", key, 0, 0, "WITHSCORES")
    high = math.max(high, tonumber(last[2] or bound))
  end
  local low = bound
  while low < high do
    local middle = numbers.floor_div(low + high, 2)
    if total - windows.count_from(past, middle + 1) >= nth then high = middle else low = middle + 1 end
  end
  return low
end

-- A limit as it binds now: `slow` divides the count, and what that cannot express stretches the width.
function windows.of(limit, slow)
  local count, width = limit[1], limit[2]
  if width > SLOWED_WINDOW then slow = 1 end
  local stretched = width
  if slow > count then stretched = numbers.ceil_div(width * slow, count) end
  local step = 0
  if count > EXACT_COUNT then step = numbers.floor_div(width, EXACT_COUNT - 1) end
  return { count = count, named = width, width = stretched, slow = slow, step = step }
end

-- The earliest end that still counts; in a bucket of core/limits.py an end counts as the end of its step.
local function bound(window, at)
  if window.step == 0 then return at - window.width end
  return (numbers.ceil_div(at - window.width, window.step) - 1) * window.step + 1
end

local function rounded(window, ended)
  if window.step == 0 then return ended end
  return numbers.ceil_div(ended, window.step) * window.step
end

function windows.ceiling(window, share)
  local count = math.max(1, numbers.floor_div(window.count, window.slow))
  if not share or share[1] == 0 or window.named <= SHORT_WINDOW then return count end
  return math.max(1, numbers.floor_div(count * (share[2] - share[1]), share[2]))
end

function windows.used(window, past, at)
  return past.in_flight + windows.count_from(past, bound(window, at))
end

function windows.has_room(window, past, at, share)
  return windows.used(window, past, at) + 1 <= windows.ceiling(window, share)
end

function windows.room(window, past, at)
  return math.max(0, windows.ceiling(window) - windows.used(window, past, at))
end

-- When the nth of the slots that ends hold at `at` comes back, counted from the first; nil: there are fewer.
function windows.opening(window, past, at, nth)
  local ended = windows.nth_from(past, bound(window, at), nth)
  return ended and rounded(window, ended) + window.width + 1
end

-- The earliest instant with room if nothing else happens; nil: only the end of an attempt can make room.
function windows.opens_at(window, past, at, share)
  local surplus = windows.used(window, past, at) + 1 - windows.ceiling(window, share)
  if surplus <= 0 then return at end
  return windows.opening(window, past, at, surplus)
end

-- How far back a limit looks at most, slowed down as far as may be.
function windows.kept(limit)
  return math.max(limit[2], windows.of(limit, 32).width)
end

return windows
