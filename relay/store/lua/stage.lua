-- Writes a part of what an operation prepares where nobody looks yet, so that its commit is short.
-- needs: pen rows
-- ARGV: the token, msgpack {command, ...}.
-- Answers msgpack {"DONE"}, or {"LOST"} where another one has the pen.
local commands = cmsgpack.unpack(ARGV[2])
local fault = pen.fault() or rows.fault(commands)
if fault then return redis.error_reply(fault) end
if not pen.is_held(ARGV[1]) then return cmsgpack.pack({ "LOST" }) end
rows.write(commands)
return cmsgpack.pack({ "DONE" })
