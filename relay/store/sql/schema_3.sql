-- From schema 2 to 3: how each login ended, what replies have in common, histories of health, secrets, and what the
-- relay remembers of accounts, recipients and notices.

-- messages_is_dated: It is worth nothing after its lifetime, held or not.
ALTER TABLE messages ADD COLUMN is_dated INTEGER NOT NULL DEFAULT 0;

-- logins_class: How a login ended: a reply class; null: it worked, or is under way.
ALTER TABLE logins ADD COLUMN class TEXT;

-- logins_likeness: Equal for refusals that differ only in what names persons, hosts and sessions.
ALTER TABLE logins ADD COLUMN likeness BLOB;

-- logins_refused: It counts against the mailbox as a refused one.
ALTER TABLE logins ADD COLUMN refused INTEGER NOT NULL DEFAULT 0;

-- attempts_likeness: As of a login.
ALTER TABLE attempts ADD COLUMN likeness BLOB;

-- attempts_said: What the provider said, unmasked and sealed, for the role that may see it.
ALTER TABLE attempts ADD COLUMN said BLOB;

-- attempts_said_kept: Whose unmasked reply is forgotten next.
CREATE INDEX attempts_said_kept ON attempts (ended_at) WHERE said IS NOT NULL;

-- healths: What a mailbox (null: its provider's host) became, when, and why. `at`: wall time; `reply` is masked; `by`:
-- who said so, where a person did.
CREATE TABLE healths (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, provider TEXT NOT NULL, mailbox INTEGER,
    state TEXT NOT NULL, reason TEXT, cause TEXT NOT NULL, reply TEXT, by TEXT, slow INTEGER NOT NULL
);

-- healths_of: The history of one mailbox or provider.
CREATE INDEX healths_of ON healths (provider, mailbox, id);

-- paused_accounts: Accounts that a person has paused: since when (wall time), and why in his words.
CREATE TABLE paused_accounts (account INTEGER PRIMARY KEY, since INTEGER NOT NULL, why TEXT NOT NULL);

-- secrets: Passwords and tokens by name, sealed for that name, with the one use (host, TLS, login) that each is bound
-- to. `changed_at`: wall time at which somebody set it.
CREATE TABLE secrets (name TEXT PRIMARY KEY, sealed BLOB NOT NULL, changed_at INTEGER NOT NULL) WITHOUT ROWID;

-- suppressions: Recipients (keyed hash) that an account does not write to, or that were refused. kind: optout, unknown.
-- In force before `until`; null: for good. All wall time.
CREATE TABLE suppressions (
    account INTEGER NOT NULL, recipient_hash BLOB NOT NULL, kind TEXT NOT NULL, many INTEGER NOT NULL,
    first_at INTEGER NOT NULL, last_at INTEGER NOT NULL, until INTEGER, PRIMARY KEY (account, recipient_hash, kind)
) WITHOUT ROWID;

-- unheard: Messages whose client cannot have read that they were accepted. `until`: wall time.
CREATE TABLE unheard (message INTEGER PRIMARY KEY, until INTEGER NOT NULL);

-- riddles: Replies that no rule understands, masked, with how often they came.
CREATE TABLE riddles (
    provider TEXT NOT NULL, stage TEXT NOT NULL, code INTEGER NOT NULL, text TEXT NOT NULL, many INTEGER NOT NULL,
    first_at INTEGER NOT NULL, last_at INTEGER NOT NULL, PRIMARY KEY (provider, stage, code, text)
) WITHOUT ROWID;

-- concerns: What somebody has to know of. `about` tells one subject from another; `told_at`: when somebody was told
-- last; `look_at`: when to look whether to say more, null: never; `words`: how often that was; `detail` is JSON. All
-- queue time.
CREATE TABLE concerns (
    id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, about TEXT NOT NULL, provider TEXT, mailbox INTEGER,
    account INTEGER, reason TEXT, opened_at INTEGER NOT NULL, closed_at INTEGER, told_at INTEGER, look_at INTEGER,
    words INTEGER NOT NULL DEFAULT 0, detail TEXT NOT NULL
);

-- concerns_open: One open concern of a kind about one subject.
CREATE UNIQUE INDEX concerns_open ON concerns (kind, about) WHERE closed_at IS NULL;

-- concerns_about: The concerns of a kind about one subject, open or over.
CREATE INDEX concerns_about ON concerns (kind, about, id);

-- concerns_look: Which to look at next.
CREATE INDEX concerns_look ON concerns (look_at) WHERE look_at IS NOT NULL;

-- tellings: Notices on their way to the webhook of ops: `word` is the concern's how-manieth. state 0 due, 1 sent,
-- 2 given up: a dead letter. `notice` is JSON. All queue time.
CREATE TABLE tellings (
    id INTEGER PRIMARY KEY AUTOINCREMENT, concern INTEGER NOT NULL, word INTEGER NOT NULL, notice TEXT NOT NULL,
    state INTEGER NOT NULL DEFAULT 0, due_at INTEGER NOT NULL, tries INTEGER NOT NULL DEFAULT 0, error TEXT,
    done_at INTEGER
);

-- tellings_due: What is sent next.
CREATE INDEX tellings_due ON tellings (due_at) WHERE state = 0;

-- tellings_dead: What was given up.
CREATE INDEX tellings_dead ON tellings (id) WHERE state = 2;

-- tellings_of: One notice of a word of a concern.
CREATE UNIQUE INDEX tellings_of ON tellings (concern, word);

-- traffic: How many messages an account handed in on a day (days since 1970, in the provider's time zone).
CREATE TABLE traffic (account INTEGER NOT NULL, day INTEGER NOT NULL, messages INTEGER NOT NULL,
    PRIMARY KEY (account, day)) WITHOUT ROWID;

-- warmups: Mailboxes new to the relay: since when (wall time), and how many clean days they have had, up to which day
-- (days since 1970 at the provider).
CREATE TABLE warmups (
    mailbox INTEGER PRIMARY KEY, begun_at INTEGER NOT NULL, clean_days INTEGER NOT NULL, counted_day INTEGER NOT NULL
);
