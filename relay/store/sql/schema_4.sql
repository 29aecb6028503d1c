-- From schema 3 to 4: since when credentials are missing, and what became of reports and letters of notice.

-- fingerprints_since: Since when a mailbox has no credentials; null: it has some.
ALTER TABLE fingerprints ADD COLUMN since INTEGER;

-- outbox_on_its_way: The message that tells of it and is on its way.
ALTER TABLE outbox ADD COLUMN report INTEGER;

-- outbox_refused_by: The mailbox through which the first report was refused.
ALTER TABLE outbox ADD COLUMN refused_by INTEGER;

-- outbox_refused_at: When that was, wall time.
ALTER TABLE outbox ADD COLUMN refused_at INTEGER;

-- outbox_is_lost: Nobody can be told.
ALTER TABLE outbox ADD COLUMN lost INTEGER NOT NULL DEFAULT 0;

-- outbox_open: What nobody tells of yet.
CREATE INDEX outbox_open ON outbox (id) WHERE report IS NULL AND NOT lost;

-- outbox_report: Of what a report tells.
CREATE INDEX outbox_report ON outbox (report) WHERE report IS NOT NULL;

-- outbox_lost: Of what nobody can be told.
CREATE INDEX outbox_lost ON outbox (id) WHERE lost;

-- letters: Notices on their way by mail: which word of which concern they tell, and to whom (hash of the address).
CREATE TABLE letters (message INTEGER PRIMARY KEY, concern INTEGER NOT NULL, word INTEGER NOT NULL, reader TEXT NOT NULL);
