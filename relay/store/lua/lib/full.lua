-- What goes on while Redis is full: it refuses what needs memory only as long as the script has written nothing.
-- needs: rowkeys
local full = {}

-- From here on nothing that this script writes is refused. What makes more of what there is does not ask for it.
function full.go_on()
  redis.call("DEL", rowkeys.NOTHING)
end

return full
