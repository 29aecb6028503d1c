-- Gives an account or a mailbox its number, the one that it has or the next, and writes its row with it.
-- needs: full rowkeys types
-- ARGV: the table, the name as the table's group `names` has it, msgpack of the row without its number.
-- Answers the number.
local name = ARGV[1]
local TABLE, NAMES, NUMBER = rowkeys.table(name), rowkeys.group(name, "names"), rowkeys.number(name)
local fault = types.fault({ [TABLE] = "hash", [NAMES] = "hash", [NUMBER] = "string" })
if fault then return redis.error_reply(fault) end
local known = redis.call("HGET", NAMES, ARGV[2])
if known then return tonumber(known) end

-- Mail of an account without a number is new mail; a mailbox has something to do with what is there.
if name ~= "accounts" then full.go_on() end
local row = cmsgpack.unpack(ARGV[3])
local number = redis.call("INCR", NUMBER)
table.insert(row, 1, number)
redis.call("HSET", TABLE, string.format("%.0f", number), cmsgpack.pack(row))
redis.call("HSET", NAMES, ARGV[2], string.format("%.0f", number))
return number
