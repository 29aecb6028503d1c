-- What a judged operation may do besides writing rows, by name: each verb takes a list of arguments and the instant.
-- needs: attempts intake lives owners rowkeys types verbs_schedule
local verbs = {}

local OWN, CHECKS = {}, {}

-- (attempt, node, when it is in doubt): the lease of its node ended after the gate.
OWN["attempts.lapse"] = function(args) attempts.lapse(args[1], args[2], args[3]) end
CHECKS["attempts.lapse"] = function(args) return attempts.fault(args[2]) end

-- (attempt, node): it is over.
OWN["attempts.gone"] = function(args) attempts.gone(args[1], args[2]) end
CHECKS["attempts.gone"] = function(args) return attempts.fault(args[2]) end

-- (mailbox): it has tried something.
OWN["mailboxes.used"] = function(args) attempts.used(args[1]) end
CHECKS["mailboxes.used"] = function() return attempts.fault("") end

-- (node, until)
OWN["attempts.extend"] = function(args) attempts.extend(args[1], args[2]) end
CHECKS["attempts.extend"] = function(args) return attempts.fault(args[1]) end

-- (hash, attempt, what of its claim no row tells): its node lost it, and does not know; (hash, attempt): it knows;
-- (hash): its old process is dead.
OWN["attempts.lost"] = function(args) redis.call("HSET", args[1], string.format("%.0f", args[2]), args[3]) end
OWN["attempts.known"] = function(args) redis.call("HDEL", args[1], string.format("%.0f", args[2])) end
OWN["attempts.forget_lost"] = function(args) redis.call("DEL", args[1]) end
for _, name in ipairs({ "attempts.lost", "attempts.known" }) do
  CHECKS[name] = function(args) return types.fault({ [args[1]] = "hash" }) end
end

-- (mailbox): no node has sessions of it.
OWN["owners.leave"] = function(args) owners.leave(args[1]) end
CHECKS["owners.leave"] = function() return owners.fault("") end

-- (node, token): from now on this life speaks for its node.
OWN["lives.begin"] = function(args, now) lives.begin(args[1], args[2], now) end
CHECKS["lives.begin"] = function() return types.fault({ [rowkeys.STATE] = "hash" }) end

-- (key): nothing needs this body any more.
OWN["bodies.drop"] = function(args) redis.call("UNLINK", args[1]) end

-- (key, body): a body came in.
OWN["bodies.keep"] = function(args) redis.call("SET", args[1], args[2]) end
CHECKS["bodies.keep"] = function(args) return types.fault({ [args[1]] = "string" }) end

-- (version, node): another routing is in force, and who put it there.
OWN["routing.version"] = function(args)
  redis.call("HSET", rowkeys.STATE, "routing", string.format("%.0f", args[1]), "routing_by", args[2])
end

-- (key, instant): a message of a client came in.
OWN["lanes.remember"] = function(args) intake.remember(args[1], args[2]) end
CHECKS["lanes.remember"] = function(args) return types.fault({ [args[1]] = "list" }) end

-- (id): events that lie before it in the stream are forgotten.
OWN["events.trim"] = function(args) redis.call("XTRIM", rowkeys.EVENTS, "MINID", args[1]) end

-- (account): it has mail that is not final.
OWN["pending.add"] = function(args) redis.call("SADD", rowkeys.PENDING, string.format("%.0f", args[1])) end

-- What bars any of these from being done; nil: nothing does.
function verbs.fault(deeds)
  for _, deed in ipairs(deeds) do
    local name, args = deed[1], deed[2]
    local fault
    if OWN[name] then
      fault = CHECKS[name] and CHECKS[name](args)
    elseif verbs_schedule[name] then
      fault = verbs_schedule.check(name, args)
    else
      fault = "UNKNOWN VERB " .. tostring(name)
    end
    if fault and not verbs.is_made_good(deeds, fault) then return fault end
  end
  return types.fault({ [rowkeys.PENDING] = "set" })
end

-- Whether one of these brings in mail: a full Redis has no place for more.
function verbs.bring_mail(deeds)
  for _, deed in ipairs(deeds) do
    if deed[1] == "bodies.keep" then return true end
  end
  return false
end

-- Terms that are not there yet and that one of these verbs brings are no fault.
function verbs.is_made_good(deeds, fault)
  if string.sub(fault, 1, 8) ~= "NO TERMS" then return false end
  for _, deed in ipairs(deeds) do
    if deed[1] == "schedule.set_terms" and fault == "NO TERMS " .. deed[2][1] .. " " .. deed[2][2] then return true end
    if deed[1] == "schedule.set_provider_terms" and fault == "NO TERMS " .. deed[2][1] then return true end
  end
  return false
end

function verbs.run(deeds, now)
  for _, deed in ipairs(deeds) do
    local own = OWN[deed[1]]
    if own then own(deed[2], now) else verbs_schedule[deed[1]](deed[2], now) end
  end
end

return verbs
