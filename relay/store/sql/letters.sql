-- Notices on their way by mail.

-- add_letter: A notice is on its way by mail.
INSERT INTO letters (message, concern, word, reader) VALUES (?, ?, ?, ?);

-- letter_of: What a message tells.
SELECT concern, word, reader FROM letters WHERE message = ?;

-- drop_letter: It arrived, or never will.
DELETE FROM letters WHERE message = ?;

-- written: When a letter of a concern went into the queue last: their ids lie between two.
SELECT max(accepted_at) FROM messages WHERE id >= ? AND id < ?;
