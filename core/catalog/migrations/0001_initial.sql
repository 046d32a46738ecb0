-- What the project as a whole remembers (its last encoder, its current clustering).
CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

-- Where pictures come from. A root is relative to the project's folder where it holds the project.
CREATE TABLE sources (
    id    INTEGER PRIMARY KEY,
    kind  TEXT NOT NULL,
    root  BLOB NOT NULL,
    added REAL NOT NULL,
    UNIQUE (kind, root)
);

-- One row a file. Its content is known by hash once it was read.
CREATE TABLE images (
    id       INTEGER PRIMARY KEY,
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
-- With the hash, so that counting what is embedded reads this and `embeddings` side by side, both in hash order.
CREATE INDEX images_by_state ON images (missing, trashed, status, hash);
-- A new file is looked for among these: it may be one of them, renamed.
CREATE INDEX images_missing ON images (hash) WHERE missing = 1;

-- What was learned of a content when it was decoded; width and height are upright, in pixels.
CREATE TABLE contents (
    hash   BLOB PRIMARY KEY,
    width  INTEGER NOT NULL,
    height INTEGER NOT NULL,
    format TEXT NOT NULL
) WITHOUT ROWID;

-- An encoder is its fingerprint: model, weights and preprocessing. `rows` counts the committed rows
-- of its vector file; what lies behind them is left over from a crash and is overwritten.
CREATE TABLE encoders (
    id          INTEGER PRIMARY KEY,
    fingerprint TEXT NOT NULL UNIQUE,
    spec        TEXT NOT NULL,
    options     TEXT NOT NULL,            -- JSON: what else it takes to load it again
    dimension   INTEGER NOT NULL,
    rows        INTEGER NOT NULL DEFAULT 0
);

-- Which row of the encoder's vector file holds a content. By content, so that copies share it.
CREATE TABLE embeddings (
    encoder INTEGER NOT NULL REFERENCES encoders (id),
    hash    BLOB NOT NULL,
    row     INTEGER NOT NULL,
    PRIMARY KEY (encoder, hash)
) WITHOUT ROWID;

-- One row a run of clustering; every run is kept. A run is complete when its last member is written.
CREATE TABLE clusterings (
    id         INTEGER PRIMARY KEY,
    encoder    INTEGER NOT NULL REFERENCES encoders (id),
    created    REAL NOT NULL,
    complete   INTEGER NOT NULL DEFAULT 0,
    method     TEXT NOT NULL,
    route      TEXT NOT NULL,             -- how the method went about it, in words
    settings   TEXT NOT NULL,             -- JSON
    seed       INTEGER NOT NULL,
    images     INTEGER NOT NULL,
    unclustered INTEGER NOT NULL,
    silhouette REAL,
    seconds    REAL NOT NULL
);

-- `number` is what the user sees; it stays with a cluster from run to run.
CREATE TABLE clusters (
    clustering     INTEGER NOT NULL REFERENCES clusterings (id) ON DELETE CASCADE,
    number         INTEGER NOT NULL,
    name           TEXT,
    size           INTEGER NOT NULL,
    representative INTEGER NOT NULL,      -- an image; unchecked, as in `assignments`
    cohesion       REAL NOT NULL,
    silhouette     REAL,
    changed        INTEGER NOT NULL DEFAULT 0,
    previews       TEXT NOT NULL,         -- JSON: image ids, nearest the centre first
    centre         BLOB NOT NULL,         -- float16
    PRIMARY KEY (clustering, number)
) WITHOUT ROWID;

-- `cluster` is the cluster's number, or NULL for the unclustered. That `image` exists is left to the program:
-- checking it would take an index as large as the table, or a scan of it for every image deleted.
CREATE TABLE assignments (
    clustering INTEGER NOT NULL REFERENCES clusterings (id) ON DELETE CASCADE,
    image      INTEGER NOT NULL,
    cluster    INTEGER,
    score      REAL NOT NULL,
    PRIMARY KEY (clustering, image)
) WITHOUT ROWID;
CREATE INDEX assignments_by_cluster ON assignments (clustering, cluster, score DESC);

-- The clusters that form while an encoder works: one snapshot an encoder, for a screen to read.
CREATE TABLE live_clusters (
    encoder  INTEGER PRIMARY KEY REFERENCES encoders (id),
    updated  REAL NOT NULL,
    snapshot TEXT NOT NULL                -- JSON
);

CREATE TABLE jobs (
    id       INTEGER PRIMARY KEY,
    kind     TEXT NOT NULL,
    lane     TEXT NOT NULL CHECK (lane IN ('bulk', 'interactive')),
    params   TEXT NOT NULL,               -- JSON
    state    TEXT NOT NULL DEFAULT 'queued'
             CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
    paused   INTEGER NOT NULL DEFAULT 0,
    cancel   INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    progress TEXT,                        -- JSON
    result   TEXT,                        -- JSON
    error    TEXT,
    created  REAL NOT NULL,
    started  REAL,
    finished REAL
);
CREATE INDEX jobs_by_state ON jobs (lane, state, id);
