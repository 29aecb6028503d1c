-- The routing in force.

-- get_routing: The version in force, and all but its accounts.
SELECT version, body FROM routing;

-- set_routing: Puts a version in force.
INSERT OR REPLACE INTO routing (id, version, body) VALUES (1, ?, ?);

-- get_accounts: The accounts in force.
SELECT sender, body FROM routed_accounts ORDER BY id;

-- set_account: Writes an account.
INSERT INTO routed_accounts (sender, body) VALUES (?, ?) ON CONFLICT (sender) DO UPDATE SET body = excluded.body;

-- drop_accounts: None is there any more.
DELETE FROM routed_accounts;

-- drop_fingerprints: None is known any more.
DELETE FROM fingerprints;

-- drop_account: An account is not there any more.
DELETE FROM routed_accounts WHERE sender = ?;

-- get_fingerprints: What the mailboxes' credentials are known by.
SELECT provider, username, fingerprint, since FROM fingerprints;

-- set_fingerprint: A mailbox has another credential or route.
INSERT OR REPLACE INTO fingerprints (provider, username, fingerprint) VALUES (?, ?, ?);

-- date_fingerprints: Since when those that have no credentials have none.
UPDATE fingerprints SET since = ? WHERE fingerprint IS NULL AND since IS NULL;

-- drop_fingerprint: A mailbox is not there any more.
DELETE FROM fingerprints WHERE provider = ? AND username = ?;
