-- Hands out what may be sent now, names who should log in, and says when to ask again; the attempts are recorded.
-- needs: clock attempts deliveries full lives numbering owners provider told rowkeys schedule types
-- ARGV: what TIME says in a test, the node, relay time by its clock, msgpack {version, who takes, {{provider,
-- username, many}, ...}, most, lease, next_at, number, {number, ...}, {{provider, username}, ...}, is_tended, life}:
-- `next_at` is when something has to be decided first (0: at once); what this take gives is kept under its number
-- until the node says that it has heard it; the mailboxes after it are left to other nodes; `is_tended`: what has run
-- out was judged just now, as much as in one go; `life`: this one of the node, once it speaks for it.
-- Answers msgpack {"DONE", now, {{attempt, delivery row, message row, provider, username, is_probe, mailbox}, ...},
-- opened, closed, wake_at or false, changes}, {"STALE"} where another routing is in force, {"JUDGE"} where something
-- has run out, {"OUTLIVED", since} where a newer life speaks for the node.
local ask = cmsgpack.unpack(ARGV[4])
local version, node, idle, most, lease = ask[1], ask[2], ask[3], ask[4], ask[5]
local fault = deliveries.fault() or deliveries.due_fault() or attempts.begin_fault(node) or attempts.fault_of_nodes()
  or owners.fault(ARGV[2]) or numbering.fault("mailboxes") or schedule.check_round()
for _, each in ipairs(idle) do
  local at_line = schedule.check_line(each[1], each[2])
  if at_line and string.sub(at_line, 1, 8) ~= "NO TERMS" then fault = fault or at_line end
end
fault = fault or types.fault({ [rowkeys.taken(ARGV[2])] = "hash" })
if fault then return redis.error_reply(fault) end
local known = redis.call("HMGET", rowkeys.STATE, "routing", lives.field(ARGV[2]))
local newer = lives.newer(known[2], ask[11])
if newer then return cmsgpack.pack({ "OUTLIVED", newer }) end
if tonumber(known[1] or 0) ~= version then return cmsgpack.pack({ "STALE" }) end
full.go_on()
local now = clock.now(ARGV[1], ARGV[2], ARGV[3])
local due = redis.call("ZRANGE", rowkeys.index("deliveries", "due"), 0, 0, "WITHSCORES")
local next_due = due[2] and tonumber(due[2]) or nil
local is_tended = ask[10]
if not is_tended and (attempts.has_run_out(now, ARGV[2]) or (next_due and next_due <= now)
  or deliveries.has_expired(now)
  or (ask[6] and ask[6] <= now)) then
  return cmsgpack.pack({ "JUDGE" })
end

attempts.extend(node, now + lease)
local kept = rowkeys.taken(ARGV[2])
for _, number in ipairs(ask[8]) do redis.call("HDEL", kept, string.format("%.0f", number)) end
local claimed = {}
local function begin(name, username, _, _, delivery, is_probe)
  local attempt, mailbox = attempts.next_number(), numbering.mailbox(name, username)
  attempts.begin(attempt, delivery, mailbox, node, now, is_probe)
  local row, packed = deliveries.row(delivery)
  claimed[#claimed + 1] = { attempt, packed, deliveries.packed_message(row[2]), name, username, is_probe, mailbox }
  return string.format("%.0f", attempt)
end
local grants = schedule.grant(now, idle, most, begin)
local left, given_to = {}, {}
for _, grant in ipairs(grants) do
  local mailbox = grant[1] .. " " .. grant[2]
  given_to[mailbox] = (given_to[mailbox] or 0) + 1
end
for index, each in ipairs(idle) do
  left[index] = { each[1], each[2], each[3] - (given_to[each[1] .. " " .. each[2]] or 0) }
end
local opened = schedule.open_sessions(now, most - #grants, ARGV[2], ask[9])
for _, each in ipairs(opened) do each[4] = provider.look(each[1]).standing.is_barred end
local closed = schedule.close_sessions(now, left)
if #grants > 0 or #opened > 0 then
  local numbers_of = {}
  for index, each in ipairs(claimed) do numbers_of[index] = each[1] end
  redis.call("HSET", kept, string.format("%.0f", ask[7]), cmsgpack.pack({ numbers_of, opened }))
end
local given = #grants
for _, each in ipairs(opened) do given = given + each[3] end
local wake_at = now
if not (most > 0 and given == most) then
  wake_at = schedule.wake_at(now, left) or false
  for _, at in ipairs({ next_due or false, attempts.wakes_at(node, ARGV[2]) or false, ask[6] or false }) do
    if at and (not wake_at or at < wake_at) then wake_at = at end
  end
end
return cmsgpack.pack({ "DONE", now, claimed, opened, closed, wake_at, told.changes() })
