-- What `relay queue check` asks of a store that no relay has open.

-- integrity: What SQLite finds wrong with the file, at most so many lines; one line "ok" if nothing.
PRAGMA integrity_check(50);

-- repair_indexes: Makes all indexes again from the tables.
REINDEX;

-- needed_bodies: Messages whose body is still needed, where it lies, and whether a delivery waits to be sent.
SELECT m.seq, m.id, m.segment, m."offset", m.length, m.recipients,
    EXISTS (SELECT 1 FROM deliveries AS d WHERE d.id >= m.seq AND d.id < m.seq + m.recipients AND d.state = 0)
FROM messages AS m
WHERE EXISTS (SELECT 1 FROM deliveries AS d WHERE d.id >= m.seq AND d.id < m.seq + m.recipients AND d.state <= 1)
    OR EXISTS (SELECT 1 FROM outbox AS o WHERE o.message = m.seq)
ORDER BY m.seq;

-- pending_envelopes: Envelopes of what is not final.
SELECT d.id, m.id, d.id - m.seq, d.state, d.envelope FROM deliveries AS d JOIN messages AS m ON m.seq = d.message
WHERE d.state <= 1 ORDER BY d.id;

-- homeless_deliveries: How many deliveries belong to no message.
SELECT count(*) FROM deliveries WHERE message NOT IN (SELECT seq FROM messages);

-- deliveries_by_state: How many deliveries there are in each state.
SELECT state, count(*) FROM deliveries GROUP BY state;

-- hold_damaged: What cannot be read is held, where it waited.
UPDATE deliveries SET state = 1, due = 0, reason = 'corrupt' WHERE id >= ? AND id < ? AND state = 0;

-- set_live: How many messages of a segment still need their body.
INSERT INTO segments (number, live, first) VALUES (?, ?, ?) ON CONFLICT (number) DO UPDATE SET live = excluded.live;
