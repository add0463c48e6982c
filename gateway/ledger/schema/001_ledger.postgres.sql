-- The clock of all replicas; one place, so that tests can let time pass.
CREATE FUNCTION ledger_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS 'SELECT clock_timestamp()';

-- A lane's clock of open time: what was counted, and what passed since then up to shortly after the last beat.
CREATE FUNCTION ledger_reading(counted double precision, since timestamptz, beat timestamptz, now timestamptz)
    RETURNS double precision LANGUAGE sql IMMUTABLE AS $$
        SELECT counted + CASE WHEN since IS NULL THEN 0
            ELSE greatest(0, extract(epoch FROM least(now, beat + interval '30 seconds') - since)::double precision) END
    $$;

-- Fencing tokens, of claims and of named leases.
CREATE SEQUENCE ticket AS bigint;

CREATE TABLE setting (
    name  text PRIMARY KEY,
    value text NOT NULL
);

-- open_since is null while the clock stands still.
CREATE TABLE lane (
    name         text PRIMARY KEY,
    open_seconds double precision NOT NULL DEFAULT 0,
    open_since   timestamptz,
    beat_at      timestamptz
) WITH (fillfactor = 50);

CREATE TABLE pause (
    lane   text NOT NULL,
    reason text NOT NULL,
    by     text NOT NULL,
    since  timestamptz NOT NULL,
    until  timestamptz,
    PRIMARY KEY (lane, reason)
);

CREATE TABLE hold (
    name  text PRIMARY KEY,
    by    text NOT NULL,
    token bigint NOT NULL,
    until timestamptz NOT NULL
);

-- token is the live claim's, or of a lease that ended as unknown, whose owner may still say how; spent is the one that settled it last, by which a repeated settlement is known.
-- expires_at is a reading of the lane's clock of open time, expires the seconds it was given. settled_at is null until
-- the state is final. stage 1: without idempotency key, 2: without bodies. holds: keeps back the
-- later ones of its order key. key_number: the oldest encryption key in it. People must have an answer by answer_by, which
-- is near from near_at on; until_final: that clock goes on after delivery, and the agency is asked at ask_at. answered_at:
-- it stopped. All are null without answer_by.
CREATE TABLE message (
    seq            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    token          bigint,
    spent          bigint,
    due            timestamptz NOT NULL,
    accepted_at    timestamptz NOT NULL,
    answer_by      timestamptz,
    near_at        timestamptz,
    answered_at    timestamptz,
    ask_at         timestamptz,
    leased_until   timestamptz,
    settled_at     timestamptz,
    expires        double precision,
    expires_at     double precision,
    attempts       integer NOT NULL DEFAULT 0,
    failures       integer NOT NULL DEFAULT 0,
    size           integer NOT NULL,
    key_number     integer NOT NULL,
    stage          smallint NOT NULL DEFAULT 0,
    direct         boolean NOT NULL,
    skip_buried    boolean NOT NULL,
    holds          boolean NOT NULL,
    uncertain      boolean NOT NULL DEFAULT false,
    until_final    boolean NOT NULL,
    state          text NOT NULL,
    id             text NOT NULL UNIQUE,
    lane           text NOT NULL,
    operation      text NOT NULL,
    client         text NOT NULL,
    correlation_id text NOT NULL,
    traceparent    text NOT NULL,
    repeat         text NOT NULL,
    reason         text NOT NULL DEFAULT '',
    text           text NOT NULL DEFAULT '',
    order_key      bytea,
    subject        bytea,
    idempotency    bytea,
    body_hash      bytea NOT NULL
) WITH (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);

-- Bodies, answers and native answers, apart: a claim and a settlement write a message's row anew, and these are long.
CREATE TABLE sealed (
    seq   bigint NOT NULL,
    field text NOT NULL,
    data  bytea NOT NULL,
    PRIMARY KEY (seq, field)
);
ALTER TABLE sealed ALTER data SET STORAGE EXTERNAL; -- what is sealed does not compress

CREATE UNIQUE INDEX message_idempotency ON message (idempotency) WHERE idempotency IS NOT NULL;
-- What waits and what is in flight stay quick to find however long the history is.
CREATE INDEX message_pending ON message (lane, due, seq) WHERE state = 'pending';
CREATE INDEX message_expires ON message (lane, expires_at) WHERE state = 'pending' AND expires_at IS NOT NULL;
CREATE INDEX message_holds ON message (order_key, seq) WHERE holds AND order_key IS NOT NULL;

-- Search: each way in gives the newest first, so no search sorts the history. message_state also finds what is in flight,
-- which is never much.
CREATE INDEX message_accepted ON message (accepted_at, seq);
CREATE INDEX message_lane ON message (lane, accepted_at, seq);
CREATE INDEX message_operation ON message (operation, accepted_at, seq);
CREATE INDEX message_client ON message (client, accepted_at, seq);
CREATE INDEX message_subject ON message (subject, accepted_at, seq) WHERE subject IS NOT NULL;
CREATE INDEX message_state ON message (state, accepted_at, seq) INCLUDE (lane) WHERE state <> 'delivered';
CREATE INDEX message_retention ON message (lane, stage, settled_at) WHERE settled_at IS NOT NULL;

-- Only the clocks that run are in these: what was answered costs nothing.
CREATE INDEX message_clock ON message (lane, answer_by, near_at) WHERE answer_by IS NOT NULL AND answered_at IS NULL;
CREATE INDEX message_ask ON message (lane, ask_at) WHERE ask_at IS NOT NULL;

-- No foreign keys: each attempt would lock and rewrite its message's row once more. Retention deletes both.
CREATE TABLE attempt (
    seq     bigint NOT NULL,
    number  integer NOT NULL,
    at      timestamptz NOT NULL,
    seconds double precision,
    outcome text NOT NULL,
    status  integer,
    error   text NOT NULL,
    PRIMARY KEY (seq, number)
);

CREATE TABLE deed (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    seq    bigint NOT NULL,
    at     timestamptz NOT NULL,
    by     text NOT NULL,
    act    text NOT NULL,
    detail bytea
);

CREATE INDEX deed_message ON deed (seq, number);
