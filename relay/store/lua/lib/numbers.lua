-- Whole numbers: Lua has doubles alone, and these keep what is decided with them exact below 2^52.
local numbers = {}

numbers.SECOND = 1000000
numbers.MINUTE = 60 * numbers.SECOND
numbers.HOUR = 60 * numbers.MINUTE

function numbers.floor_div(a, b)
  return (a - a % b) / b
end

function numbers.ceil_div(a, b)
  return -numbers.floor_div(-a, b)
end

-- A number as text: Lua's own way would round an instant to fourteen digits.
function numbers.text(n)
  return string.format("%.0f", n)
end

-- The earlier of two instants, of which nil is never.
function numbers.earlier(a, b)
  if a == nil then return b end
  if b == nil then return a end
  return math.min(a, b)
end

return numbers
