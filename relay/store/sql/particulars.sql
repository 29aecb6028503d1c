-- What is known of an account beyond its health: how much it hands in, and what was said to it last.

-- last_sent: When an account handed in its last messages, and of what kind they are, the newest first.
SELECT seq, accepted_at, kind FROM messages INDEXED BY messages_account
WHERE account = ?1 AND seq < ?2 ORDER BY seq DESC LIMIT ?3;

-- sent_since: Messages of an account from one on, in order.
SELECT seq, accepted_at, kind FROM messages INDEXED BY messages_account
WHERE account = ? AND seq >= ? ORDER BY seq LIMIT ?;

-- first_from: The first message from one on, and when it came in.
SELECT seq, accepted_at FROM messages WHERE seq >= ? ORDER BY seq LIMIT 1;

-- newest_seq: The last message that came in.
SELECT max(seq) FROM messages;

-- last_said: What was said at the last attempts of a mailbox, the newest first.
SELECT ended_at, stage, class, reply FROM attempts INDEXED BY attempts_ends
WHERE counted AND mailbox = ? ORDER BY ended_at DESC LIMIT ?;
