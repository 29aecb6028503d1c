-- How many deliveries of an account are ready: ARGV provider, username (both empty: it goes nowhere), account.
-- needs: schedule
local name = ARGV[1] ~= "" and ARGV[1] or nil
return { schedule.ready_of(name, ARGV[2], ARGV[3]) }
