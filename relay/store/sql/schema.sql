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

-- create_fingerprints: Keyed hashes of the mailboxes' credentials and routes; null: there are no credentials, `since`
-- (queue time).
CREATE TABLE fingerprints (
    provider TEXT NOT NULL, username TEXT NOT NULL, fingerprint TEXT, since INTEGER, PRIMARY KEY (provider, username)
) WITHOUT ROWID;

-- create_accounts: Senders that mail was ever accepted for.
CREATE TABLE accounts (id INTEGER PRIMARY KEY, sender TEXT NOT NULL UNIQUE);

-- create_mailboxes: Logins at providers, with their health (JSON, null: nothing is known of it).
CREATE TABLE mailboxes (
    id INTEGER PRIMARY KEY, provider TEXT NOT NULL, username TEXT NOT NULL, health TEXT, UNIQUE (provider, username)
);

-- create_providers: The health of providers' hosts.
CREATE TABLE providers (name TEXT PRIMARY KEY, health TEXT) WITHOUT ROWID;

-- create_messages: What was accepted; `seq` is the id of its first delivery. `is_dated`: it is worth nothing after
-- its lifetime, held or not. Rows never change.
CREATE TABLE messages (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, client TEXT NOT NULL, account INTEGER NOT NULL,
    kind INTEGER NOT NULL, accepted_at INTEGER NOT NULL, size INTEGER NOT NULL, recipients INTEGER NOT NULL,
    segment INTEGER NOT NULL, "offset" INTEGER NOT NULL, length INTEGER NOT NULL,
    message_id_hash BLOB NOT NULL, submitted_hash BLOB NOT NULL, is_dated INTEGER NOT NULL DEFAULT 0
);

-- create_messages_account: What an account sent.
CREATE INDEX messages_account ON messages (account);

-- create_messages_message_id: Which message its sender means; half a hash finds it as well, in half the space.
CREATE INDEX messages_message_id ON messages (substr(message_id_hash, 1, 8));

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

-- create_deliveries_failed: What bounced or was cancelled: few among many.
CREATE INDEX deliveries_failed ON deliveries (id) WHERE state >= 3;

-- create_claims: Attempts under way. `lapsed_at`: when its node's lease ended. `is_lost`: it only holds its slots, the
-- delivery became final or another's.
CREATE TABLE claims (
    attempt INTEGER PRIMARY KEY, delivery INTEGER NOT NULL, mailbox INTEGER NOT NULL, node TEXT NOT NULL,
    started_at INTEGER NOT NULL, gated_at INTEGER, is_probe INTEGER NOT NULL, lapsed_at INTEGER,
    is_lost INTEGER NOT NULL DEFAULT 0
);

-- create_attempts: Attempts that ended: the limiter's memory and the delivery's history. `counted`: MAIL was written;
-- `likeness` as of a login; `said`: the reply unmasked and sealed, for a month.
CREATE TABLE attempts (
    id INTEGER PRIMARY KEY, delivery INTEGER NOT NULL, mailbox INTEGER NOT NULL, node TEXT NOT NULL,
    started_at INTEGER NOT NULL, gated_at INTEGER, ended_at INTEGER NOT NULL, counted INTEGER NOT NULL,
    stage TEXT NOT NULL, class TEXT NOT NULL, reply TEXT, likeness BLOB, said BLOB
);

-- create_attempts_ends: What a mailbox's limits still count.
CREATE INDEX attempts_ends ON attempts (mailbox, ended_at) WHERE counted;

-- create_attempts_of: The attempts of a delivery.
CREATE INDEX attempts_of ON attempts (delivery);

-- create_logins: Logins begun (`ended_at` null: under way) and ended, as far back as login limits count. `class`: why
-- it failed; `likeness`: equal for refusals that differ only in what names persons, hosts and sessions; `refused`: it
-- counts against the mailbox as a refused one.
CREATE TABLE logins (
    id INTEGER PRIMARY KEY, mailbox INTEGER NOT NULL, started_at INTEGER NOT NULL, ended_at INTEGER, class TEXT,
    likeness BLOB, refused INTEGER NOT NULL DEFAULT 0
);

