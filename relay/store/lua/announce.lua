-- Writes down what a node says of itself, and when.
-- needs: clock full numbers rowkeys types
-- ARGV: what TIME says in a test, the node, CLOCK_BOOTTIME gone by there, the node's identity, what it says.
local SAID, SEEN = rowkeys.NODES, rowkeys.NODES_SEEN
local fault = clock.fault() or types.fault({ [SAID] = "hash", [SEEN] = "zset" })
if fault then return redis.error_reply(fault) end
full.go_on()
local _, civil = clock.now(ARGV[1], ARGV[2], ARGV[3])
redis.call("HSET", SAID, ARGV[4], ARGV[5])
redis.call("ZADD", SEEN, numbers.text(civil), ARGV[4])
return redis.status_reply("OK")
