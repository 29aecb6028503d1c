-- Begins an operation that decides: takes the pen, reads the clock, and says what other nodes wrote meanwhile.
-- needs: clock feeds full pen rowkeys told types
-- ARGV: what TIME says in a test, the node, CLOCK_BOOTTIME gone by there, the token, for how long (empty: only looks),
-- the revision known.
-- Answers msgpack {is_held, now, civil, revision, changes, {{table, {key, ...}}, ...}, is_owed} or {false, until}.
local fault = clock.fault() or pen.fault() or feeds.fault() or types.fault({ [rowkeys.OWED] = "list" })
if fault then return redis.error_reply(fault) end
full.go_on()
local now, civil = clock.now(ARGV[1], ARGV[2], ARGV[3])
if ARGV[5] ~= "" then
  local is_held, ends_at = pen.take(ARGV[4], now, tonumber(ARGV[5]))
  if not is_held then return cmsgpack.pack({ false, ends_at - now }) end
end
local known = tonumber(ARGV[6])
local changed = feeds.revision() == known and {} or feeds.since(known)
local is_owed = redis.call("EXISTS", rowkeys.OWED) == 1
return cmsgpack.pack({ true, now, civil, feeds.revision(), told.changes(), changed, is_owed })
