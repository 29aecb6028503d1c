-- Commits an operation that decided: finds every row as it was read and every key of its type, and only then writes.
-- needs: feeds full pen told rowkeys rows types verbs
-- ARGV: the token, msgpack {now, reads, commands, verbs, events, is_change, is_last, node, number}: `number` tells the
-- operation from all others of this life of the node, which asks for it when it did not hear the answer.
-- Answers msgpack {"DONE", revision, changes}, {"STALE"} where a row was changed, or {"LOST"} where the pen is.
local work = cmsgpack.unpack(ARGV[2])
local now, reads, commands, deeds, events = work[1], work[2], work[3], work[4], work[5]
local fault = types.fault({ [rowkeys.DONE] = "hash" }) or pen.fault() or feeds.fault() or rows.fault(commands, reads)
if fault then return redis.error_reply(fault) end
if not pen.is_held(ARGV[1]) then return cmsgpack.pack({ "LOST" }) end
if not rows.are_as_read(reads) then return cmsgpack.pack({ "STALE" }) end
fault = verbs.fault(deeds)
if fault then return redis.error_reply(fault) end

if not verbs.bring_mail(deeds) then full.go_on() end
if work[9] then redis.call("HSET", rowkeys.DONE, work[8], ARGV[1] .. ":" .. string.format("%.0f", work[9])) end
rows.write(commands)
verbs.run(deeds, now)
told.record(events)
local revision = feeds.note(commands)
local changes = work[6] and told.changed() or told.changes()
if work[7] then pen.release() end
return cmsgpack.pack({ "DONE", revision, changes })
