-- Recipients that get many mails a day.

-- message_from: The first message from a number on: when numbers grow, so do times.
SELECT seq, accepted_at FROM messages WHERE seq >= ? ORDER BY seq LIMIT 1;

-- last_message: The highest number.
SELECT max(seq) FROM messages;

-- deliveries_from: What comes next, mail of clients and reports alike.
SELECT d.id, d.account, d.recipient_hash, m.accepted_at, m.kind
FROM deliveries AS d JOIN messages AS m ON m.seq = d.message WHERE d.id >= ? ORDER BY d.id LIMIT ?;

-- domain_of: Where a delivery goes, sealed for its message.
SELECT d.domain, m.id, d.id - d.message, d.recipient_hash FROM deliveries AS d JOIN messages AS m ON m.seq = d.message
WHERE d.id = ?;
