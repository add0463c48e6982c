-- Rows of a forward feed are messages: each says which record of which receipt's file it was.
ALTER TABLE message ADD COLUMN receipt INTEGER;
ALTER TABLE message ADD COLUMN record INTEGER;
CREATE INDEX message_receipt ON message (receipt, accepted_at, seq) WHERE receipt IS NOT NULL;

-- Which rows were put, kept for good: mark is the keyed hash of a row's place, content empty; or of its key, and content
-- what the last row under that key was.
CREATE TABLE forwarded (
    mark    BLOB PRIMARY KEY,
    content BLOB NOT NULL
) WITHOUT ROWID;

-- Rejects of forward feeds' files; of the others they lie beside the rows.
CREATE TABLE reject (
    receipt INTEGER NOT NULL,
    number  INTEGER NOT NULL,
    reasons TEXT NOT NULL,
    PRIMARY KEY (receipt, number)
) WITHOUT ROWID;
