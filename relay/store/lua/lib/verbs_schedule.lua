-- What a judged operation may do to the schedule, by name: each verb takes a list of arguments and the instant.
-- needs: keys owners schedule types
local verbs_schedule = { checks = {} }

-- What was left out: nil of MessagePack, null of JSON.
local function given(value)
  if value == cjson.null then return nil end
  return value
end

local function pair(value)
  value = given(value)
  return value and value[1] and value or nil
end

-- That terms are missing bars no verb: nothing is granted there until they come.
local function but_for_terms(fault)
  return fault and string.sub(fault, 1, 8) ~= "NO TERMS" and fault or nil
end

-- Also that the node that has its sessions is found.
local function check_mailbox(args)
  return but_for_terms(schedule.check_line(args[1], args[2])) or owners.fault_of(keys.mailbox(args[1], args[2]))
end

-- Verbs about one mailbox, whose first two arguments it is.
local function of_mailbox(name, run)
  verbs_schedule["schedule." .. name] = run
  verbs_schedule.checks["schedule." .. name] = check_mailbox
end

local function of_provider(name, run)
  verbs_schedule["schedule." .. name] = run
  verbs_schedule.checks["schedule." .. name] = function(args) return but_for_terms(schedule.check(args[1])) end
end

-- What bars a verb from being run, as a text; nil: nothing does. It is asked of all before the first is run.
function verbs_schedule.check(name, args)
  local check = verbs_schedule.checks[name]
  return schedule.check_round() or (check and check(args)) or nil
end

-- what waits: (provider, username, account, lane, ids); without a provider the account's mail goes nowhere

local function check_waiting(args)
  local name, username = given(args[1]), given(args[2])
  local fault = name and but_for_terms(schedule.check_line(name, username))
  return fault or schedule.check_ready(name, username, args[3])
end

verbs_schedule["schedule.add_ready"] = function(args, now)
  schedule.add_ready(given(args[1]), given(args[2]), args[3], args[4], args[5], now)
end
verbs_schedule.checks["schedule.add_ready"] = check_waiting

verbs_schedule["schedule.remove_ready"] = function(args, now)
  schedule.remove_ready(given(args[1]), given(args[2]), args[3], args[4], args[5], now)
end
verbs_schedule.checks["schedule.remove_ready"] = check_waiting

-- (account, [provider, username] or nil, [provider, username] or nil)
verbs_schedule["schedule.move_account"] = function(args, now)
  schedule.move_account(args[1], pair(args[2]), pair(args[3]), now)
end
verbs_schedule.checks["schedule.move_account"] = function(args)
  for index = 2, 3 do
    local mailbox = pair(args[index]) or {}
    local fault = check_waiting({ mailbox[1], mailbox[2], args[1] })
    if fault then return fault end
  end
  return nil
end

-- attempts: (provider, username, attempt ...)

of_mailbox("start", function(args, now) schedule.start(args[1], args[2], args[3], now) end)
of_mailbox("start_trial", function(args, now) schedule.start_trial(args[1], args[2], args[3], now) end)
of_mailbox("end_attempt", function(args, now)
  schedule.end_attempt(args[1], args[2], args[3], given(args[4]), given(args[5]), now)
end)

-- what an edit of many leaves for afterwards, where few have anything ready: ([[provider, username, terms], ...]), and
-- ([[account, [provider, username] or nil, [provider, username] or nil, terms, standing], ...])

verbs_schedule["schedule.lay_terms"] = function(args, now) schedule.lay_terms(args[1], now) end
verbs_schedule.checks["schedule.lay_terms"] = function(args)
  for _, entry in ipairs(args[1]) do
    local fault = types.fault({ [keys.at(entry[1], "line", entry[2])] = "hash" })
    if not fault and schedule.is_busy(entry[1], entry[2]) then
      fault = but_for_terms(schedule.check_line(entry[1], entry[2]))
    end
    if fault then return fault end
  end
  return nil
end

local function has_ready(entry)
  local origin = pair(entry[2])
  return schedule.has_ready(origin and origin[1], origin and origin[2], entry[1])
end

verbs_schedule["schedule.follow"] = function(args, now)
  for _, entry in ipairs(args[1]) do
    if has_ready(entry) then
      local target = pair(entry[3])
      if target then schedule.need_terms(target[1], target[2], entry[4], now, entry[5]) end
      schedule.move_account(entry[1], pair(entry[2]), target, now)
    end
  end
end
verbs_schedule.checks["schedule.follow"] = function(args)
  for _, entry in ipairs(args[1]) do
    local fault = has_ready(entry) and verbs_schedule.checks["schedule.move_account"](entry)
    if fault then return fault end
  end
  return nil
end

-- sessions: (provider, username ...)

of_mailbox("reserve_session", function(args, now) schedule.reserve_session(args[1], args[2], now, given(args[3])) end)
verbs_schedule.checks["schedule.reserve_session"] = function(args)
  return check_mailbox(args) or (given(args[3]) and owners.fault(args[3]))
end
of_mailbox("session_opened", function(args, now) schedule.session_opened(args[1], args[2], now) end)
of_mailbox("session_refused", function(args, now)
  schedule.session_refused(args[1], args[2], now, args[3], given(args[4]), args[5])
end)
of_mailbox("session_closed", function(args, now) schedule.session_closed(args[1], args[2], now) end)
of_mailbox("resume_sessions", function(args, now) schedule.resume_sessions(args[1], args[2], now, args[3], args[4]) end)
of_mailbox("end_logins", function(args, now) schedule.end_logins(args[1], args[2], args[3], args[4], now) end)
of_mailbox("acquit_logins", function(args) schedule.acquit_logins(args[1], args[2], args[3]) end)
of_mailbox("crowded", function(args, now) schedule.crowded(args[1], args[2], args[3], now, args[4]) end)

-- witnesses: (provider, usernames), or (provider, username ...)

of_provider("accuse", function(args) schedule.accuse(args[1], args[2]) end)
of_provider("blame_drops", function(args) schedule.blame_drops(args[1], args[2]) end)
of_mailbox("clear", function(args, now) schedule.clear(args[1], args[2], now) end)
of_mailbox("tell", function(args) schedule.tell(args[1], args[2], args[3], args[4]) end)
of_mailbox("break_line", function(args) schedule.break_line(args[1], args[2], args[3]) end)

-- health and terms

of_mailbox("set_standing", function(args, now) schedule.set_standing(args[1], args[2], args[3], now) end)
of_mailbox("set_terms", function(args, now) schedule.set_terms(args[1], args[2], args[3], now, given(args[4])) end)
of_mailbox("need_terms", function(args, now)
  schedule.need_terms(args[1], args[2], args[3], now, given(args[4]))
end)
of_mailbox("reload", function(args, now) schedule.reload(args[1], args[2], now) end)
of_provider("set_provider_standing", function(args) schedule.set_provider_standing(args[1], args[2]) end)
of_provider("set_provider_terms", function(args, now)
  schedule.set_provider_terms(args[1], args[2], args[3], now)
end)
of_provider("set_midnights", function(args) schedule.set_midnights(args[1], args[2]) end)

-- ([[provider, kin, those of them that are gone], ...])
verbs_schedule["schedule.set_kinship"] = function(args, now) schedule.set_kinship(args[1], now) end
verbs_schedule.checks["schedule.set_kinship"] = function(args)
  for _, entry in ipairs(args[1]) do
    local fault = but_for_terms(schedule.check(entry[1]))
    if fault then return fault end
  end
  return nil
end

verbs_schedule["schedule.set_civil_offset"] = function(args, now) schedule.set_civil_offset(args[1], now) end

return verbs_schedule
