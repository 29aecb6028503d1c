-- Whose trouble it is: what several mailboxes of a provider met.

-- last_refused: When a mailbox was refused last for its password since an instant.
SELECT max(ended_at) FROM logins INDEXED BY logins_of
WHERE mailbox = ? AND ended_at >= ? AND class IN ('auth-rejected', 'unknown', 'protocol-error') AND refused;

-- last_worked: When a mailbox was let in last, up to an instant.
SELECT max(ended_at) FROM logins INDEXED BY logins_of WHERE mailbox = ? AND ended_at <= ? AND class IS NULL;

-- last_out: When a mailbox was refused last in an outage of logins, up to an instant.
SELECT max(ended_at) FROM logins INDEXED BY logins_of WHERE mailbox = ? AND ended_at <= ? AND class = 'auth-outage';

-- active: How many mailboxes of a provider were let in since an instant.
SELECT count(*) FROM mailboxes AS m WHERE m.provider = ? AND EXISTS (
    SELECT 1 FROM logins AS l INDEXED BY logins_of WHERE l.mailbox = m.id AND l.ended_at >= ? AND l.class IS NULL
);

-- acquit_logins: Refusals of a mailbox since an instant were no matter of its password: they count in no budget.
UPDATE logins SET refused = 0, class = 'auth-outage' WHERE mailbox = ? AND ended_at >= ? AND refused;

-- last_sent: The last attempts of a provider that it ended itself, or whose end it kept to itself, the newest first.
SELECT m.username, a.stage = 'eod' AND a.class = 'network' AND a.reply IS NULL AND a.gated_at IS NOT NULL
FROM (SELECT * FROM attempts ORDER BY id DESC LIMIT ?) AS a JOIN mailboxes AS m ON m.id = a.mailbox
WHERE m.provider = ? AND a.counted AND a.class NOT IN ('in-doubt', 'lost') ORDER BY a.id DESC LIMIT ?;

-- broken_since: The messages for which a mailbox's line broke since an instant, in order.
SELECT d.message FROM attempts AS a INDEXED BY attempts_ends JOIN deliveries AS d ON d.id = a.delivery
WHERE a.counted AND a.mailbox = ? AND a.ended_at >= ? AND a.class IN ('network', 'outage') ORDER BY a.id;

-- broken_from: When that of a mailbox had begun whose line broke last since an instant.
SELECT max(started_at) FROM (
    SELECT started_at FROM logins INDEXED BY logins_of
    WHERE mailbox = ?1 AND ended_at >= ?2 AND class IN ('network', 'outage')
    UNION ALL SELECT started_at FROM attempts INDEXED BY attempts_ends
    WHERE counted AND mailbox = ?1 AND ended_at >= ?2 AND class IN ('network', 'outage')
);

-- served_since: Mailboxes of a provider that were let in, or whose mail went through, since an instant.
SELECT m.username FROM mailboxes AS m WHERE m.provider = ?1 AND (
    EXISTS (
        SELECT 1 FROM logins AS l INDEXED BY logins_of
        WHERE l.mailbox = m.id AND l.ended_at >= ?2 AND l.class IS NULL
    ) OR EXISTS (
        SELECT 1 FROM attempts AS a INDEXED BY attempts_ends
        WHERE a.counted AND a.mailbox = m.id AND a.ended_at >= ?2 AND a.class = 'delivered'
    )
) LIMIT ?3;

-- told_from: When the login of a mailbox had begun that ended last since an instant.
SELECT max(started_at) FROM logins INDEXED BY logins_of WHERE mailbox = ? AND ended_at >= ?;

-- delivered_since: Mailboxes of a provider whose mail went through since an instant.
SELECT m.username FROM mailboxes AS m WHERE m.provider = ?1 AND EXISTS (
    SELECT 1 FROM attempts AS a INDEXED BY attempts_ends
    WHERE a.counted AND a.mailbox = m.id AND a.ended_at >= ?2 AND a.class = 'delivered'
) LIMIT ?3;

-- blocked_login: In which words a login of a mailbox was refused as blocked last, and when.
SELECT ended_at, likeness FROM logins INDEXED BY logins_of
WHERE mailbox = ? AND ended_at >= ? AND class = 'account-blocked' ORDER BY ended_at DESC LIMIT 1;

-- blocked_attempt: In which words an attempt of a mailbox was refused as blocked last, and when.
SELECT ended_at, likeness FROM attempts INDEXED BY attempts_ends
WHERE counted AND mailbox = ? AND ended_at >= ? AND class = 'account-blocked' ORDER BY ended_at DESC LIMIT 1;

-- sent_since: When attempts of a mailbox ended since an instant.
SELECT ended_at FROM attempts INDEXED BY attempts_ends WHERE counted AND mailbox = ? AND ended_at >= ?;

-- block_words: In which words a provider blocks many now.
SELECT json_extract(detail, '$.likeness') FROM concerns WHERE kind = 'block' AND about = ? AND closed_at IS NULL;
