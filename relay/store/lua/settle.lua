-- Settles deliveries that went through, by mailboxes that are well and known to be: all else is judged.
-- needs: attempts deliveries feeds full line told rowkeys schedule several
-- several: 2
-- ARGV: what TIME says in a test, the node, relay time by its clock, and of each: msgpack {attempt, delivery,
-- revision, provider, username, {stage, class, reply, likeness, said}, is_whole, seq}: `is_whole` where the message has
-- this delivery alone, so that its body goes; the event as Python writes it before its time is in it.
-- Answers msgpack {"DONE", now, changes}, or {"JUDGE"} where somebody decided something since `revision`, the attempt
-- is not what it was, or something is owed for the message.
local function fault_of_all()
  return deliveries.fault() or attempts.gate_fault() or schedule.check_round()
end

-- Whether the mailbox and its provider are well, and known to be: then nothing follows from a mail that went through.
local function is_plain(name, username)
  local self = line.look(name, username)
  local is = self.standing
  return is.is_proven and not is.is_stopped and not is.is_fresh and is.slow == 1 and is.logs_in_at == 0
    and not self.provider.standing.is_stopped
end

local function has_to_be_judged(done, claim, row)
  return feeds.revision() ~= done[3] or not row or not claim or claim[2] ~= done[2] or claim[9] == 1 or claim[8]
    or schedule.check_line(done[4], done[5]) or not is_plain(done[4], done[5])
    or redis.call("EXISTS", rowkeys.index("outbox", "message", done[8])) == 1
end

return several.run(2, function(packed, packed_event)
  local done, event = cmsgpack.unpack(packed), cmsgpack.unpack(packed_event)
  local name, username = done[4], done[5]
  local fault = several.fault(fault_of_all)
  if fault then return redis.error_reply(fault) end
  local claim, row = attempts.row(done[1]), deliveries.row(done[2])
  if has_to_be_judged(done, claim, row) then return cmsgpack.pack({ "JUDGE" }) end
  fault = attempts.end_fault(claim) or deliveries.end_fault(row)
  if fault then return redis.error_reply(fault) end
  local now = several.now(full.go_on)
  if attempts.lease(claim[4]) <= now then return cmsgpack.pack({ "JUDGE" }) end

  schedule.end_attempt(name, username, string.format("%.0f", claim[1]), claim[5], now, now)
  attempts.finish(claim, now, done[6])
  deliveries.deliver(row, done[6][2], done[6][3], now)
  schedule.clear(name, username, now)
  if done[7] then redis.call("UNLINK", rowkeys.body(done[8])) end
  event[1] = now
  told.record({ cmsgpack.pack(event) })
  return cmsgpack.pack({ "DONE", now, told.changed() })
end)
