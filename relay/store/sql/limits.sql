-- The limiter's memory: attempts and logins that still count.

-- mailbox_ends: Ends of a mailbox since an instant, one by one.
SELECT started_at, ended_at, 1 FROM attempts INDEXED BY attempts_ends
WHERE counted AND mailbox = ? AND ended_at >= ? ORDER BY ended_at;

-- mailbox_old_ends: Ends of a mailbox between two instants, a minute's together, each counted as ended last.
SELECT min(started_at), max(ended_at), count(*) FROM attempts INDEXED BY attempts_ends
WHERE counted AND mailbox = ? AND ended_at >= ? AND ended_at < ? GROUP BY ended_at / 60000000 ORDER BY ended_at;

-- mailbox_running: Attempts of a mailbox without an end.
SELECT started_at FROM claims WHERE mailbox = ?;

-- provider_ends: Ends of all mailboxes of a provider since an instant, one by one.
SELECT m.username, a.started_at, a.ended_at, 1
FROM mailboxes AS m JOIN attempts AS a INDEXED BY attempts_ends ON a.mailbox = m.id
WHERE m.provider = ? AND a.counted AND a.ended_at >= ? ORDER BY a.ended_at;

-- provider_old_ends: Ends of all mailboxes of a provider between two instants, a minute's of each together.
SELECT m.username, min(a.started_at), max(a.ended_at), count(*)
FROM mailboxes AS m JOIN attempts AS a INDEXED BY attempts_ends ON a.mailbox = m.id
WHERE m.provider = ? AND a.counted AND a.ended_at >= ? AND a.ended_at < ?
GROUP BY m.id, a.ended_at / 60000000 ORDER BY 3;

-- provider_running: Attempts of all mailboxes of a provider without an end.
SELECT m.username, c.started_at FROM claims AS c JOIN mailboxes AS m ON m.id = c.mailbox WHERE m.provider = ?;

-- logins_since: Logins of a mailbox that ended since an instant, or have not.
SELECT started_at, ended_at FROM logins WHERE mailbox = ? AND (ended_at IS NULL OR ended_at >= ?);

-- refusals_since: Logins of a mailbox that were refused since an instant, or have not ended.
SELECT started_at, ended_at FROM logins WHERE mailbox = ? AND (ended_at IS NULL OR (refused AND ended_at >= ?));

-- last_login: When a mailbox logged in last.
SELECT max(started_at) FROM logins WHERE mailbox = ?;

-- begin_login: A login is about to be tried.
INSERT INTO logins (mailbox, started_at) VALUES (?, ?);

-- end_login: The oldest login of a mailbox under way is over.
UPDATE logins SET ended_at = ? WHERE id = (SELECT min(id) FROM logins WHERE mailbox = ? AND ended_at IS NULL);

-- refuse_login: The oldest login of a mailbox under way failed: as which class, in which words, and whether it counts as
-- refused.
UPDATE logins SET ended_at = ?, class = ?, likeness = ?, refused = ?
WHERE id = (SELECT min(id) FROM logins WHERE mailbox = ? AND ended_at IS NULL);

-- drop_login: The oldest login of a mailbox under way was never tried.
DELETE FROM logins WHERE id = (SELECT min(id) FROM logins WHERE mailbox = ? AND ended_at IS NULL);

-- clamp_ends: No attempt ended later than this.
UPDATE attempts SET ended_at = ?1, started_at = min(started_at, ?1) WHERE ended_at > ?1;

-- clamp_logins: No login ended later than this.
UPDATE logins SET ended_at = ?1, started_at = min(started_at, ?1) WHERE ended_at > ?1;

-- mailboxes_logging_in: Mailboxes with a login under way.
SELECT DISTINCT mailbox FROM logins WHERE ended_at IS NULL;

-- end_logins_of: All logins of a mailbox that are under way end, and nobody knows how; whether they count as refused.
UPDATE logins SET ended_at = ?, class = 'lost', refused = ? WHERE mailbox = ? AND ended_at IS NULL;

-- prune_logins: Forgets logins that no limit counts.
DELETE FROM logins WHERE ended_at < ?;
