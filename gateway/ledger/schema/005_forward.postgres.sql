-- Rows of a forward feed are messages: each says which record of which receipt's file it was.
ALTER TABLE message ADD COLUMN receipt bigint, ADD COLUMN record bigint;
CREATE INDEX message_receipt ON message (receipt, accepted_at, seq) WHERE receipt IS NOT NULL;

-- Which rows were put, kept for good: mark is the keyed hash of a row's place, content empty; or of its key, and content
-- what the last row under that key was.
CREATE TABLE forwarded (
    mark    bytea PRIMARY KEY,
    content bytea NOT NULL
);
