-- Writes one provider down whole: ARGV its name.
-- needs: looks
return looks.provider(ARGV[1])
