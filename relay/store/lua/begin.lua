-- Begins an operation that decides: takes the pen, reads the clock, and says what other nodes wrote meanwhile.
-- needs: clock feeds full lives pen rowkeys told types
-- ARGV: what TIME says in a test, the node, relay time by its clock, the token, for how long (empty: only looks),
-- the revision known, this life of the node once it speaks for it, and 1 where no node is needed for what it decides.
-- Answers msgpack {is_held, now, civil, revision, changes, {{table, {key, ...}}, ...}, is_owed,
-- newer}, {false, until}, or {false, 0, newer} where a newer life speaks for the node, since then.
local fault = clock.fault() or pen.fault() or feeds.fault() or types.fault({ [rowkeys.OWED] = "list" })
if fault then return redis.error_reply(fault) end
local newer = lives.newer_of(ARGV[2], ARGV[7])
if newer and ARGV[5] ~= "" and ARGV[8] ~= "1" then return cmsgpack.pack({ false, 0, newer }) end
full.go_on()
local now, civil = clock.now(ARGV[1], ARGV[2], ARGV[3])
if ARGV[5] ~= "" then
  local is_held, ends_at = pen.take(ARGV[4], now, tonumber(ARGV[5]))
  if not is_held then return cmsgpack.pack({ false, ends_at - now }) end
end
local known = tonumber(ARGV[6])
local changed = feeds.revision() == known and {} or feeds.since(known)
local is_owed = redis.call("EXISTS", rowkeys.OWED) == 1
return cmsgpack.pack({ true, now, civil, feeds.revision(), told.changes(), changed, is_owed, newer or 0 })
