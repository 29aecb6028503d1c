-- Says which layout of keys the store has, after marking a new store with its own; changes nothing where it may not.
-- KEYS: the hash of what the store is. ARGV: the layout that the node knows, the version of its scripts, the id for a
-- new store, or nothing where none may be made, the id of the store that the node has mail of, or nothing, and 1 where
-- a store that is barred may be opened.
-- needs: full
-- Answers {layout, id, version of the scripts that wrote before, why it may not be used or nothing}; {} where there is
-- no store and none may be made.

local meta = KEYS[1]
local layout, scripts, id, own, is_mover = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5] == '1'

local kind = redis.call('TYPE', meta).ok
if kind ~= 'none' and kind ~= 'hash' then
  return redis.error_reply('WRONGTYPE ' .. meta .. ' is no hash')
end

local known = redis.call('HMGET', meta, 'layout', 'store_id', 'scripts', 'barred')
if not known[1] then
  if id == '' then
    return {}
  end
  redis.call('HSET', meta, 'layout', layout, 'store_id', id, 'scripts', scripts)
  return {layout, id, scripts, ''}
end

-- What this node will refuse is not touched; the version is written only where it changes, so that a reconnect writes
-- nothing.
local is_ours = (known[2] or '') ~= '' and (own == '' or own == known[2]) and (is_mover or not known[4])
if known[1] == layout and is_ours and known[3] ~= scripts then
  full.go_on()
  redis.call('HSET', meta, 'scripts', scripts)
end
return {known[1], known[2] or '', known[3] or '', known[4] or ''}
