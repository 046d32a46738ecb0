"""The table of jobs: what is asked for, what runs, how far it is, and how it ended."""

from __future__ import annotations

import json
import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

from core.catalog.database import Database

Lane = Literal["bulk", "interactive", "search"]
State = Literal["queued", "running", "done", "failed", "cancelled"]
ENDED: frozenset[str] = frozenset({"done", "failed", "cancelled"})

NEEDS_KEY = "needs_key"
"""The parameter of a job that cannot be done without a client's key."""


@dataclass(frozen=True, slots=True)
class Job:
    """One job. `progress` and `result` are data of its kind; `error` is one line for the user."""

    id: int
    kind: str
    lane: Lane
    params: dict[str, Any]
    state: State
    paused: bool
    cancel: bool
    attempts: int
    """How often it was begun."""
    progress: dict[str, Any]
    result: dict[str, Any]
    error: str | None
    created: float
    started: float | None
    finished: float | None

    def lacks_key(self, keyed: Collection[int]) -> bool:
        """Whether it waits for a key: it needs one, and is none of the jobs that have theirs."""
        return bool(self.params.get(NEEDS_KEY)) and self.id not in keyed

    @property
    def ended(self) -> bool:
        """Whether nothing more will come of it."""
        return self.state in ENDED


def add(db: Database, kind: str, lane: Lane, params: dict[str, Any]) -> int:
    """Queues a job and gives its id; where the same one is queued or runs already, that one's id."""
    text = json.dumps(params, sort_keys=True)
    with db.transaction():
        same = db.value(
            "SELECT id FROM jobs WHERE kind = ? AND params = ? AND cancel = 0 AND state IN ('queued', 'running')",
            (kind, text),
        )
        if same is not None:
            return int(same)
        cursor = db.execute(
            "INSERT INTO jobs (kind, lane, params, created) VALUES (?, ?, ?, ?)",
            (kind, lane, text, time.time()),
        )
        return int(cursor.lastrowid or 0)


def get(db: Database, job_id: int) -> Job:
    """One job by its id."""
    return _job(db.one("SELECT * FROM jobs WHERE id = ?", (job_id,)))


def recent(db: Database, limit: int = 20, *, without: Lane | None = None) -> list[Job]:
    """The last jobs, newest first; none of the lane `without`."""
    return [
        _job(row)
        for row in db.execute("SELECT * FROM jobs WHERE lane IS NOT ? ORDER BY id DESC LIMIT ?", (without, limit))
    ]


def unfinished(db: Database, *, without: Lane | None = None) -> list[Job]:
    """What is queued or runs, oldest first; nothing of the lane `without`."""
    waiting = "state IN ('queued', 'running') AND lane IS NOT ?"
    return [_job(row) for row in db.execute(f"SELECT * FROM jobs WHERE {waiting} ORDER BY id", (without,))]


def take_next(db: Database, lane: Lane, *, keyed: Collection[int] = ()) -> Job | None:
    """Takes the oldest job that waits in this lane and is not paused, and marks it running.

    One that needs a key is left to wait unless it is among `keyed`; it holds up nobody.
    """
    next_in_line = (
        "SELECT id FROM jobs WHERE lane = ? AND state = 'queued' AND paused = 0"
        f" AND (coalesce(json_extract(params, '$.{NEEDS_KEY}'), 0) = 0 OR id IN (SELECT value FROM json_each(?)))"
        " ORDER BY id LIMIT 1"
    )
    keys = json.dumps(list(keyed))
    if db.value(next_in_line, (lane, keys)) is None:
        return None  # asked often: no write lock for nothing
    with db.transaction():
        job_id = db.value(next_in_line, (lane, keys))
        if job_id is None:
            return None
        db.execute(
            "UPDATE jobs SET state = 'running', attempts = attempts + 1, started = ? WHERE id = ?",
            (time.time(), job_id),
        )
    return get(db, job_id)


