-- History that has been kept long enough: what is deleted, the oldest first, a little at a time.

-- old_messages: Messages accepted before a moment, from one on, and whether anything of them moved or may move since.
SELECT m.seq, m.recipients,
    EXISTS (SELECT 1 FROM deliveries AS d WHERE d.id >= m.seq AND d.id < m.seq + m.recipients
        AND (d.state <= 1 OR d.since >= ?2)),
    EXISTS (SELECT 1 FROM outbox AS o WHERE o.message = m.seq),
    EXISTS (SELECT 1 FROM claims AS c WHERE c.delivery >= m.seq AND c.delivery < m.seq + m.recipients)
FROM messages AS m WHERE m.seq >= ?1 AND m.seq < ?3 AND m.accepted_at < ?2 ORDER BY m.seq LIMIT ?4;

-- newest_message: The last message: it stays, because ids go on from it.
SELECT max(seq) FROM messages;

-- drop_deliveries: Forgets the deliveries of a message.
DELETE FROM deliveries WHERE id >= ? AND id < ?;

-- drop_message: Forgets a message.
DELETE FROM messages WHERE seq = ?;

-- drop_attempts: Forgets the oldest attempts that ended before an instant; the last one stays, ids go on from it.
DELETE FROM attempts WHERE id IN (SELECT id FROM attempts ORDER BY id LIMIT ?2)
    AND ended_at < ?1 AND id < (SELECT max(id) FROM attempts);

-- drop_events: Forgets the oldest events before a moment.
DELETE FROM events WHERE id IN (SELECT id FROM events ORDER BY id LIMIT ?2) AND at < ?1;

-- drop_said: Forgets what providers said in their own words before an instant, the oldest first.
UPDATE attempts SET said = NULL WHERE id IN (
    SELECT id FROM attempts INDEXED BY attempts_said_kept WHERE said IS NOT NULL AND ended_at < ? ORDER BY ended_at LIMIT ?
);
