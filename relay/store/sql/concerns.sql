-- What somebody has to know of, and who was told.

-- open_concern: The open concern of a kind about one subject.
SELECT id, reason FROM concerns WHERE kind = ? AND about = ? AND closed_at IS NULL;

-- add_concern: One begins.
INSERT INTO concerns (kind, about, provider, mailbox, account, reason, opened_at, closed_at, detail)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);

-- change_concern: It goes on for another reason.
UPDATE concerns SET reason = ?, detail = ? WHERE id = ?;

-- close_concern: It is over.
UPDATE concerns SET closed_at = ? WHERE kind = ? AND about = ? AND closed_at IS NULL;
