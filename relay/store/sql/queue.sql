-- Messages and deliveries: coming in, being claimed, ending.

-- recent_messages: Who handed in the last messages, the newest first.
SELECT client, account, accepted_at FROM (SELECT * FROM messages ORDER BY seq DESC LIMIT ?) WHERE accepted_at >= ?;

-- add_message: Records an accepted message, unless it was accepted before.
INSERT INTO messages (seq, id, client, account, kind, accepted_at, size, recipients, segment, "offset", length,
    message_id_hash, submitted_hash, is_dated)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING;

-- add_delivery: Records one delivery of an accepted message.
INSERT INTO deliveries (id, message, account, lane, state, due, expires_at, since, domain, recipient_hash, envelope)
VALUES (?, ?, ?, ?, 0, 0, ?, ?, ?, ?, ?);

-- count_ready: How many deliveries of each lane of each account may be sent, those being sent among them.
SELECT account, lane, count(*) FROM deliveries INDEXED BY deliveries_ready WHERE state = 0 AND due = 0
GROUP BY account, lane;

-- add_claim: A delivery is being sent: the attempt is recorded and holds its slots.
INSERT INTO claims (attempt, delivery, mailbox, node, started_at, is_probe) VALUES (?, ?, ?, ?, ?, ?);

-- gate_claim: The claim passed the gate.
UPDATE claims SET gated_at = ? WHERE attempt = ?;

-- lapse_claim: The lease of the claim's node ended.
UPDATE claims SET lapsed_at = ? WHERE attempt = ?;

-- lose_claim: The delivery is not this claim's any more.
UPDATE claims SET is_lost = 1 WHERE attempt = ?;

-- end_claim: The attempt is over.
DELETE FROM claims WHERE attempt = ?;

-- get_claims: All attempts of deliveries under way, in the order of their start.
SELECT attempt, delivery, mailbox, node, started_at, gated_at, is_probe, lapsed_at, is_lost FROM claims
WHERE delivery > 0 ORDER BY attempt;

-- add_attempt: Records an attempt that ended.
INSERT INTO attempts (id, delivery, mailbox, node, started_at, gated_at, ended_at, counted, stage, class, reply, likeness,
    said)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- amend_attempt: A late answer is a fact after all.
UPDATE attempts SET stage = ?, class = ?, reply = ? WHERE id = ?;

-- delivery_of_attempt: Which delivery an ended attempt was for.
SELECT delivery FROM attempts WHERE id = ?;

-- finish_delivery: A delivery is final.
UPDATE deliveries SET state = ?, due = 0, tries = ?, doubts = ?, reason = ?, reply = ?, since = ?,
    envelope = NULL
WHERE id = ?;

-- put_back: A delivery waits again, ready (due 0) or for a time, or it is held.
UPDATE deliveries SET state = ?, due = ?, expires_at = ?, tries = ?, doubts = ?, reason = ?, reply = ?, since = ? WHERE id = ?;

-- first_refusal: When a delivery was refused first of the times since which it was refused for this reason alone.
SELECT min(ended_at) FROM attempts INDEXED BY attempts_of WHERE delivery = ?1 AND class = ?2 AND id > coalesce(
    (SELECT max(id) FROM attempts INDEXED BY attempts_of WHERE delivery = ?1 AND class <> ?2), 0
);

-- has_pending: Whether a delivery of a message is not final yet; deliveries of a message follow each other.
SELECT 1 FROM deliveries WHERE id >= ? AND id < ? AND state <= 1 LIMIT 1;

-- next_due: When the next try is due, of those that do not expire before.
SELECT min(due) FROM deliveries INDEXED BY deliveries_due WHERE due > 0 AND due < expires_at;

-- set_expiry: Gives a delivery more time.
UPDATE deliveries SET expires_at = ? WHERE id = ?;

-- get_nodes: Until when each node's claims are its own.
SELECT name, lease_until FROM nodes;

-- set_lease: A node's claims are its own until then.
INSERT INTO nodes (name, lease_until) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET lease_until = excluded.lease_until;
