-- What follows from an outcome.

-- add_outbox: Something has to be done about a delivery.
INSERT INTO outbox (kind, message, delivery, reason, reply, at, envelope, since) VALUES (?, ?, ?, ?, ?, ?, ?, ?);

-- count_outbox: How much there is to do.
SELECT count(*) FROM outbox;

-- has_outbox: Whether something still has to be done about a message.
SELECT 1 FROM outbox WHERE message = ? LIMIT 1;

-- drop_outbox_of: Nothing has to be done about a delivery any more.
DELETE FROM outbox WHERE message = ? AND delivery = ?;

-- drop_delay_of: A delivery is not late any more, but final.
DELETE FROM outbox WHERE message = ? AND delivery = ? AND kind = 'delayed';

-- oldest_outbox: What has to be done, the oldest first, after one.
SELECT id, kind, delivery, reason, reply, at, envelope, since FROM outbox WHERE id > ? ORDER BY id LIMIT ?;

-- get_outbox: What an entry was about.
SELECT delivery FROM outbox WHERE id = ?;

-- drop_outbox: It was done.
DELETE FROM outbox WHERE id = ?;

-- late: How it stands with a delivery that is late.
SELECT id, lane, state, due, reason, since, expires_at, reply FROM deliveries WHERE id = ?;

-- domain_of: Where a delivery goes, when no more of its recipient can be read.
SELECT domain FROM deliveries WHERE id = ?;
