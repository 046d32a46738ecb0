-- The user's classes. Those in force have a place; one that was taken out keeps its row, and so its corrections.
CREATE TABLE classes (
    id      INTEGER PRIMARY KEY,
    name    TEXT NOT NULL UNIQUE,
    phrases TEXT NOT NULL DEFAULT '[]',   -- JSON: what the user says of it, in place of the prompts
    place   INTEGER
);

-- What the user said of a content: its class, or NULL where none fits. By content, so that copies share it.
CREATE TABLE corrections (
    hash  BLOB PRIMARY KEY,
    class INTEGER REFERENCES classes (id),
    made  REAL NOT NULL
) WITHOUT ROWID;

-- One row a run of annotation; it is complete when its last picture is written.
CREATE TABLE annotation_runs (
    id         INTEGER PRIMARY KEY,
    created    REAL NOT NULL,
    complete   INTEGER NOT NULL DEFAULT 0,
    method     TEXT NOT NULL,
    settings   TEXT NOT NULL,             -- JSON: as they were asked
    encoders   TEXT NOT NULL,             -- JSON: ids
    classes    TEXT NOT NULL,             -- JSON: [id, name, prompts] in order
    iterations TEXT NOT NULL,             -- JSON: the figures of each round
    summary    TEXT NOT NULL,             -- JSON: empty classes, notes, accuracy, review queue, ...
    images     INTEGER NOT NULL,
    seconds    REAL NOT NULL
);

-- The pictures of the last two runs. `class` is what holds now, `found` what the run found: a correction sets the one
-- and its undoing takes it back to the other. NULL: none of the classes.
CREATE TABLE annotations (
    run        INTEGER NOT NULL REFERENCES annotation_runs (id) ON DELETE CASCADE,
    image      INTEGER NOT NULL,          -- unchecked, as in `assignments`
    class      INTEGER,
    found      INTEGER,
    corrected  INTEGER NOT NULL DEFAULT 0,
    confidence REAL NOT NULL,
    margin     REAL NOT NULL,
    none_score REAL,
    top        BLOB NOT NULL,             -- the likeliest classes: place in the run's list, share, cosine
    PRIMARY KEY (run, image)
) WITHOUT ROWID;
CREATE INDEX annotations_by_class ON annotations (run, class, margin);

-- The sentences of a class as an encoder reads them: the next run need not load it.
CREATE TABLE texts (
    encoder INTEGER NOT NULL REFERENCES encoders (id),
    text    TEXT NOT NULL,                -- the digest of the sentences
    vector  BLOB NOT NULL,                -- float32: the direction of their mean
    PRIMARY KEY (encoder, text)
) WITHOUT ROWID;

-- What cosines of pictures and sentences are multiplied by; NULL until a sentence was encoded.
ALTER TABLE encoders ADD COLUMN logit_scale REAL;
