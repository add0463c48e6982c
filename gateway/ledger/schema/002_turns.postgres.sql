-- Whether a lease holds: one that ends later than any can (LONGEST_LEASE) is of a time when the clock was wrong.
CREATE FUNCTION ledger_lives(until timestamptz, now timestamptz) RETURNS boolean LANGUAGE sql IMMUTABLE AS
    'SELECT until > now AND until <= now + interval ''6 hours''';

-- waits: is kept back by an older one of its order key, and pending; out of a claim's sight. interruptions: leases that
-- ended while it was sent, in a row.
ALTER TABLE message
    ADD COLUMN waits boolean NOT NULL DEFAULT false,
    ADD COLUMN interruptions integer NOT NULL DEFAULT 0;

-- Those of one order key that are before each other now.
UPDATE message AS m SET waits = true
WHERE state = 'pending' AND order_key IS NOT NULL AND EXISTS (
    SELECT 1 FROM message AS older WHERE older.holds AND older.order_key = m.order_key AND older.seq < m.seq);

DROP INDEX message_pending;
CREATE INDEX message_pending ON message (lane, due, seq) WHERE state = 'pending' AND NOT waits;
CREATE INDEX message_waits ON message (order_key, seq) WHERE waits;
