-- What a user gives to a cluster beside its name. A frozen one is left as it is by the next run.
ALTER TABLE clusters ADD COLUMN frozen INTEGER NOT NULL DEFAULT 0;
ALTER TABLE clusters ADD COLUMN tags TEXT NOT NULL DEFAULT '[]';    -- JSON

-- A run that was undone is kept, but it is no longer the latest.
ALTER TABLE clusterings ADD COLUMN undone INTEGER NOT NULL DEFAULT 0;

-- The journal of edits, for undo and redo. Those undone are the ones that redo takes up; a new edit deletes them.
-- AUTOINCREMENT: an id is never given twice, so that the last one tells whether anything was edited since.
CREATE TABLE edits (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    batch      INTEGER NOT NULL,          -- the first id of a large edit written in several transactions
    made       REAL NOT NULL,
    clustering INTEGER,                   -- the run it is about; NULL before the first
    said       TEXT NOT NULL,             -- what was done, in words
    changes    TEXT NOT NULL,             -- JSON: each change with what was before and after
    undone     INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX edits_by_state ON edits (undone, id);
CREATE INDEX edits_by_batch ON edits (batch);
