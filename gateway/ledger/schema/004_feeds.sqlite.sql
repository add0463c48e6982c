-- Rows of files lie in files of their own beside the ledger, one a snapshot, named by the receipt that made it.

-- live and previous are receipts; changed_by is the person who set the live one, '' where a file did.
CREATE TABLE feed (
    name       TEXT PRIMARY KEY,
    live       INTEGER,
    previous   INTEGER,
    changed_by TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID;

CREATE TABLE receipt (
    number     INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used again: a snapshot's file is named by it
    feed       TEXT NOT NULL,
    file       TEXT NOT NULL,
    sha256     TEXT NOT NULL,
    size       INTEGER NOT NULL,
    as_of      REAL NOT NULL,
    mapping    TEXT NOT NULL,
    mode       TEXT NOT NULL,
    state      TEXT NOT NULL,
    base       INTEGER,                            -- whose snapshot it is added to
    original   INTEGER,                            -- what a duplicate doubles
    before     INTEGER NOT NULL DEFAULT 0,         -- rows of the snapshot before
    tally      TEXT NOT NULL DEFAULT '{}',         -- written when it ends; until then it is beside the rows
    reason     TEXT NOT NULL DEFAULT '',
    claimed_at REAL NOT NULL,
    ended_at   REAL,
    place      TEXT NOT NULL DEFAULT '',
    settled    INTEGER NOT NULL DEFAULT 0,
    confirmed  TEXT NOT NULL DEFAULT '',           -- who said that it may shrink
    again      TEXT NOT NULL DEFAULT '',           -- who wants it tried again
    shrink     INTEGER NOT NULL DEFAULT 0          -- and that it may shrink then
);

CREATE INDEX receipt_feed ON receipt (feed, number);
CREATE INDEX receipt_open ON receipt (feed, state) WHERE settled = 0;
CREATE INDEX receipt_again ON receipt (feed) WHERE again <> '';
