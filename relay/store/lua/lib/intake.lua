-- Which lane a message waits in: express, while its client handed in few of this account within a minute.
local intake = {}

local FEW, MINUTE, KEPT_SECONDS = 3, 60000000, 120

-- A message came in at `now`; the key says whose. How many are remembered with it, or one more.
function intake.remember(key, now)
  local many = redis.call("LPUSH", key, string.format("%.0f", now))
  if many > FEW + 1 then redis.call("LTRIM", key, 0, FEW) end
  redis.call("EXPIRE", key, KEPT_SECONDS)
  return many
end

-- The lane of the message that was remembered last: 0 express, 1 bulk.
function intake.lane(key, now, many, wants_express)
  if wants_express or many <= FEW then return 0 end
  return tonumber(redis.call("LINDEX", key, -1)) < now - MINUTE and 0 or 1
end

return intake
