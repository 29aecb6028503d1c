-- Several operations of one kind in one run: the functions of a script are made once for all, and much is asked once.
-- needs: clock
local several = {}

-- What is wrong with the keys that each of them needs, by this function; nil: nothing, and then it is not asked again.
local are_sound = {}
function several.fault(check)
  if are_sound[check] then return nil end
  local fault = check()
  are_sound[check] = fault == nil
  return fault
end

-- Relay time, one instant for all; `before` is called before it is written down.
local now
function several.now(before)
  if now then return now end
  if before then before() end
  now = clock.now(ARGV[1], ARGV[2], ARGV[3])
  return now
end

-- Does `one` with each `width` of the arguments after the first three. Of several each is answered by itself, and with
-- an empty text if it is refused before it has written anything: alone, it will be told why.
function several.run(width, one)
  if #ARGV == 3 + width then return one(unpack(ARGV, 4)) end
  local answers = {}
  for first = 4, #ARGV, width do
    local is_done, answer = pcall(one, unpack(ARGV, first, first + width - 1))
    answers[#answers + 1] = is_done and type(answer) == "string" and answer or ""
  end
  return answers
end

return several
