-- Times are seconds since 1970; sealed and hashed values are blobs. Blobs come last: the other columns stay in one page.
CREATE TABLE message (
    seq            INTEGER PRIMARY KEY,
    id             TEXT NOT NULL UNIQUE,
    lane           TEXT NOT NULL,
    operation      TEXT NOT NULL,
    client         TEXT NOT NULL,
    state          TEXT NOT NULL,
    direct         INTEGER NOT NULL,
    repeat         TEXT NOT NULL,
    skip_buried    INTEGER NOT NULL,
    holds          INTEGER NOT NULL,            -- keeps back the later ones of its order key
    uncertain      INTEGER NOT NULL DEFAULT 0,  -- an attempt may have been done
    token          INTEGER NOT NULL DEFAULT 0,
    leased_until   REAL,
    due            REAL NOT NULL,
    attempts       INTEGER NOT NULL DEFAULT 0,
    failures       INTEGER NOT NULL DEFAULT 0,
    expires        REAL,                        -- seconds of open time
    expires_at     REAL,                        -- the lane's clock of open time
    accepted_at    REAL NOT NULL,
    answer_by      REAL,                        -- people must have an answer by then
    near_at        REAL,                        -- and from then on that is near; null only without answer_by
    until_final    INTEGER NOT NULL,            -- the clock towards it goes on after delivery
    answered_at    REAL,                        -- it stopped; null without answer_by
    ask_at         REAL,                        -- delivered, still running: when the agency is asked next
    settled_at     REAL,                        -- only when the state is final
    stage          INTEGER NOT NULL DEFAULT 0,  -- 1: without idempotency key, 2: without bodies
    reason         TEXT NOT NULL DEFAULT '',
    text           TEXT NOT NULL DEFAULT '',
    size           INTEGER NOT NULL,
    key_number     INTEGER NOT NULL,            -- the oldest encryption key in the row
    correlation_id TEXT NOT NULL,
    traceparent    TEXT NOT NULL,
    order_key      BLOB,
    subject        BLOB,
    idempotency    BLOB,
    body_hash      BLOB NOT NULL,
    body           BLOB,
    answer         BLOB,
    native         BLOB
);

-- What waits and what is in flight stay quick to find however long the history is.
CREATE INDEX message_pending ON message (lane, due, seq) WHERE state = 'pending';
CREATE INDEX message_expires ON message (lane, expires_at) WHERE state = 'pending' AND expires_at IS NOT NULL;
CREATE INDEX message_leased ON message (lane, leased_until) WHERE state = 'delivering';
CREATE INDEX message_holds ON message (lane, order_key, seq) WHERE holds = 1 AND order_key IS NOT NULL;
CREATE UNIQUE INDEX message_idempotency ON message (idempotency) WHERE idempotency IS NOT NULL;

-- Search: each way in gives the newest first, so no search sorts the history.
CREATE INDEX message_accepted ON message (accepted_at, seq);
CREATE INDEX message_lane ON message (lane, accepted_at, seq);
CREATE INDEX message_operation ON message (operation, accepted_at, seq);
CREATE INDEX message_client ON message (client, accepted_at, seq);
CREATE INDEX message_subject ON message (subject, accepted_at, seq) WHERE subject IS NOT NULL;
CREATE INDEX message_state ON message (state, accepted_at, seq, lane) WHERE state <> 'delivered';
CREATE INDEX message_retention ON message (lane, stage, settled_at) WHERE settled_at IS NOT NULL;

-- Only the clocks that run are in these: what was answered costs nothing.
CREATE INDEX message_clock ON message (lane, answer_by, near_at, answered_at) WHERE answer_by IS NOT NULL AND answered_at IS NULL;
CREATE INDEX message_ask ON message (lane, ask_at) WHERE ask_at IS NOT NULL;

CREATE TABLE attempt (
    message INTEGER NOT NULL,
    number  INTEGER NOT NULL,
    at      REAL NOT NULL,
    seconds REAL,
    outcome TEXT NOT NULL,
    status  INTEGER,
    error   TEXT NOT NULL,
    PRIMARY KEY (message, number)
) WITHOUT ROWID;

CREATE TABLE deed (
    seq     INTEGER PRIMARY KEY,
    message INTEGER NOT NULL,
    at      REAL NOT NULL,
    by      TEXT NOT NULL,
    act     TEXT NOT NULL,
    detail  BLOB
);
CREATE INDEX deed_message ON deed (message);

-- The clock of open time: open_seconds, and what has passed since open_since up to shortly after the last beat.
CREATE TABLE lane (
    name         TEXT PRIMARY KEY,
    open_seconds REAL NOT NULL DEFAULT 0,
    open_since   REAL,
    beat_at      REAL
) WITHOUT ROWID;

CREATE TABLE pause (
    lane   TEXT NOT NULL,
    reason TEXT NOT NULL,
    by     TEXT NOT NULL,
    since  REAL NOT NULL,
    until  REAL,
    PRIMARY KEY (lane, reason)
) WITHOUT ROWID;

CREATE TABLE lease (
    name  TEXT PRIMARY KEY,
    by    TEXT NOT NULL,
    token INTEGER NOT NULL,
    until REAL NOT NULL
) WITHOUT ROWID;

CREATE TABLE setting (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;
