-- What metrics and pages ask.

-- count_ready: How many deliveries of each account may be sent or are being sent, and the first of them.
SELECT account, 0, count(*), min(id) FROM deliveries INDEXED BY deliveries_ready WHERE state = 0 AND due = 0
GROUP BY account;

-- count_stalled: How many deliveries of each account wait for a time (0) or are held (1), and the first of them.
SELECT account, state, count(*), min(id) FROM deliveries INDEXED BY deliveries_stalled
WHERE state <= 1 AND NOT (state = 0 AND due = 0) GROUP BY account, state;

-- oldest_of: The oldest delivery of an account that is not final.
SELECT min(first) FROM (
    SELECT min(id) AS first FROM deliveries INDEXED BY deliveries_ready
    WHERE state = 0 AND due = 0 AND account = ? AND lane = 0
    UNION ALL
    SELECT min(id) FROM deliveries INDEXED BY deliveries_ready
    WHERE state = 0 AND due = 0 AND account = ? AND lane = 1
    UNION ALL
    SELECT min(id) FROM deliveries INDEXED BY deliveries_stalled
    WHERE state <= 1 AND NOT (state = 0 AND due = 0) AND account = ?
);

-- accepted_at: When the message of a delivery came in.
SELECT m.accepted_at FROM deliveries AS d JOIN messages AS m ON m.seq = d.message WHERE d.id = ?;
