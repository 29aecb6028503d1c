-- What metrics and pages ask.

-- count_pending: How many deliveries of each account wait or are held, and when the oldest came in.
SELECT d.account, d.state, count(*), min(m.accepted_at)
FROM deliveries AS d INDEXED BY deliveries_expiry JOIN messages AS m ON m.seq = d.message
WHERE d.state <= 1 GROUP BY d.account, d.state;