-- create_logins_of: The logins of a mailbox.
CREATE INDEX logins_of ON logins (mailbox, ended_at);

-- create_nodes: Until when (relay time) a node's claims are its own.
CREATE TABLE nodes (name TEXT PRIMARY KEY, lease_until INTEGER NOT NULL) WITHOUT ROWID;

-- create_segments: Segment files, the first message in each, and how many in each still need their body.
CREATE TABLE segments (number INTEGER PRIMARY KEY, live INTEGER NOT NULL, first INTEGER NOT NULL);

-- create_outbox: What follows from an outcome and is not done yet. `at`: wall time of the outcome; `since`: since when
-- `reason` had held it, where its lifetime ended. `report`: the message that tells of it and is on its way; `refused_by`:
-- the mailbox through which the first one was refused, `refused_at`: when, wall time; `lost`: nobody can be told.
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, message INTEGER NOT NULL, delivery INTEGER NOT NULL,
    reason TEXT NOT NULL, reply TEXT, at INTEGER NOT NULL, envelope BLOB NOT NULL, since INTEGER,
    report INTEGER, refused_by INTEGER, refused_at INTEGER, lost INTEGER NOT NULL DEFAULT 0
);

-- create_outbox_message: Whether a message's body is still needed.
CREATE INDEX outbox_message ON outbox (message);

-- create_outbox_open: What nobody tells of yet.
CREATE INDEX outbox_open ON outbox (id) WHERE report IS NULL AND NOT lost;

-- create_outbox_report: Of what a report tells.
CREATE INDEX outbox_report ON outbox (report) WHERE report IS NOT NULL;

-- create_outbox_lost: Of what nobody can be told.
CREATE INDEX outbox_lost ON outbox (id) WHERE lost;

-- create_notices: Which deliveries were looked at for a notice of delay: all up to `delivery`.
CREATE TABLE notices (id INTEGER PRIMARY KEY CHECK (id = 1), delivery INTEGER NOT NULL);

-- create_noticed: Notices of delay lately sent to an account: how many since `begun` (wall time).
CREATE TABLE noticed (account INTEGER PRIMARY KEY, begun INTEGER NOT NULL, many INTEGER NOT NULL);

-- create_events: What happened, in order, for those who follow. `at`: wall time.
CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, kind TEXT NOT NULL, message INTEGER, delivery INTEGER,
    account INTEGER, mailbox INTEGER, detail TEXT
);

-- create_attempts_said_kept: Whose unmasked reply is forgotten next.
CREATE INDEX attempts_said_kept ON attempts (ended_at) WHERE said IS NOT NULL;

