-- Passwords and tokens by name.

-- all_secrets: Every secret, sealed.
SELECT name, sealed, changed_at FROM secrets ORDER BY name;

-- secret_names: Every name.
SELECT name FROM secrets;

-- secret: One secret, sealed.
SELECT sealed, changed_at FROM secrets WHERE name = ?;

-- set_secret: Keeps a secret.
INSERT INTO secrets (name, sealed, changed_at) VALUES (?, ?, ?)
ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed, changed_at = excluded.changed_at;

-- drop_secret: Forgets one.
DELETE FROM secrets WHERE name = ?;

-- secrets_after: Some secrets after a name, sealed.
SELECT name, sealed, changed_at FROM secrets WHERE name > ? ORDER BY name LIMIT ?;

-- secret_under: Whether there is one that this key sealed.
SELECT 1 FROM secrets WHERE substr(sealed, 1, 5) = ? LIMIT 1;
