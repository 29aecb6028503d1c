-- Which life of each node speaks for it: a data_dir that was copied makes two at once, and the older one is refused.
-- needs: rowkeys
local lives = {}

local function token_of(life)
  return string.match(life, "^(%S+) %d+$")
end

local function since_of(life)
  return tonumber(string.match(life, " (%d+)$") or 0)
end

-- Where the life of a node is written down, beside what nearly every script reads.
function lives.field(node)
  return "life:" .. node
end

-- Since when (relay time) another life speaks for a node than `own`, which did; nil: none does. `known`: what is
-- written down. A life says "TOKEN SINCE", and nothing as long as it has not spoken. One of before is no newer one: a
-- server that took over without the last writes may say so.
function lives.newer(known, own)
  if not known or known == own or (own or "") == "" then return nil end
  local is_other = token_of(known) ~= token_of(own) and since_of(known) >= since_of(own)
  return is_other and since_of(known) or nil
end

-- The same, of what is written down now.
function lives.newer_of(node, own)
  return lives.newer(redis.call("HGET", rowkeys.STATE, lives.field(node)), own)
end

-- From now on this life speaks for its node, and no other.
function lives.begin(node, token, now)
  redis.call("HSET", rowkeys.STATE, lives.field(node), token .. " " .. string.format("%.0f", now))
end

-- The node is not known any more.
function lives.forget(node)
  redis.call("HDEL", rowkeys.STATE, lives.field(node))
end

return lives
