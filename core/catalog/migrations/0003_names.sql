-- What namers proposed. A proposal is never changed: a cluster says which one is its own, in this run and in the next.
CREATE TABLE proposals (
    id           INTEGER PRIMARY KEY,
    clustering   INTEGER NOT NULL,        -- the run and the cluster it was made for
    cluster      INTEGER NOT NULL,
    made         REAL NOT NULL,
    namer        TEXT NOT NULL,           -- openai or vocabulary
    model        TEXT NOT NULL,
    prompt       TEXT NOT NULL,           -- the version of the prompt
    name         TEXT,                    -- NULL where there is none, with the reason
    reason       TEXT,
    alternatives TEXT NOT NULL,           -- JSON
    description  TEXT,
    shown        TEXT NOT NULL            -- JSON: ids of the pictures that it was made from
);

-- Where the name in force comes from: proposed, accepted or edited. Those that are not proposed are the user's.
ALTER TABLE clusters ADD COLUMN name_state TEXT;
ALTER TABLE clusters ADD COLUMN proposal INTEGER;
UPDATE clusters SET name_state = 'edited' WHERE name IS NOT NULL;

-- How well a name fits its cluster, in force or not. `basis` changes with the cluster's members.
CREATE TABLE name_quality (
    clustering INTEGER NOT NULL REFERENCES clusterings (id) ON DELETE CASCADE,
    cluster    INTEGER NOT NULL,
    name       TEXT NOT NULL,
    basis      TEXT NOT NULL,
    auroc      REAL NOT NULL,             -- against the pictures of all other clusters
    near       REAL NOT NULL,             -- against those of its neighbours
    first      REAL,                      -- share of its pictures that rank it first; of names in force
    pictures   INTEGER NOT NULL,          -- held out, that these were measured on
    twins      TEXT NOT NULL DEFAULT '[]', -- JSON: [number, name] of clusters whose names mean the same
    PRIMARY KEY (clustering, cluster, name)
) WITHOUT ROWID;
