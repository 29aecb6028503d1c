-- Writes one mailbox down whole: ARGV provider, username.
-- needs: looks
return looks.line(ARGV[1], ARGV[2])