-- create_healths: What a mailbox (null: its provider's host) became, when, and why. `at`: wall time; `reply` is
-- masked; `by`: who said so, where a person did.
CREATE TABLE healths (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, provider TEXT NOT NULL, mailbox INTEGER,
    state TEXT NOT NULL, reason TEXT, cause TEXT NOT NULL, reply TEXT, by TEXT, slow INTEGER NOT NULL
);

-- create_healths_of: The history of one mailbox or provider.
CREATE INDEX healths_of ON healths (provider, mailbox, id);

-- create_paused_accounts: Accounts that a person has paused: since when (wall time), and why in his words.
CREATE TABLE paused_accounts (account INTEGER PRIMARY KEY, since INTEGER NOT NULL, why TEXT NOT NULL);

-- create_secrets: Passwords and tokens by name, sealed for that name, with the one use (host, TLS, login) that each is
-- bound to. `changed_at`: wall time at which somebody set it.
CREATE TABLE secrets (name TEXT PRIMARY KEY, sealed BLOB NOT NULL, changed_at INTEGER NOT NULL) WITHOUT ROWID;

-- create_suppressions: Recipients (keyed hash) that an account does not write to, or that were refused. kind: optout,
-- unknown. In force before `until`; null: for good. All wall time.
CREATE TABLE suppressions (
    account INTEGER NOT NULL, recipient_hash BLOB NOT NULL, kind TEXT NOT NULL, many INTEGER NOT NULL,
    first_at INTEGER NOT NULL, last_at INTEGER NOT NULL, until INTEGER, PRIMARY KEY (account, recipient_hash, kind)
) WITHOUT ROWID;

-- create_unheard: Messages whose client cannot have read that they were accepted. `until`: wall time.
CREATE TABLE unheard (message INTEGER PRIMARY KEY, until INTEGER NOT NULL);

-- create_riddles: Replies that no rule understands, masked, with how often they came.
CREATE TABLE riddles (
    provider TEXT NOT NULL, stage TEXT NOT NULL, code INTEGER NOT NULL, text TEXT NOT NULL, many INTEGER NOT NULL,
    first_at INTEGER NOT NULL, last_at INTEGER NOT NULL, PRIMARY KEY (provider, stage, code, text)
) WITHOUT ROWID;

-- create_concerns: What somebody has to know of. `about` tells one subject from another; `told_at`: when somebody was told
-- last; `look_at`: when to look whether to say more, null: never; `words`: how often that was; `detail` is JSON. All
-- queue time.
CREATE TABLE concerns (
    id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, about TEXT NOT NULL, provider TEXT, mailbox INTEGER,
    account INTEGER, reason TEXT, opened_at INTEGER NOT NULL, closed_at INTEGER, told_at INTEGER, look_at INTEGER,
    words INTEGER NOT NULL DEFAULT 0, detail TEXT NOT NULL
);

-- create_concerns_open: One open concern of a kind about one subject.
CREATE UNIQUE INDEX concerns_open ON concerns (kind, about) WHERE closed_at IS NULL;

-- create_concerns_about: The concerns of a kind about one subject, open or over.
CREATE INDEX concerns_about ON concerns (kind, about, id);

-- create_concerns_look: Which to look at next.
CREATE INDEX concerns_look ON concerns (look_at) WHERE look_at IS NOT NULL;

-- create_tellings: Notices on their way to the webhook of ops: `word` is the concern's how-manieth. state 0 due, 1 sent,
-- 2 given up: a dead letter. `notice` is JSON. All queue time.
CREATE TABLE tellings (
    id INTEGER PRIMARY KEY AUTOINCREMENT, concern INTEGER NOT NULL, word INTEGER NOT NULL, notice TEXT NOT NULL,
    state INTEGER NOT NULL DEFAULT 0, due_at INTEGER NOT NULL, tries INTEGER NOT NULL DEFAULT 0, error TEXT,
    done_at INTEGER
);

-- create_tellings_due: What is sent next.
CREATE INDEX tellings_due ON tellings (due_at) WHERE state = 0;

-- create_tellings_dead: What was given up.
CREATE INDEX tellings_dead ON tellings (id) WHERE state = 2;

-- create_tellings_of: One notice of a word of a concern.
CREATE UNIQUE INDEX tellings_of ON tellings (concern, word);

-- create_letters: Notices on their way by mail: which word of which concern they tell, and to whom (hash of the address).
CREATE TABLE letters (message INTEGER PRIMARY KEY, concern INTEGER NOT NULL, word INTEGER NOT NULL, reader TEXT NOT NULL);

-- create_traffic: How many messages an account handed in on a day (days since 1970, in the provider's time zone).
CREATE TABLE traffic (account INTEGER NOT NULL, day INTEGER NOT NULL, messages INTEGER NOT NULL,
    PRIMARY KEY (account, day)) WITHOUT ROWID;

-- create_warmups: Mailboxes new to the relay: since when (wall time), and how many clean days they have had, up to which day
-- (days since 1970 at the provider).
CREATE TABLE warmups (
    mailbox INTEGER PRIMARY KEY, begun_at INTEGER NOT NULL, clean_days INTEGER NOT NULL, counted_day INTEGER NOT NULL
);
