-- What waits for an older one of its order key is out of a claim's sight; who is interrupted again and again is buried.
ALTER TABLE message ADD COLUMN waits INTEGER NOT NULL DEFAULT 0;         -- is kept back by an older one, and pending
ALTER TABLE message ADD COLUMN interruptions INTEGER NOT NULL DEFAULT 0; -- in a row: leases that ended while it was sent

-- Those of one order key that are before each other now.
UPDATE message AS m SET waits = 1
WHERE state = 'pending' AND order_key IS NOT NULL AND EXISTS (
    SELECT 1 FROM message AS older INDEXED BY message_holds
    WHERE older.lane = m.lane AND older.order_key = m.order_key AND older.holds = 1 AND older.seq < m.seq);

DROP INDEX message_pending;
CREATE INDEX message_pending ON message (lane, due, seq) WHERE state = 'pending' AND waits = 0;
CREATE INDEX message_waits ON message (lane, order_key, seq) WHERE waits = 1;
