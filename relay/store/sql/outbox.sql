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
SELECT id, kind, delivery, reason, reply, at, envelope, since, refused_by, refused_at FROM outbox INDEXED BY outbox_open
WHERE report IS NULL AND NOT lost AND id > ? ORDER BY id LIMIT ?;

-- get_outbox: What an entry was about, and whether somebody tells of it already, or nobody can.
SELECT delivery, kind, report IS NOT NULL OR lost FROM outbox WHERE id = ?;

-- hand_over: A report is on its way.
UPDATE outbox SET report = ? WHERE id = ?;

-- told_by: Of what a report tells, and whether it is the second one.
SELECT id, delivery, refused_by FROM outbox INDEXED BY outbox_report WHERE report = ?;

-- take_again: Its report was refused: another one may go another way.
UPDATE outbox SET report = NULL, refused_by = ?, refused_at = ? WHERE id = ?;

-- give_up: Nobody can be told.
UPDATE outbox SET report = NULL, refused_at = ?, lost = 1 WHERE id = ?;

-- count_lost: Of how many deliveries nobody could be told.
SELECT count(*) FROM outbox INDEXED BY outbox_lost WHERE lost;

-- old_lost: Those of before a moment.
SELECT id FROM outbox INDEXED BY outbox_lost WHERE lost AND refused_at < ? ORDER BY id LIMIT ?;

-- drop_outbox: It was done.
DELETE FROM outbox WHERE id = ?;

-- late: How it stands with a delivery that is late.
SELECT id, lane, state, due, reason, since, expires_at, reply FROM deliveries WHERE id = ?;

-- domain_of: Where a delivery goes, when no more of its recipient can be read.
SELECT domain FROM deliveries WHERE id = ?;
