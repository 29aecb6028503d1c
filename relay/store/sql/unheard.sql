-- Messages whose client cannot have read that they were accepted.

-- unheard: All that are remembered.
SELECT m.client, m.submitted_hash, m.id, u.until FROM unheard AS u JOIN messages AS m ON m.seq = u.message;

-- remember_unheard: A client was not told.
INSERT INTO unheard (message, until) SELECT seq, ? FROM messages WHERE id = ? AND true
ON CONFLICT (message) DO UPDATE SET until = excluded.until;

-- forget_unheard: It was told after all.
DELETE FROM unheard WHERE message = (SELECT seq FROM messages WHERE id = ?);

-- drop_unheard: Who has not sent again by now will not.
DELETE FROM unheard WHERE until <= ?;

-- message_of: A message and where its deliveries are.
SELECT m.seq, m.recipients, a.sender, m.submitted_hash, m.client FROM messages AS m JOIN accounts AS a ON a.id = m.account
WHERE m.id = ?;

-- recipients_of: To whom it goes, and where each is.
SELECT recipient_hash, state FROM deliveries WHERE id >= ? AND id < ?;

-- newest_seq: The message that came last.
SELECT max(seq) FROM messages;

-- last_moment: Queue time of the last commit but for a second.
SELECT c.relay + CAST(m.value AS INTEGER) FROM clock AS c JOIN meta AS m ON m.name = 'queue_ahead';

-- recall_unheard: After a crash: mail that came in just before it, and that nobody said the end of, from its own time on.
INSERT INTO unheard (message, until)
SELECT seq, accepted_at + ? FROM (
    SELECT seq, accepted_at, kind FROM messages WHERE seq > ? ORDER BY seq DESC LIMIT ?
) WHERE accepted_at >= ? AND kind = 0
ON CONFLICT (message) DO NOTHING;
