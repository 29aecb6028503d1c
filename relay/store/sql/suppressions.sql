-- Whom accounts do not write to.

-- watched: Everybody of whom something is remembered.
SELECT account, substr(recipient_hash, 1, 8) FROM suppressions;

-- suppressions_of: What is remembered of one recipient of an account.
SELECT kind, first_at, last_at, until, many FROM suppressions WHERE account = ? AND recipient_hash = ? ORDER BY kind;

-- set_suppression: Something stands against him.
INSERT INTO suppressions (account, recipient_hash, kind, first_at, last_at, until, many) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (account, recipient_hash, kind) DO UPDATE SET
    first_at = excluded.first_at, last_at = excluded.last_at, until = excluded.until, many = excluded.many;

-- drop_suppression: It does not any more.
DELETE FROM suppressions WHERE account = ? AND recipient_hash = ? AND kind = ?;

-- list_suppressions: What stands against the recipients of an account.
SELECT lower(hex(recipient_hash)), kind, first_at, last_at, until, many FROM suppressions
WHERE account = ? AND (recipient_hash, kind) > (?, ?) AND (until IS NULL OR until > ?) ORDER BY recipient_hash, kind LIMIT ?;

-- forget_unknown: Refusals that no second one followed for so long.
DELETE FROM suppressions WHERE kind = 'unknown' AND last_at < ?;
