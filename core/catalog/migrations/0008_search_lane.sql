-- Searches have a lane of their own: who types waits neither for a clustering nor for a language model.
CREATE TABLE new_jobs (
    id       INTEGER PRIMARY KEY,
    kind     TEXT NOT NULL,
    lane     TEXT NOT NULL CHECK (lane IN ('bulk', 'interactive', 'search')),
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
INSERT INTO new_jobs SELECT * FROM jobs;
DROP TABLE jobs;
ALTER TABLE new_jobs RENAME TO jobs;
CREATE INDEX jobs_by_state ON jobs (lane, state, id);
