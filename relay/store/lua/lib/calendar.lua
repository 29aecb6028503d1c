-- Limits that count the days of a provider's calendar: core/calendar.py over the midnights that Python hands in.
-- needs: keys numbers windows
-- A day is named by its midnight, in civil microseconds. Nobody has started in the future, so that an attempt counts
-- on a day that is not over exactly if it ended later than five minutes before it began.
local calendar = {}

local DOUBT = 5 * numbers.MINUTE

-- A limit of a provider's days; `offset` is civil minus relay time.
function calendar.of(limit, provider, offset)
  return { count = limit[1], is_day = true, midnights = keys.of(provider, "midnights"), offset = offset }
end

local function day(window, at)
  local found = redis.call("ZREVRANGEBYSCORE", window.midnights, at + window.offset, "-inf", "LIMIT", 0, 1)
  return tonumber(found[1] or 0)
end

local function next_day(window, midnight)
  local found = redis.call("ZRANGEBYSCORE", window.midnights, midnight + 1, "+inf", "LIMIT", 0, 1)
  return tonumber(found[1])
end

local function opening(window, midnight)
  return midnight + DOUBT - window.offset
end

local function counted(window, past, midnight)
  return windows.count_from(past, midnight - window.offset - DOUBT)
end

function calendar.ceiling(window, share)
  if not share or share[1] == 0 then return math.max(1, window.count) end
  return math.max(1, numbers.floor_div(window.count * (share[2] - share[1]), share[2]))
end

function calendar.used(window, past, at)
  return past.in_flight + counted(window, past, day(window, at - DOUBT))
end

-- Whether midnight is past for certain.
local function is_open(window, at)
  return day(window, at - DOUBT) == day(window, at)
end

function calendar.has_room(window, past, at, share)
  return is_open(window, at) and calendar.used(window, past, at) + 1 <= calendar.ceiling(window, share)
end

function calendar.room(window, past, at)
  if not is_open(window, at) then return 0 end
  return math.max(0, calendar.ceiling(window) - calendar.used(window, past, at))
end

function calendar.opens_at(window, past, at, share)
  if calendar.has_room(window, past, at, share) then return at end
  local midnight, ceiling = day(window, at - DOUBT), calendar.ceiling(window, share)
  if past.in_flight + 1 > ceiling then return nil end
  while true do
    midnight = next_day(window, midnight)
    if not midnight then return nil end
    local opens = opening(window, midnight)
    if opens >= at and past.in_flight + counted(window, past, midnight) + 1 <= ceiling then return opens end
  end
end

-- The days on which slots of a past come back, as pairs of an opening and how many are still counted then.
function calendar.openings(window, past, at)
  local midnight, left, found = day(window, at - DOUBT), 1, {}
  while left > 0 do
    midnight = next_day(window, midnight)
    if not midnight then break end
    left = counted(window, past, midnight)
    found[#found + 1] = { math.max(at, opening(window, midnight)), midnight }
  end
  return found
end

-- Slots held when a later day has opened.
function calendar.used_on(window, past, midnight)
  return past.in_flight + counted(window, past, midnight)
end

return calendar
