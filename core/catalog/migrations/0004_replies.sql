-- What a language model said of a picture, alone: by content, model and version of the prompt. Either a label, or the
-- reason why there is none.
CREATE TABLE labels (
    hash   BLOB NOT NULL,
    model  TEXT NOT NULL,
    prompt TEXT NOT NULL,
    label  TEXT,
    reason TEXT,
    made   REAL NOT NULL,
    PRIMARY KEY (hash, model, prompt)
) WITHOUT ROWID;

-- What it answered to other questions. `question` is a digest of all that was asked.
CREATE TABLE replies (
    question TEXT PRIMARY KEY,
    kind     TEXT NOT NULL,
    model    TEXT NOT NULL,
    prompt   TEXT NOT NULL,
    reply    TEXT NOT NULL,               -- JSON
    made     REAL NOT NULL
) WITHOUT ROWID;

-- One row a call, written before it is made: a bound on calls or money holds over a crash, too.
CREATE TABLE calls (
    id            INTEGER PRIMARY KEY,
    made          REAL NOT NULL,
    model         TEXT NOT NULL,
    input_tokens  INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    cost          REAL                    -- in US dollars; NULL where no price is known
);
CREATE INDEX calls_by_time ON calls (made);
