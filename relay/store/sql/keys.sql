-- Which key sealed what.

-- routing_under: Whether this key sealed the routing's head.
SELECT 1 FROM routing WHERE substr(body, 1, 5) = ? LIMIT 1;

-- account_under: Whether there is an account that this key sealed.
SELECT 1 FROM routed_accounts WHERE substr(body, 1, 5) = ? LIMIT 1;

-- owed_under: Whether there is an entry in the outbox that this key sealed.
SELECT 1 FROM outbox WHERE substr(envelope, 1, 5) = ? LIMIT 1;

-- said_under: Whether there is a reply that this key sealed.
SELECT 1 FROM attempts WHERE said IS NOT NULL AND substr(said, 1, 5) = ? LIMIT 1;

-- mail_until: Whether there is anything of mail that was accepted until this delivery.
SELECT 1 FROM deliveries WHERE id <= ? LIMIT 1;

-- newest_delivery: The last delivery so far.
SELECT max(id) FROM deliveries;

-- accounts_after: Some accounts after one, sealed.
SELECT id, sender, body FROM routed_accounts WHERE id > ? ORDER BY id LIMIT ?;

-- reseal_account: The same account under another key.
UPDATE routed_accounts SET body = ? WHERE id = ?;

-- reseal_routing: The same head under another key.
UPDATE routing SET body = ?;
