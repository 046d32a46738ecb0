-- What was asked of a source (dates, limit, sample, endpoint: JSON, no secret), and where its listing stopped.
ALTER TABLE sources ADD COLUMN options TEXT NOT NULL DEFAULT '{}';
ALTER TABLE sources ADD COLUMN cursor TEXT;

-- One row a picture of a source that is downloaded. `url` is what it is known by; secrets are left out of it.
-- `refused`: a setting stands in the way, and `lifts` says which (private, size above `needs` bytes, time).
CREATE TABLE downloads (
    id     INTEGER PRIMARY KEY,
    source INTEGER NOT NULL REFERENCES sources (id),
    url    TEXT NOT NULL,
    state  TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'failed', 'refused')),
    reason TEXT,                          -- a few words, to count by
    error  TEXT,
    lifts  TEXT NOT NULL DEFAULT '',
    needs  INTEGER NOT NULL DEFAULT 0,
    image  INTEGER REFERENCES images (id) ON DELETE SET NULL,
    UNIQUE (source, url)
);
CREATE INDEX downloads_by_state ON downloads (source, state, reason);
CREATE INDEX downloads_waiting ON downloads (id) WHERE state = 'waiting';
CREATE INDEX downloads_by_image ON downloads (image) WHERE image IS NOT NULL;

-- The lists, or the subreddit, that name a picture.
CREATE TABLE download_tags (
    download INTEGER NOT NULL REFERENCES downloads (id),
    tag      TEXT NOT NULL,
    PRIMARY KEY (download, tag)
) WITHOUT ROWID;
