-- Notices for the webhook: which wait, which were taken, which were given up.

-- add_telling: A notice for the webhook.
INSERT INTO tellings (concern, word, notice, due_at) VALUES (?, ?, ?, ?) ON CONFLICT (concern, word) DO NOTHING;

-- due_tellings: What has to be sent, the longest due first.
SELECT id, notice, tries FROM tellings INDEXED BY tellings_due WHERE state = 0 AND due_at <= ? ORDER BY due_at LIMIT ?;

-- next_telling: When the next one is due.
SELECT min(due_at) FROM tellings INDEXED BY tellings_due WHERE state = 0;

-- oldest_telling: What has waited longest for the webhook.
SELECT notice, error, (SELECT count(*) FROM tellings WHERE state = 0) FROM tellings WHERE state = 0 ORDER BY id LIMIT 1;

-- taken: When the webhook took a notice of a concern last.
SELECT max(done_at) FROM tellings WHERE concern = ? AND state = 1;

-- told_next: When the webhook is tried again with a notice of a concern, or it is looked at.
SELECT coalesce(
    (SELECT min(due_at) FROM tellings WHERE concern = ?1 AND state = 0),
    (SELECT look_at FROM concerns WHERE id = ?1)
);

-- hurry_tellings: The webhook takes notices again: what waits for another try gets it now.
UPDATE tellings SET due_at = ?1 WHERE state = 0 AND due_at > ?1;

-- telling_later: It is tried again.
UPDATE tellings SET due_at = ?, tries = tries + 1, error = ? WHERE id = ? AND state = 0;

-- telling_over: It was sent (1), or given up (2).
UPDATE tellings SET state = ?, tries = tries + 1, error = ?, done_at = ? WHERE id = ? AND state = 0;

-- dead_letters: What was given up, the newest first, before one.
SELECT id, notice, tries, error, done_at FROM tellings WHERE state = 2 AND id < ? ORDER BY id DESC LIMIT ?;

-- revive: A dead letter is tried once more.
UPDATE tellings SET state = 0, due_at = ?, tries = 0, error = NULL, done_at = NULL WHERE id = ? AND state = 2;

-- prune_tellings: Forgets notices that were sent or given up long ago.
DELETE FROM tellings WHERE id IN (SELECT id FROM tellings WHERE state > 0 AND done_at < ?1 LIMIT ?2);
