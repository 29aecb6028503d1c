-- From schema 1 to 2: what admins list, what a report says of a lifetime that ended, and notices of delay.

-- messages_account: What an account sent.
CREATE INDEX messages_account ON messages (account);

-- messages_message_id: Which message its sender means.
CREATE INDEX messages_message_id ON messages (substr(message_id_hash, 1, 8));

-- deliveries_failed: What bounced or was cancelled.
CREATE INDEX deliveries_failed ON deliveries (id) WHERE state >= 3;

-- attempts_of: The attempts of a delivery.
CREATE INDEX attempts_of ON attempts (delivery);

-- outbox_since: Since when `reason` had held it, where its lifetime ended.
ALTER TABLE outbox ADD COLUMN since INTEGER;

-- notices: Which deliveries were looked at for a notice of delay.
CREATE TABLE notices (id INTEGER PRIMARY KEY CHECK (id = 1), delivery INTEGER NOT NULL);

-- noticed: Notices of delay lately sent to an account.
CREATE TABLE noticed (account INTEGER PRIMARY KEY, begun INTEGER NOT NULL, many INTEGER NOT NULL);
