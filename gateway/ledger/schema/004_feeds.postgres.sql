-- Rows of files lie in tables of their own, one a snapshot: snapshot_<number>, named by the receipt that made it.

-- live and previous are receipts; changed_by is the person who set the live one, '' where a file did.
CREATE TABLE feed (
    name       text PRIMARY KEY,
    live       bigint,
    previous   bigint,
    changed_by text NOT NULL DEFAULT ''
);

-- fields are the columns of its snapshot's table, in order; token is the lease that works at it. base: whose snapshot it
-- is added to; original: what a duplicate doubles; before: rows of the snapshot before. again: who wants it tried again,
-- with shrink however few rows it has; confirmed: who said so of this one.
CREATE TABLE receipt (
    number     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    feed       text NOT NULL,
    file       text NOT NULL,
    sha256     text NOT NULL,
    size       bigint NOT NULL,
    as_of      timestamptz NOT NULL,
    mapping    text NOT NULL,
    mode       text NOT NULL,
    state      text NOT NULL,
    base       bigint,
    original   bigint,
    before     bigint NOT NULL DEFAULT 0,
    tally      text NOT NULL DEFAULT '{}',
    fields     text NOT NULL DEFAULT '',
    token      bigint NOT NULL DEFAULT 0,
    reason     text NOT NULL DEFAULT '',
    claimed_at timestamptz NOT NULL,
    ended_at   timestamptz,
    place      text NOT NULL DEFAULT '',
    settled    boolean NOT NULL DEFAULT false,
    confirmed  text NOT NULL DEFAULT '',
    again      text NOT NULL DEFAULT '',
    shrink     boolean NOT NULL DEFAULT false
);

CREATE INDEX receipt_feed ON receipt (feed, number);
CREATE INDEX receipt_open ON receipt (feed, state) WHERE NOT settled;
CREATE INDEX receipt_again ON receipt (feed) WHERE again <> '';

CREATE TABLE reject (
    receipt bigint NOT NULL,
    number  bigint NOT NULL,
    reasons text NOT NULL,
    PRIMARY KEY (receipt, number)
);
