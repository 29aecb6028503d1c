-- What admins ask: pages of messages, the newest first, and what is known of each.

-- newest_messages: Messages before one, the newest first.
SELECT seq FROM messages WHERE seq < ? ORDER BY seq DESC LIMIT ?;

-- messages_of_account: Messages of an account before one, the newest first.
SELECT seq FROM messages INDEXED BY messages_account WHERE account = ?1 AND seq < ?2 ORDER BY seq DESC LIMIT ?3;

-- messages_of_id: Messages with a header Message-ID before one, the newest first.
SELECT seq FROM messages INDEXED BY messages_message_id
WHERE substr(message_id_hash, 1, 8) = substr(?1, 1, 8) AND message_id_hash = ?1 AND seq < ?2 ORDER BY seq DESC LIMIT ?3;

-- ready_before: Messages with a delivery of a lane of an account that is ready or being sent, the newest first.
SELECT message FROM deliveries INDEXED BY deliveries_ready
WHERE state = 0 AND due = 0 AND account = ? AND lane = ? AND id < ? ORDER BY id DESC LIMIT ?;

-- stalled_before: Messages with a delivery of an account that waits for a time (0) or is held (1), the newest first
-- (`likely` keeps the planner from taking the index's own condition for the better half of the search).
SELECT message FROM deliveries INDEXED BY deliveries_stalled
WHERE likely(state <= 1) AND NOT (state = 0 AND due = 0) AND account = ? AND state = ? AND id < ?
ORDER BY id DESC LIMIT ?;

-- failed_before: Messages with a delivery that bounced or was cancelled, the newest first.
SELECT message, state, account FROM deliveries INDEXED BY deliveries_failed
WHERE state >= 3 AND id < ? ORDER BY id DESC LIMIT ?;

-- deliveries_between: All deliveries from one to before another, the newest first.
SELECT message, state, account FROM deliveries NOT INDEXED WHERE id >= ? AND id < ? ORDER BY id DESC;

-- seq_of: Where the message with this id is.
SELECT seq FROM messages WHERE id = ?;

-- message_at: A message.
SELECT id, client, account, accepted_at, size, recipients, message_id_hash, is_dated FROM messages WHERE seq = ?;

-- deliveries_of: The deliveries of a message.
SELECT id, lane, state, due, reason, since, expires_at, domain, recipient_hash FROM deliveries
WHERE id >= ? AND id < ? ORDER BY id;

-- attempts_of: The attempts of a delivery that ended, the oldest first.
SELECT started_at, ended_at, stage, class, reply FROM attempts INDEXED BY attempts_of
WHERE delivery = ? ORDER BY id LIMIT ?;

-- newer_ready: How many deliveries of a lane of an account are ready behind one, up to a bound.
SELECT count(*) FROM (
    SELECT 1 FROM deliveries INDEXED BY deliveries_ready
    WHERE state = 0 AND due = 0 AND account = ? AND lane = ? AND id > ? ORDER BY id DESC LIMIT ?
);

-- older_ready: How many deliveries of a lane of an account are ready before one, up to a bound.
SELECT count(*) FROM (
    SELECT 1 FROM deliveries INDEXED BY deliveries_ready
    WHERE state = 0 AND due = 0 AND account = ? AND lane = ? AND id < ? ORDER BY id LIMIT ?
);

-- last_latencies: How long the last attempts of a mailbox took.
SELECT ended_at - started_at FROM attempts INDEXED BY attempts_ends
WHERE counted AND mailbox = ? ORDER BY ended_at DESC LIMIT ?;

-- last_due: When the last of what an account defers is tried again, or has its lifetime behind it.
SELECT max(min(due, expires_at)) FROM deliveries INDEXED BY deliveries_stalled
WHERE likely(state <= 1) AND NOT (state = 0 AND due = 0) AND account = ? AND state = 0;

-- first_held: Why the first of what is held of an account is.
SELECT reason FROM deliveries INDEXED BY deliveries_stalled
WHERE likely(state <= 1) AND NOT (state = 0 AND due = 0) AND account = ? AND state = ? AND id > 0 ORDER BY id LIMIT 1;

-- newest_ready: When the last of a lane of an account was accepted, and when its lifetime ends.
SELECT m.accepted_at, d.expires_at, m.is_dated FROM deliveries AS d INDEXED BY deliveries_ready
JOIN messages AS m ON m.seq = d.message
WHERE d.state = 0 AND d.due = 0 AND d.account = ? AND d.lane = ? ORDER BY d.id DESC LIMIT 1;

-- was_active: Whether a mailbox has sent something since an instant.
SELECT 1 FROM attempts INDEXED BY attempts_ends WHERE counted AND mailbox = ? AND ended_at >= ? LIMIT 1;

-- newest_delivery: The last delivery that came in.
SELECT max(id) FROM deliveries;
