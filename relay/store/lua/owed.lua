-- Does the next part of what an edit of many left to be done, so that nobody waits for all of it.
-- needs: full pen rowkeys told types verbs
-- ARGV: the token, the instant.
-- Answers msgpack {"DONE", how many parts are left}, or {"LOST"} where another one has the pen.
local fault = types.fault({ [rowkeys.OWED] = "list" }) or pen.fault()
if fault then return redis.error_reply(fault) end
if not pen.is_held(ARGV[1]) then return cmsgpack.pack({ "LOST" }) end
local packed = redis.call("LINDEX", rowkeys.OWED, 0)
if not packed then return cmsgpack.pack({ "DONE", 0 }) end
local deeds = cmsgpack.unpack(packed)
fault = verbs.fault(deeds)
if fault then return redis.error_reply(fault) end

full.go_on()
verbs.run(deeds, tonumber(ARGV[2]))
redis.call("LPOP", rowkeys.OWED)
local left = redis.call("LLEN", rowkeys.OWED)
if left == 0 then told.changed() end
return cmsgpack.pack({ "DONE", left })
