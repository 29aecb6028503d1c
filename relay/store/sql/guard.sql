-- The bounce guard: refusals in the same words, bounces taken back, and what it holds.

-- refusals_like: Whom a mailbox could not reach since an instant, in these words.
SELECT d.recipient_hash, a.ended_at
FROM attempts AS a INDEXED BY attempts_ends JOIN deliveries AS d ON d.id = a.delivery
WHERE a.counted AND a.mailbox = ? AND a.ended_at >= ? AND a.likeness = ? ORDER BY a.ended_at;

-- has_met: Whether a delivery was refused in these words before this attempt.
SELECT 1 FROM attempts INDEXED BY attempts_of WHERE delivery = ? AND likeness = ? AND id <> ? LIMIT 1;

-- last_guarded: When the guard of a mailbox ended last, wall time.
SELECT max(closed_at) FROM concerns WHERE kind = 'bounce-guard' AND mailbox = ?;

-- untold_bounces: Bounces of a mailbox since an instant, in these words, of which nobody was told yet, and the report on
-- its way.
SELECT DISTINCT o.id, o.delivery, o.envelope, o.report
FROM attempts AS a INDEXED BY attempts_ends JOIN deliveries AS d ON d.id = a.delivery
    JOIN outbox AS o ON o.message = d.message AND o.delivery = d.id AND o.kind = 'bounce'
WHERE a.counted AND a.mailbox = ? AND a.ended_at >= ? AND a.likeness = ? AND d.state = 3 ORDER BY o.id;

-- recall: A bounce is taken back, with its envelope: it is held.
UPDATE deliveries SET state = 1, due = 0, expires_at = ?, reason = ?, since = ?, envelope = ? WHERE id = ?;

-- guarded_of: What the guard holds of an account.
SELECT id, reply FROM deliveries INDEXED BY deliveries_stalled
WHERE state <= 1 AND NOT (state = 0 AND due = 0) AND account = ? AND state = 1 AND reason = ? ORDER BY id;

-- guarded_since: When the guard of a mailbox began, wall time.
SELECT opened_at FROM concerns WHERE kind = 'bounce-guard' AND mailbox = ? AND closed_at IS NULL;

-- delivered_since: Whether anything of a mailbox went through since an instant.
SELECT 1 FROM attempts INDEXED BY attempts_ends
WHERE counted AND mailbox = ? AND ended_at >= ? AND class = 'delivered' LIMIT 1;

-- other_mail: Whether a client's mail of an account, but this one, may be sent and is not being sent.
SELECT 1 FROM deliveries AS d INDEXED BY deliveries_ready JOIN messages AS m ON m.seq = d.message
WHERE d.state = 0 AND d.due = 0 AND d.account = ? AND m.kind = 0 AND d.id <> ?
    AND d.id NOT IN (SELECT delivery FROM claims) LIMIT 1;
