-- Writes down what a node says of itself, and when.
-- needs: clock full lives numbers rowkeys types
-- ARGV: what TIME says in a test, the node, relay time by its clock, the node's identity, what it says,
-- this life of it, once it speaks for it. Answers since when a newer one does (0: none does); then it writes nothing.
local SAID, SEEN = rowkeys.NODES, rowkeys.NODES_SEEN
local fault = clock.fault() or types.fault({ [SAID] = "hash", [SEEN] = "zset", [rowkeys.STATE] = "hash" })
if fault then return redis.error_reply(fault) end
local newer = lives.newer_of(ARGV[4], ARGV[6])
if newer then return newer end
full.go_on()
local _, civil = clock.now(ARGV[1], ARGV[2], ARGV[3])
redis.call("HSET", SAID, ARGV[4], ARGV[5])
redis.call("ZADD", SEEN, numbers.text(civil), ARGV[4])
return 0
