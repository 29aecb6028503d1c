-- What the store keeps about itself.

-- has_tables: Whether this database was made by a relay at all.
SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'meta';

-- get_meta: One fact.
SELECT value FROM meta WHERE name = ?;

-- set_meta: Writes one fact.
INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value;

-- get_clock: The anchor of relay time.
SELECT boot_id, boottime, wall, relay, civil_offset FROM clock;

-- set_clock: Moves the anchor of relay time.
INSERT OR REPLACE INTO clock (id, boot_id, boottime, wall, relay, civil_offset) VALUES (1, ?, ?, ?, ?, ?);

-- last_ids: The greatest ids in use: delivery, attempt under way, attempt ended.
SELECT (SELECT max(id) FROM deliveries), (SELECT max(attempt) FROM claims), (SELECT max(id) FROM attempts);

-- find_account: The id of a sender.
SELECT id FROM accounts WHERE sender = ?;

-- add_account: Remembers a sender.
INSERT INTO accounts (sender) VALUES (?);

-- sender_of: The sender with this id.
SELECT sender FROM accounts WHERE id = ?;

-- find_mailbox: The id of a mailbox.
SELECT id FROM mailboxes WHERE provider = ? AND username = ?;

-- add_mailbox: Remembers a mailbox.
INSERT INTO mailboxes (provider, username) VALUES (?, ?);

-- mailbox_of: The mailbox with this id.
SELECT provider, username FROM mailboxes WHERE id = ?;

-- set_mailbox_health: Writes a mailbox's health.
UPDATE mailboxes SET health = ? WHERE id = ?;

-- known_healths: Mailboxes of which something is known.
SELECT provider, username, health FROM mailboxes WHERE health IS NOT NULL;

-- provider_health: A provider's health.
SELECT health FROM providers WHERE name = ?;

-- set_provider_health: Writes a provider's health.
INSERT INTO providers (name, health) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET health = excluded.health;

-- add_event: Records what happened.
INSERT INTO events (at, kind, message, delivery, account, mailbox, detail) VALUES (?, ?, ?, ?, ?, ?, ?);

-- last_body: Where the newest message's body ends.
SELECT segment, "offset" + length FROM messages ORDER BY seq DESC LIMIT 1;

-- get_segments: Segments and how many messages in each still need their body.
SELECT number, live FROM segments;

-- add_live: Changes how many messages of a segment still need their body.
INSERT INTO segments (number, live, first) VALUES (?, ?, ?)
ON CONFLICT (number) DO UPDATE SET live = live + excluded.live;

-- oldest_body: The first message whose segment is still there.
SELECT first FROM segments ORDER BY number LIMIT 1;

-- bodies_from: Messages from one on, where their bodies lie, and whether anything needs them.
SELECT m.seq, m.segment, m."offset", m.length,
    EXISTS (SELECT 1 FROM deliveries AS d WHERE d.id >= m.seq AND d.id < m.seq + m.recipients AND d.state <= 1),
    EXISTS (SELECT 1 FROM outbox AS o WHERE o.message = m.seq)
FROM messages AS m WHERE m.seq >= ? AND m.seq < ? ORDER BY m.seq LIMIT ?;

-- drop_segment: Forgets a segment in which nothing is needed.
DELETE FROM segments WHERE number = ?;
