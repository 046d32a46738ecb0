-- AUTOINCREMENT: the id of a picture is never given twice. The journal, old runs and screens know pictures by it, and a
-- row goes when its picture proves to be another one, renamed.
CREATE TABLE new_images (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    source   INTEGER NOT NULL REFERENCES sources (id),
    path     BLOB NOT NULL,               -- relative to the source's root, as the file system has it
    size     INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    hash     BLOB,
    status   TEXT NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'ready', 'failed')),
    error    TEXT,
    missing  INTEGER NOT NULL DEFAULT 0,
    trashed  INTEGER NOT NULL DEFAULT 0,
    UNIQUE (source, path)
);
INSERT INTO new_images SELECT * FROM images;
DROP TABLE images;
ALTER TABLE new_images RENAME TO images;
CREATE INDEX images_by_state ON images (missing, trashed, status, hash);
CREATE INDEX images_missing ON images (hash) WHERE missing = 1;

-- How often in a row a worker died over a job before anything came of it that lasts. `attempts` counts all its starts.
ALTER TABLE jobs ADD COLUMN deaths INTEGER NOT NULL DEFAULT 0;
