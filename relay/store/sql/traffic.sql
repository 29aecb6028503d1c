-- What accounts hand in by the day, and mailboxes that are new to the relay.

-- counted: The newest message that was counted.
SELECT value FROM meta WHERE name = 'traffic_counted';

-- set_counted: How far it was counted.
INSERT INTO meta (name, value) VALUES ('traffic_counted', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value;

-- newest_message: The newest message that there is.
SELECT max(seq) FROM messages;

-- messages_after: Mail handed in after a message, oldest first.
SELECT seq, account, accepted_at FROM messages WHERE seq > ? AND kind = 0 ORDER BY seq LIMIT ?;

-- add_traffic: So many more on a day.
INSERT INTO traffic (account, day, messages) VALUES (?, ?, ?)
ON CONFLICT (account, day) DO UPDATE SET messages = messages + excluded.messages;

-- days_of: What an account handed in since a day.
SELECT day, messages FROM traffic WHERE account = ? AND day >= ?;

-- senders_after: Accounts that handed in something, after one.
SELECT DISTINCT account FROM traffic WHERE account > ? ORDER BY account LIMIT ?;

-- drop_traffic: Forgets days before one, of an account.
DELETE FROM traffic WHERE account = ? AND day < ?;

-- warmups: Mailboxes that are new to the relay, with how many clean days they have had.
SELECT m.provider, m.username, w.begun_at, w.clean_days, w.counted_day
FROM warmups AS w JOIN mailboxes AS m ON m.id = w.mailbox;

-- was_used: Whether a mailbox ever tried anything.
SELECT 1 FROM attempts WHERE mailbox = ? LIMIT 1;

-- begin_warmup: A mailbox is new.
INSERT INTO warmups (mailbox, begun_at, clean_days, counted_day) VALUES (?, ?, 0, ?) ON CONFLICT DO NOTHING;

-- take_warmup: A mailbox is the one that had another name so far.
INSERT OR REPLACE INTO warmups (mailbox, begun_at, clean_days, counted_day)
SELECT ?, begun_at, clean_days, counted_day FROM warmups WHERE mailbox = ?;

-- drop_warmup: A mailbox is not new.
DELETE FROM warmups WHERE mailbox = ?;

-- set_warmup: A day of it is over.
UPDATE warmups SET clean_days = ?, counted_day = ? WHERE mailbox = ?;

-- classes_between: What a mailbox met between two instants of relay time.
SELECT DISTINCT class FROM attempts WHERE mailbox = ? AND ended_at >= ? AND ended_at < ?;
