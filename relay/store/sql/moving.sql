-- What moving a store asks of a database besides its tables, which are read and written whole.

-- events_after: Events in order.
SELECT id, at, kind, message, delivery, account, mailbox, detail FROM events WHERE id > ? ORDER BY id LIMIT ?;

-- needed: The bodies that something needs, of messages from one on to another.
SELECT m.seq, m.segment, m."offset", m.length FROM messages AS m WHERE m.seq >= ? AND m.seq <= ? AND (
    EXISTS (SELECT 1 FROM deliveries AS d WHERE d.id >= m.seq AND d.id < m.seq + m.recipients AND d.state <= 1)
    OR EXISTS (SELECT 1 FROM outbox AS o WHERE o.message = m.seq)
);

-- sequences: The number given last in the tables of which it is remembered.
SELECT name, seq FROM sqlite_sequence;

-- forget_sequence: Of one table.
DELETE FROM sqlite_sequence WHERE name = ?;

-- set_sequence: Of one table.
INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?);

-- tables: All that there are but those of SQLite itself.
SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%';

-- forget_moving: What was noted of a move that is finished.
DELETE FROM meta WHERE name = ? OR name LIKE ?;

-- holders: The nodes that hold attempts.
SELECT DISTINCT node FROM claims;

-- under_way: How many attempts and logins are under way.
SELECT (SELECT count(*) FROM claims) + (SELECT count(*) FROM logins WHERE ended_at IS NULL);

-- facts: What is noted of the store and of the place.
SELECT name, value FROM meta;

-- ends_of_segments: Where the last body ends that a message points to.
SELECT segment, max("offset" + length) FROM messages WHERE length > 0 GROUP BY segment;
