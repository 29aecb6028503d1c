-- Gives the next numbers of a table's rows: while Redis is full to what ends a delivery, and not to new mail.
-- needs: full rowkeys types
-- ARGV: the key of the number given last, how many.
-- Answers the last of them.
local fault = types.fault({ [ARGV[1]] = "string" })
if fault then return redis.error_reply(fault) end
if ARGV[1] ~= rowkeys.number("deliveries") then full.go_on() end
return redis.call("INCRBY", ARGV[1], ARGV[2])
