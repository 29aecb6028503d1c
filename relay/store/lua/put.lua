-- Takes in messages of clients whose accounts have a mailbox: each with all its deliveries and its body, or not at all.
-- needs: deliveries feeds full intake several told rowkeys types schedule
-- several: 3
-- ARGV: what TIME says in a test, the node, relay time by its clock, and of each message: msgpack {version,
-- provider, username, sender, lifetime, wants_express, message row, hash of the Message-ID's first octets,
-- {{domain, hash, envelope}, ...}, revision}, the sealed body, the event as Python writes it before its time and number
-- are in it.
-- Answers msgpack {"DONE", now, seq, lane, changes}, {"SAME"} where its id is there already, {"STALE"} where another
-- routing is in force, or where mail goes or which key seals it was changed after `revision`, or nothing has said yet
-- what binds its mailbox.
local function fault_of_all()
  return deliveries.fault() or deliveries.fault_of_new()
end

local function add(new, recent, body, event)
  local now, row, arriving = several.now(), new[7], new[9]
  local lane = intake.lane(recent, now, intake.remember(recent, now), new[6])
  local seq = deliveries.numbers(#arriving)
  deliveries.add_message(seq, now, row, new[8])
  local ids = {}
  for ordinal, each in ipairs(arriving) do
    ids[ordinal] = seq + ordinal - 1
    deliveries.add(ids[ordinal], seq, row[4], lane, now + new[5], now, each[1], each[2], each[3])
  end
  redis.call("SET", rowkeys.body(seq), body)
  schedule.add_ready(new[2], new[3], new[4], lane == 0 and "express" or "bulk", ids, now)
  event[1], event[3] = now, seq
  told.record({ cmsgpack.pack(event) })
  return cmsgpack.pack({ "DONE", now, seq, lane, told.changed() })
end

return several.run(3, function(packed, body, event)
  local new = cmsgpack.unpack(packed)
  local version, name, username, sender, row = new[1], new[2], new[3], new[4], new[7]
  local recent = rowkeys.recent(row[3], sender)
  local fault = several.fault(fault_of_all) or deliveries.account_fault(row[4], new[8])
    or types.fault({ [recent] = "list" })
  if fault then return redis.error_reply(fault) end
  if not feeds.is_ready_for_mail(version, new[10]) then return cmsgpack.pack({ "STALE" }) end
  fault = several.fault(schedule.check_round) or schedule.check_known(name, username)
    or schedule.check_ready(name, username, sender)
  if fault then return redis.error_reply(fault) end
  if schedule.check_line(name, username) then return cmsgpack.pack({ "STALE" }) end
  if deliveries.has_message(row[2]) then
    several.now(full.go_on)  -- a write: replicas confirm what this connection wrote, and with it all that was before
    return cmsgpack.pack({ "SAME" })
  end
  return add(new, recent, body, cmsgpack.unpack(event))
end)
