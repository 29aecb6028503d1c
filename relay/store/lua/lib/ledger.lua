-- All limits that bind a mailbox or a provider, held together: core/ledger.py over sorted sets.
-- needs: calendar windows numbers
local ledger = {}

-- The room of a mailbox without limits: more than a queue can hold.
ledger.UNLIMITED = 2 ^ 30

-- A mailbox takes a slot of a total only while held + 1 <= this x free, so that a newcomer finds room at once.
local NEWCOMER_SHARE = 32

local function kind(window)
  return window.is_day and calendar or windows
end

-- Limits as they bind now, each a pair of count and width (0: a calendar day); `offset` tells civil minus relay time.
function ledger.windows(limits, slow, provider, offset)
  local made = {}
  for index, limit in ipairs(limits) do
    if limit[2] == 0 then
      made[index] = calendar.of(limit, provider, offset())
    else
      made[index] = windows.of(limit, slow)
    end
  end
  return made
end

function ledger.has_room(held, past, at, share)
  for _, window in ipairs(held) do
    if not kind(window).has_room(window, past, at, share) then return false end
  end
  return true
end

function ledger.room(held, past, at)
  local room = ledger.UNLIMITED
  for _, window in ipairs(held) do
    room = math.min(room, kind(window).room(window, past, at))
    if room == 0 then break end
  end
  return room
end

-- The earliest instant at which all limits have room if nothing else happens; nil: only an end makes room.
function ledger.opens_at(held, past, at, share)
  while true do
    local latest = at
    for _, window in ipairs(held) do
      local opens = kind(window).opens_at(window, past, at, share)
      if not opens then return nil end
      latest = math.max(latest, opens)
    end
    if latest == at then return at end
    at = latest
  end
end

-- totals: `whole` is the past of all of a provider's mailboxes, `own` that of the one that asks

local function leaves_room(window, whole_used, own_used)
  return own_used + 1 <= NEWCOMER_SHARE * (window.count - whole_used)
end

function ledger.total_has_room(held, whole, own, at)
  if not ledger.has_room(held, whole, at) then return false end
  for _, window in ipairs(held) do
    local used, mine = kind(window).used(window, whole, at), kind(window).used(window, own, at)
    if not leaves_room(window, used, mine) then return false end
  end
  return true
end

local function day_opens_beside(window, whole, own, at)
  for _, each in ipairs(calendar.openings(window, whole, at)) do
    local used, mine = calendar.used_on(window, whole, each[2]), calendar.used_on(window, own, each[2])
    if leaves_room(window, used, mine) then return each[1] end
  end
  return nil
end

-- Both shrink as slots come back, so the first opening with room is found by halving.
local function rolling_opens_beside(window, whole, own, at)
  local low, high, found = 1, windows.used(window, whole, at) - whole.in_flight, nil
  while low <= high do
    local middle = numbers.floor_div(low + high, 2)
    local opens = windows.opening(window, whole, at, middle)
    if leaves_room(window, windows.used(window, whole, opens), windows.used(window, own, opens)) then
      found, high = opens, middle - 1
    else
      low = middle + 1
    end
  end
  return found
end

-- When held + 1 <= 32 x free first holds, as slots come back; nil: only an end makes it so.
local function opens_beside(window, whole, own, at)
  if leaves_room(window, kind(window).used(window, whole, at), kind(window).used(window, own, at)) then return at end
  if window.is_day then return day_opens_beside(window, whole, own, at) end
  return rolling_opens_beside(window, whole, own, at)
end

local function opens_after(held, whole, own, at)
  local latest = ledger.opens_at(held, whole, at)
  for _, window in ipairs(held) do
    local opens = latest and opens_beside(window, whole, own, at)
    latest = opens and math.max(latest, opens)
  end
  return latest or nil
end

-- The earliest instant with room for the one that asks; each total alone may be closed again when the last opens.
function ledger.total_opens_at(held, whole, own, at)
  while at do
    local opens = opens_after(held, whole, own, at)
    if opens == at then break end
    at = opens
  end
  return at
end

-- How far back the limits look at most.
function ledger.kept(limits)
  local kept = 0
  for _, limit in ipairs(limits) do
    if limit[2] > 0 then kept = math.max(kept, windows.kept(limit)) end
  end
  return kept
end

return ledger
