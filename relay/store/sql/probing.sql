-- The probe of a mailbox that is stopped: whose turn it is, and whose a refusal was.

-- next_probe: The oldest ready delivery of a lane of an account to whom the mailbox was not refused since an instant, of
-- the kinds up to one.
SELECT d.id FROM deliveries AS d INDEXED BY deliveries_ready JOIN messages AS m ON m.seq = d.message
WHERE d.state = 0 AND d.due = 0 AND d.account = ? AND d.lane = ? AND d.id NOT IN (SELECT delivery FROM claims)
    AND m.kind <= ? AND d.recipient_hash NOT IN (
        SELECT r.recipient_hash FROM attempts AS a INDEXED BY attempts_ends JOIN deliveries AS r ON r.id = a.delivery
        WHERE a.counted AND a.mailbox = ? AND a.ended_at >= ? AND a.likeness IS NOT NULL
    )
ORDER BY d.id LIMIT 1;

-- recipient_of: To whom a delivery goes (keyed hash).
SELECT recipient_hash FROM deliveries WHERE id = ?;

-- last_of_recipient: How the last attempt but this one of a mailbox at a recipient ended, since an instant.
SELECT a.class, a.ended_at FROM attempts AS a INDEXED BY attempts_ends JOIN deliveries AS d ON d.id = a.delivery
WHERE a.counted AND a.mailbox = ? AND a.ended_at >= ? AND a.id <> ? AND d.recipient_hash = ? ORDER BY a.id DESC LIMIT 1;

-- others_delivered: Whether a mail to somebody else, begun since an instant, went through.
SELECT 1 FROM attempts AS a INDEXED BY attempts_ends JOIN deliveries AS d ON d.id = a.delivery
WHERE a.counted AND a.mailbox = ?1 AND a.ended_at >= ?2 AND a.started_at >= ?2 AND a.class = 'delivered'
    AND d.recipient_hash <> ?3 LIMIT 1;
