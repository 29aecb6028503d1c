-- Mailboxes tried by hand: attempts of no delivery, which is delivery 0.

-- get_trial: A trial under way.
SELECT mailbox, node, started_at FROM claims WHERE attempt = ? AND delivery = 0;

-- trials_of: The trials of a node under way.
SELECT attempt FROM claims WHERE node = ? AND delivery = 0 ORDER BY attempt;

-- begin_trial: A trial takes its slots.
INSERT INTO claims (attempt, delivery, mailbox, node, started_at, is_probe) VALUES (?, 0, ?, ?, ?, 1);

-- other_holder: Which other node than this one has the sessions of a mailbox; one node alone has all of them.
SELECT node FROM (SELECT ? AS provider, ? AS username, ? AS node) WHERE FALSE;

-- end_trial: A trial is over.
DELETE FROM claims WHERE attempt = ? AND delivery = 0;

-- keep_trial: What came of a trial, for as long as limits count it.
INSERT INTO attempts (id, delivery, mailbox, node, started_at, ended_at, counted, stage, class, reply)
VALUES (?, 0, ?, ?, ?, ?, 1, ?, ?, ?);

-- last_refusal: When the login of a mailbox was refused last.
SELECT max(ended_at) FROM logins WHERE mailbox = ? AND refused;