def set_progress(db: Database, job_id: int, progress: dict[str, Any]) -> None:
    """Writes how far a job is."""
    db.execute("UPDATE jobs SET progress = ? WHERE id = ?", (json.dumps(progress), job_id))


def got_on(db: Database, job_id: int) -> None:
    """Says that something came of a job that lasts: the next attempt goes on from there."""
    db.execute("UPDATE jobs SET deaths = 0 WHERE id = ?", (job_id,))


def finish(
    db: Database, job_id: int, state: State, *, result: dict[str, Any] | None = None, error: str | None = None
) -> None:
    """Writes how a job ended."""
    db.execute(
        "UPDATE jobs SET state = ?, result = ?, error = ?, finished = ? WHERE id = ?",
        (state, json.dumps(result or {}), error, time.time(), job_id),
    )


def request_cancel(db: Database, job_id: int) -> None:
    """Asks a job to stop; one that has not begun is cancelled at once."""
    with db.transaction():
        db.execute("UPDATE jobs SET cancel = 1 WHERE id = ?", (job_id,))
        db.execute(
            "UPDATE jobs SET state = 'cancelled', finished = ? WHERE id = ? AND state = 'queued'",
            (time.time(), job_id),
        )


def set_paused(db: Database, job_id: int, *, paused: bool) -> None:
    """Holds a job between two batches, or lets it go on."""
    db.execute("UPDATE jobs SET paused = ? WHERE id = ?", (int(paused), job_id))


def flags(db: Database, job_id: int) -> tuple[bool, bool]:
    """(cancel, paused) as the clients last set them."""
    row = db.one("SELECT cancel, paused FROM jobs WHERE id = ?", (job_id,))
    return bool(row["cancel"]), bool(row["paused"])


def newer_waits(db: Database, kind: str, session: str) -> bool:
    """Whether another job of this kind, of the same `session` in its parameters, waits already."""
    waiting = "kind = ? AND state = 'queued' AND lane = 'search' AND json_extract(params, '$.session') = ?"
    return db.value(f"SELECT 1 FROM jobs WHERE {waiting} LIMIT 1", (kind, session)) is not None


def forget(db: Database, kind: str, *, seconds: float) -> None:
    """Deletes the jobs of a kind that ended so long ago: of those there are many, and nobody asks for them again."""
    ended = "kind = ? AND state IN ('done', 'failed', 'cancelled') AND finished < ?"
    if db.value(f"SELECT 1 FROM jobs WHERE {ended} LIMIT 1", (kind, time.time() - seconds)) is not None:
        db.execute(f"DELETE FROM jobs WHERE {ended}", (kind, time.time() - seconds))


def take_up_orphans(db: Database, *, most_deaths: int) -> None:
    """Sees to jobs that a dead worker left running: cancels, queues again, or gives up.

    A job is given up after `most_deaths` in a row without `got_on` in between: one that takes days outlives any number
    of reboots, one that kills its worker ends.

    Only for the process that holds the worker's lock: no other can know that the worker is dead.
    """
    with db.transaction():
        now = time.time()
        db.execute("UPDATE jobs SET state = 'cancelled', finished = ? WHERE state = 'running' AND cancel = 1", (now,))
        db.execute("UPDATE jobs SET deaths = deaths + 1 WHERE state = 'running'")
        db.execute(
            "UPDATE jobs SET state = 'failed', finished = ?, error = ? WHERE state = 'running' AND deaths >= ?",
            (now, f"the worker died {most_deaths} times in a row while it ran this", most_deaths),
        )
        db.execute("UPDATE jobs SET state = 'queued' WHERE state = 'running'")


def _job(row: Any) -> Job:
    return Job(
        row["id"],
        row["kind"],
        row["lane"],
        json.loads(row["params"]),
        row["state"],
        bool(row["paused"]),
        bool(row["cancel"]),
        row["attempts"],
        json.loads(row["progress"] or "{}"),
        json.loads(row["result"] or "{}"),
        row["error"],
        row["created"],
        row["started"],
        row["finished"],
    )
