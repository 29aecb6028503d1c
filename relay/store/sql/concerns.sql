-- What somebody has to know of.

-- open_concern: The open concern of a kind about one subject.
SELECT id, reason FROM concerns WHERE kind = ? AND about = ? AND closed_at IS NULL;

-- open_of_kind: Whom the open concerns of a kind are about.
SELECT about FROM concerns WHERE kind = ? AND closed_at IS NULL;

-- open_detail: What is known beside of the open concern of a kind about one subject.
SELECT detail FROM concerns WHERE kind = ? AND about = ? AND closed_at IS NULL;

-- last_concern: The newest concern of a kind about one subject, for one reason.
SELECT id, opened_at, closed_at, told_at, look_at, detail FROM concerns INDEXED BY concerns_about
WHERE kind = ? AND about = ? AND reason IS ? ORDER BY id DESC LIMIT 1;

-- add_concern: One begins.
INSERT INTO concerns (kind, about, provider, mailbox, account, reason, opened_at, closed_at, look_at, detail)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- hand_over: What was told of a mailbox was told of the one that it is called now.
UPDATE concerns SET about = ?1, mailbox = ?2, provider = CASE WHEN provider IS NULL THEN NULL ELSE ?3 END
WHERE about = ?4 AND mailbox = ?5;

-- reopen_concern: It is back before anybody heard of its end: it never ended.
UPDATE concerns SET closed_at = NULL, look_at = ?, detail = ? WHERE id = ?;

-- forget_concern: It is over, and nobody hears of that: nothing was mended.
UPDATE concerns SET closed_at = ?, look_at = NULL WHERE id = ?;

-- replace_concern: Another reason took its place before whoever was told heard of an end: he does when it works again, if
-- he was not told of the other one.
UPDATE concerns SET closed_at = ?1, look_at = CASE WHEN told_at IS NULL THEN NULL ELSE ?2 END WHERE id = ?3;

-- unheard_ends: Stops of a kind about one subject whose end nobody of those who were told has heard of yet.
SELECT id, reason, opened_at, detail FROM concerns INDEXED BY concerns_about
WHERE kind = ? AND about = ? AND look_at IS NOT NULL AND closed_at IS NOT NULL AND told_at IS NOT NULL;

-- renew_end: What was stopped again works again: whoever was not told yet hears of this end.
UPDATE concerns SET closed_at = ?1, look_at = ?1 WHERE id = ?2;

-- drop_end: Another story of the same trouble was told, or is over without a word: the end of this one is none.
UPDATE concerns SET look_at = NULL WHERE id = ?;

-- of_whom: Of which kind a concern is, and about whom.
SELECT kind, about FROM concerns WHERE id = ?;

-- note_detail: What is known beside.
UPDATE concerns SET detail = ? WHERE id = ?;

-- detail_of: The same.
SELECT detail FROM concerns WHERE id = ?;

-- close_concern: It is over; whoever was told hears of it.
UPDATE concerns SET closed_at = ?1, look_at = CASE WHEN told_at IS NULL THEN NULL ELSE ?1 END
WHERE kind = ?2 AND about = ?3 AND closed_at IS NULL;

-- due_concerns: What has to be looked at, the longest due first.
SELECT id, kind, provider, mailbox, account, reason, opened_at, closed_at, told_at, words, detail
FROM concerns INDEXED BY concerns_look WHERE look_at <= ? ORDER BY look_at LIMIT ?;

-- next_look: When the next one is.
SELECT min(look_at) FROM concerns INDEXED BY concerns_look WHERE look_at IS NOT NULL;

-- look_again: Nothing was said; when to look again.
UPDATE concerns SET look_at = ? WHERE id = ?;

-- said: A word was said.
UPDATE concerns SET told_at = ?, look_at = ?, words = words + 1 WHERE id = ? AND words = ?;

-- open_concerns: Everything that is open, the newest first, before one.
SELECT id, kind, provider, mailbox, account, reason, opened_at, closed_at, told_at, words, detail
FROM concerns WHERE closed_at IS NULL AND id < ? ORDER BY id DESC LIMIT ?;

-- prune_concerns: Forgets what is over and was said long ago; a paid term that was told of, not before it is over too.
DELETE FROM concerns WHERE id IN (
    SELECT id FROM concerns WHERE look_at IS NULL
    AND closed_at < CASE kind WHEN 'paid-until' THEN ?1 - 31 * 86400000000 ELSE ?1 END LIMIT ?2
);

-- told_of: How a concern was told.
SELECT kind, closed_at, told_at, words, detail FROM concerns WHERE id = ?;

-- unsay: A word did not arrive: it is said once more.
UPDATE concerns SET words = ?, told_at = ?, look_at = ? WHERE id = ?;
