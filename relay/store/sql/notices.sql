-- Notices of delay: how far they were looked for, and how many an account had.

-- get_notices: The last delivery that was looked at.
SELECT delivery FROM notices;

-- set_notices: The last delivery that was looked at is another.
INSERT INTO notices (id, delivery) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET delivery = excluded.delivery;

-- first_pending: The first delivery in a span that is not final, and when it came in.
SELECT d.id, m.accepted_at FROM deliveries AS d NOT INDEXED CROSS JOIN messages AS m ON m.seq = d.message
WHERE d.id > ? AND d.id <= ? AND d.state <= 1 ORDER BY d.id LIMIT 1;

-- is_pending: Whether a delivery is not final.
SELECT state <= 1 FROM deliveries WHERE id = ?;

-- newest_delivery: The last delivery that came in.
SELECT max(id) FROM deliveries;

-- get_noticed: Since when an account was sent notices, and how many.
SELECT begun, many FROM noticed WHERE account = ?;

-- set_noticed: An account is sent a notice.
INSERT INTO noticed (account, begun, many) VALUES (?, ?, ?)
ON CONFLICT (account) DO UPDATE SET begun = excluded.begun, many = excluded.many;
