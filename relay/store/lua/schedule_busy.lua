-- Writes down the mailboxes with something ready, some at a time: ARGV provider (empty: all), after whom, how many.
-- needs: looks
return looks.busy(ARGV[1], ARGV[2], tonumber(ARGV[3]))
