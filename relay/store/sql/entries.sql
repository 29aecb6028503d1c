-- Deliveries as the store handles them; each begins with the same columns, in the same order.

-- ready_entries: The oldest deliveries of a lane of an account that may be sent and are not being sent.
SELECT d.id, d.message, m.id, m.kind, m.recipients, m.accepted_at, m.size, m.segment, m."offset", m.length,
    m.is_dated, d.account, d.lane, d.expires_at, d.tries, d.doubts, d.envelope
FROM deliveries AS d INDEXED BY deliveries_ready JOIN messages AS m ON m.seq = d.message
WHERE d.state = 0 AND d.due = 0 AND d.account = ? AND d.lane = ? AND d.id NOT IN (SELECT delivery FROM claims)
ORDER BY d.id LIMIT ?;

-- one_entry: A delivery, with its state.
SELECT d.id, d.message, m.id, m.kind, m.recipients, m.accepted_at, m.size, m.segment, m."offset", m.length,
    m.is_dated, d.account, d.lane, d.expires_at, d.tries, d.doubts, d.envelope, d.state, d.due
FROM deliveries AS d JOIN messages AS m ON m.seq = d.message WHERE d.id = ?;

-- due_entries: Deliveries whose next try is due, the earliest first.
SELECT d.id, d.message, m.id, m.kind, m.recipients, m.accepted_at, m.size, m.segment, m."offset", m.length,
    m.is_dated, d.account, d.lane, d.expires_at, d.tries, d.doubts, d.envelope, d.state, d.due, d.reason, d.reply,
    d.since
FROM deliveries AS d INDEXED BY deliveries_due JOIN messages AS m ON m.seq = d.message
WHERE d.due > 0 AND d.due < d.expires_at AND d.due <= ? ORDER BY d.due LIMIT ?;

-- expired_entries: Deliveries whose lifetime is over and that are not being sent, the earliest first.
SELECT d.id, d.message, m.id, m.kind, m.recipients, m.accepted_at, m.size, m.segment, m."offset", m.length,
    m.is_dated, d.account, d.lane, d.expires_at, d.tries, d.doubts, d.envelope, d.state, d.due, d.reason, d.reply,
    d.since
FROM deliveries AS d INDEXED BY deliveries_expiry JOIN messages AS m ON m.seq = d.message
WHERE d.state <= 1 AND d.expires_at <= ? AND d.id NOT IN (SELECT delivery FROM claims) ORDER BY d.expires_at LIMIT ?;
