-- The tables of a store. Instants are microseconds: relay time where a limiter counts, wall time where said.

-- create_meta: Facts about the store itself: schema version, id, fingerprint of its key.
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

-- create_clock: The one anchor of relay time.
CREATE TABLE clock (
    id INTEGER PRIMARY KEY CHECK (id = 1), boot_id TEXT NOT NULL, boottime INTEGER NOT NULL, wall INTEGER NOT NULL,
    relay INTEGER NOT NULL, civil_offset INTEGER NOT NULL
);

-- create_routing: The routing in force, but for its accounts: one row, none before the first.
CREATE TABLE routing (id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL, body BLOB NOT NULL);

-- create_routed_accounts: The accounts of the routing in force, one by one: an edit of one writes one.
CREATE TABLE routed_accounts (id INTEGER PRIMARY KEY, sender TEXT NOT NULL UNIQUE, body BLOB NOT NULL);

-- create_fingerprints: Keyed hashes of the mailboxes' credentials and routes; null: there are no credentials.
CREATE TABLE fingerprints (
    provider TEXT NOT NULL, username TEXT NOT NULL, fingerprint TEXT, PRIMARY KEY (provider, username)
) WITHOUT ROWID;

-- create_accounts: Senders that mail was ever accepted for.
CREATE TABLE accounts (id INTEGER PRIMARY KEY, sender TEXT NOT NULL UNIQUE);

-- create_mailboxes: Logins at providers, with their health (JSON, null: nothing is known of it).
CREATE TABLE mailboxes (
    id INTEGER PRIMARY KEY, provider TEXT NOT NULL, username TEXT NOT NULL, health TEXT, UNIQUE (provider, username)
);

-- create_providers: The health of providers' hosts.
CREATE TABLE providers (name TEXT PRIMARY KEY, health TEXT) WITHOUT ROWID;

-- create_messages: What was accepted; `seq` is the id of its first delivery. Rows never change.
CREATE TABLE messages (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, client TEXT NOT NULL, account INTEGER NOT NULL,
    kind INTEGER NOT NULL, accepted_at INTEGER NOT NULL, size INTEGER NOT NULL, recipients INTEGER NOT NULL,
    segment INTEGER NOT NULL, "offset" INTEGER NOT NULL, length INTEGER NOT NULL,
    message_id_hash BLOB NOT NULL, submitted_hash BLOB NOT NULL
);

-- create_deliveries: One message to one recipient. state 0 waiting (due 0: ready; else the wall time of the next try),
-- 1 held, 2 delivered, 3 bounced, 4 cancelled. A waiting one with a row in `claims` is being sent. `expires_at` is the
-- wall time at which it bounces if it has not left by then. `envelope` goes when it is final.
CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY, message INTEGER NOT NULL, account INTEGER NOT NULL, lane INTEGER NOT NULL,
    state INTEGER NOT NULL, due INTEGER NOT NULL, expires_at INTEGER NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0, doubts INTEGER NOT NULL DEFAULT 0, reason TEXT, reply TEXT, since INTEGER NOT NULL,
    domain BLOB NOT NULL, recipient_hash BLOB NOT NULL, envelope BLOB
);

-- create_deliveries_ready: The queue itself: what may be sent of a lane of an account, oldest first.
CREATE INDEX deliveries_ready ON deliveries (account, lane, id) WHERE state = 0 AND due = 0;

-- create_deliveries_stalled: What waits for a time or is held, by account.
CREATE INDEX deliveries_stalled ON deliveries (account, state) WHERE state <= 1 AND NOT (state = 0 AND due = 0);

-- create_deliveries_due: Whose next try comes first.
CREATE INDEX deliveries_due ON deliveries (due) WHERE due > 0 AND due < expires_at;

-- create_deliveries_expiry: Whose lifetime ends first.
CREATE INDEX deliveries_expiry ON deliveries (expires_at) WHERE state <= 1;

-- create_claims: Attempts under way. `lapsed_at`: when its node's lease ended. `is_lost`: it only holds its slots, the
-- delivery became final or another's.
CREATE TABLE claims (
    attempt INTEGER PRIMARY KEY, delivery INTEGER NOT NULL, mailbox INTEGER NOT NULL, node TEXT NOT NULL,
    started_at INTEGER NOT NULL, gated_at INTEGER, is_probe INTEGER NOT NULL, lapsed_at INTEGER,
    is_lost INTEGER NOT NULL DEFAULT 0
);

-- create_attempts: Attempts that ended: the limiter's memory and the delivery's history. `counted`: MAIL was written.
CREATE TABLE attempts (
    id INTEGER PRIMARY KEY, delivery INTEGER NOT NULL, mailbox INTEGER NOT NULL, node TEXT NOT NULL,
    started_at INTEGER NOT NULL, gated_at INTEGER, ended_at INTEGER NOT NULL, counted INTEGER NOT NULL,
    stage TEXT NOT NULL, class TEXT NOT NULL, reply TEXT
);

-- create_attempts_ends: What a mailbox's limits still count.
CREATE INDEX attempts_ends ON attempts (mailbox, ended_at) WHERE counted;

-- create_logins: Logins begun (`ended_at` null: under way) and ended, as far back as login limits count.
CREATE TABLE logins (id INTEGER PRIMARY KEY, mailbox INTEGER NOT NULL, started_at INTEGER NOT NULL, ended_at INTEGER);

-- create_logins_of: The logins of a mailbox.
CREATE INDEX logins_of ON logins (mailbox, ended_at);

-- create_nodes: Until when (relay time) a node's claims are its own.
CREATE TABLE nodes (name TEXT PRIMARY KEY, lease_until INTEGER NOT NULL) WITHOUT ROWID;

-- create_segments: Segment files, the first message in each, and how many in each still need their body.
CREATE TABLE segments (number INTEGER PRIMARY KEY, live INTEGER NOT NULL, first INTEGER NOT NULL);

-- create_outbox: What follows from an outcome and is not done yet. `at`: wall time of the outcome.
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, message INTEGER NOT NULL, delivery INTEGER NOT NULL,
    reason TEXT NOT NULL, reply TEXT, at INTEGER NOT NULL, envelope BLOB NOT NULL
);

-- create_outbox_message: Whether a message's body is still needed.
CREATE INDEX outbox_message ON outbox (message);

-- create_events: What happened, in order, for those who follow. `at`: wall time.
CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, kind TEXT NOT NULL, message INTEGER, delivery INTEGER,
    account INTEGER, mailbox INTEGER, detail TEXT
);
