-- Lists the nodes and when each was heard of last; those that were silent for long are forgotten.
-- needs: clock full lives numbers rowkeys types
-- ARGV: what TIME says in a test, the node, relay time by its clock, after how long a silence a node is forgotten.
-- Answers {civil time, {what it says, when}, ...}.
local SAID, SEEN = rowkeys.NODES, rowkeys.NODES_SEEN
local fault = clock.fault() or types.fault({ [SAID] = "hash", [SEEN] = "zset", [rowkeys.STATE] = "hash" })
if fault then return redis.error_reply(fault) end
full.go_on()
local _, civil = clock.now(ARGV[1], ARGV[2], ARGV[3])
for _, node in ipairs(redis.call("ZRANGEBYSCORE", SEEN, "-inf", numbers.text(civil - tonumber(ARGV[4])))) do
  redis.call("HDEL", SAID, node)
  redis.call("ZREM", SEEN, node)
  lives.forget(node)
end
local answer = { numbers.text(civil) }
for _, node in ipairs(redis.call("ZRANGE", SEEN, 0, -1)) do
  answer[#answer + 1] = { redis.call("HGET", SAID, node), redis.call("ZSCORE", SEEN, node) }
end
return answer
