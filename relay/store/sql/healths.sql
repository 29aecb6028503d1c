-- How healthy mailboxes and providers were, and what nobody understood.

-- add_health: A mailbox, or the host of a provider, became something else.
INSERT INTO healths (at, provider, mailbox, state, reason, cause, reply, by, slow) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);

-- healths_of_mailbox: What became of a mailbox, the newest first.
SELECT at, state, reason, cause, reply, by, slow FROM healths WHERE provider = ? AND mailbox = ? ORDER BY id DESC LIMIT ?;

-- healths_of_provider: What became of a provider's host, the newest first.
SELECT at, state, reason, cause, reply, by, slow FROM healths WHERE provider = ? AND mailbox IS NULL
ORDER BY id DESC LIMIT ?;

-- drop_healths: Forgets the oldest before a moment.
DELETE FROM healths WHERE id IN (SELECT id FROM healths ORDER BY id LIMIT ?2) AND at < ?1;

-- spam_since: How many clients' messages of a mailbox were taken for spam since an instant, and how often this one was.
SELECT count(DISTINCT m.seq), sum(m.seq = ?) FROM attempts AS a INDEXED BY attempts_ends
JOIN deliveries AS d ON d.id = a.delivery JOIN messages AS m ON m.seq = d.message
WHERE a.counted AND a.mailbox = ? AND a.ended_at >= ? AND a.class = 'spam-blocked' AND m.kind = 0;

-- policy_since: Where the mail of a mailbox was refused by policy since an instant: the domain, sealed, and its place.
SELECT DISTINCT d.domain, m.id, d.id - m.seq FROM attempts AS a INDEXED BY attempts_ends
JOIN deliveries AS d ON d.id = a.delivery JOIN messages AS m ON m.seq = d.message
WHERE a.counted AND a.mailbox = ? AND a.ended_at >= ? AND a.class = 'policy-refused' LIMIT ?;

-- meet_riddle: A reply that is known to be a riddle came again.
UPDATE riddles SET many = many + 1, last_at = ? WHERE provider = ? AND stage = ? AND code = ? AND text = ?;

-- add_riddle: A reply that no rule understands came for the first time.
INSERT INTO riddles (provider, stage, code, text, many, first_at, last_at) VALUES (?, ?, ?, ?, 1, ?, ?);

-- count_riddles: How many riddles of a provider are known.
SELECT count(*) FROM riddles WHERE provider = ?;

-- drop_oldest_riddle: Forgets the one of a provider that was met longest ago.
DELETE FROM riddles WHERE (provider, stage, code, text) IN (
    SELECT provider, stage, code, text FROM riddles WHERE provider = ? ORDER BY last_at LIMIT 1
);

-- all_riddles: Those that came last first.
SELECT provider, stage, code, text, many, first_at, last_at FROM riddles
WHERE ?1 IS NULL OR provider = ?1 ORDER BY last_at DESC, provider, stage, code, text LIMIT ?2;

-- held_of: Deliveries of an account that are held for a reason, the oldest first.
SELECT id, reply FROM deliveries INDEXED BY deliveries_stalled
WHERE state <= 1 AND NOT (state = 0 AND due = 0) AND state = 1 AND account = ? AND reason = ? ORDER BY id;

-- oldest_deferred: The oldest delivery of an account that waits for a time and is not being sent.
SELECT id, reason, reply FROM deliveries INDEXED BY deliveries_stalled
WHERE state <= 1 AND NOT (state = 0 AND due = 0) AND state = 0 AND account = ?
    AND id NOT IN (SELECT delivery FROM claims) ORDER BY id LIMIT 1;

-- said_of: What was said at the attempts of a message's deliveries, sealed, the oldest first.
SELECT a.id, a.said, a.ended_at, a.stage, a.class, d.domain, d.id - m.seq FROM attempts AS a INDEXED BY attempts_of
JOIN deliveries AS d ON d.id = a.delivery JOIN messages AS m ON m.seq = d.message
WHERE m.id = ? AND a.said IS NOT NULL ORDER BY a.id;
