-- A standing as core/terms.py has it: whether a mailbox or provider may be used, and from when on.
local standing = {}

function standing.read(packed)
  local is = packed and cmsgpack.unpack(packed) or { false, false, true, 1, 0, false, false, false, false }
  -- in this order: stopped, probe_at, proven, slow, logs_in_at, fresh, barred, for_proven, one_by_one
  return {
    is_stopped = is[1], probe_at = is[2] or nil, is_proven = is[3], slow = is[4], logs_in_at = is[5], is_fresh = is[6],
    is_barred = is[7], is_for_proven = is[8], is_one_by_one = is[9],
  }
end

-- From the list that Python hands in, in the same order.
function standing.packed(list)
  local made = {}
  for index = 1, 9 do
    local value = list[index]
    if value == nil or value == cjson.null then value = false end
    made[index] = value
  end
  return cmsgpack.pack(made)
end

-- Whether one session at a time is enough to find out how it is.
function standing.is_careful(is)
  return is.is_stopped or not is.is_proven or is.logs_in_at > 0
end

-- The earliest instant of use; nil: not before something changes.
function standing.opens_at(is, now)
  if not is.is_stopped then return now end
  return is.probe_at
end

return standing
