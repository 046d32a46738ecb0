"""Runs of clustering: each is kept, with its clusters and who belongs to them."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from difflib import get_close_matches
from typing import Any

from core.catalog import edits
from core.catalog.database import Database
from core.errors import UsageError

CHUNK = 2000
"""Members written in one transaction, so that it stays under 20 ms."""
_one_at_a_time = threading.Lock()  # what one lane has half written is not what a crash left


@dataclass(frozen=True, slots=True)
class NewCluster:
    """A cluster to be recorded. `previews` and `representative` are image ids; `centre` is float16 bytes."""

    number: int
    name: str | None
    size: int
    representative: int
    cohesion: float
    silhouette: float | None
    changed: bool
    previews: Sequence[int]
    centre: bytes
    frozen: bool = False
    tags: Sequence[str] = ()
    name_state: str | None = None
    proposal: int | None = None


@dataclass(frozen=True, slots=True)
class ClusteringRecord:
    """One run of clustering."""

    id: int
    encoder: int
    created: float
    method: str
    route: str
    settings: dict[str, Any]
    seed: int
    images: int
    unclustered: int
    silhouette: float | None
    seconds: float
    undone: bool = False


@dataclass(frozen=True, slots=True)
class Cluster:
    """One cluster of a run, as recorded."""

    number: int
    name: str | None
    size: int
    representative: int
    cohesion: float
    silhouette: float | None
    changed: bool
    previews: list[int]
    frozen: bool
    tags: tuple[str, ...]
    name_state: str | None
    proposal: int | None


@dataclass(frozen=True, slots=True)
class Member:
    """A picture of a cluster: its id, path and cosine to the centre."""

    image: int
    source: int
    path: bytes
    score: float
    hash: bytes
    width: int
    height: int


def record(
    db: Database,
    *,
    encoder: int,
    method: str,
    route: str,
    settings: dict[str, Any],
    seed: int,
    silhouette: float | None,
    seconds: float,
    clusters: Sequence[NewCluster],
    assignments: Sequence[tuple[int, int | None, float]],
    said: str | None = None,
    continues: int | None = None,
    heirs: Sequence[tuple[int, int]] = (),
    check: Callable[[], None] = lambda: None,
) -> int:
    """Writes a run, its clusters, and its members, each (image, cluster number or None, score); gives its id.

    The run shows only when all of it is written; what a crash left half written is cleared away. It is journaled as
    `said`, so that it can be undone. What the user gives to the clusters of the run `continues` while this one is
    written is taken over by number; a name of the user's whose cluster is gone goes to its heir, where that has none
    of the user's: `heirs` are (number there, number here). `check` is called last, inside the transaction that
    completes the run: what it raises leaves the run incomplete. Only the worker records runs, in either of its lanes.
    """
    with _one_at_a_time:
        with db.transaction():
            db.execute("DELETE FROM clusterings WHERE complete = 0")
            cursor = db.execute(
                "INSERT INTO clusterings (encoder, created, method, route, settings, seed, images, unclustered,"
                " silhouette, seconds) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    encoder,
                    time.time(),
                    method,
                    route,
                    json.dumps(settings),
                    seed,
                    len(assignments),
                    sum(1 for _, cluster, _ in assignments if cluster is None),
                    silhouette,
                    seconds,
                ),
            )
            clustering = int(cursor.lastrowid or 0)
            db.executemany(
                "INSERT INTO clusters (clustering, number, name, size, representative, cohesion, silhouette, changed,"
                " previews, centre, frozen, tags, name_state, proposal)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    (
                        clustering,
                        c.number,
                        c.name,
                        c.size,
                        c.representative,
                        c.cohesion,
                        c.silhouette,
                        int(c.changed),
                        json.dumps(list(c.previews)),
                        c.centre,
                        int(c.frozen),
                        json.dumps(list(c.tags)),
                        c.name_state,
                        c.proposal,
                    )
                    for c in clusters
                ),
            )
        for start in range(0, len(assignments), CHUNK):
            with db.transaction():
                db.executemany(
                    "INSERT INTO assignments VALUES (?, ?, ?, ?)",
                    ((clustering, *row) for row in assignments[start : start + CHUNK]),
                )
        with db.transaction():
            check()
            _leave_out_trash(db, clustering)
            if continues is not None:
                _take_over_marks(db, continues, clustering)
                _leave_names(db, continues, clustering, heirs)
            db.execute("UPDATE clusterings SET complete = 1 WHERE id = ?", (clustering,))
            edits.append_run(db, clustering, said or f"clustered {len(assignments):,} pictures")
        return clustering


def latest(db: Database, encoder: int | None = None) -> ClusteringRecord | None:
    """The last complete run that is not undone, of one encoder if asked; None where there is none."""
    row = db.one(
        "SELECT * FROM clusterings WHERE complete = 1 AND undone = 0 AND (?1 IS NULL OR encoder = ?1)"
        " ORDER BY id DESC LIMIT 1",
        (encoder,),
    )
    return None if row is None else _clustering(row)


def get(db: Database, run: int) -> ClusteringRecord:
    """A complete run by its id, be it undone. Raises UsageError where there is none."""
    row = db.one("SELECT * FROM clusterings WHERE complete = 1 AND id = ?", (run,))
    if row is None:
        raise UsageError(f"there is no clustering {run}", "shoebox info lists them")
    return _clustering(row)


def all_clusterings(db: Database) -> list[ClusteringRecord]:
    """Every complete run, oldest first, those undone too."""
    return [_clustering(row) for row in db.execute("SELECT * FROM clusterings WHERE complete = 1 ORDER BY id")]


def clusters_of(db: Database, clustering: int) -> list[Cluster]:
    """The clusters of a run that are not empty, largest first."""
    rows = db.execute(
        "SELECT number, name, size, representative, cohesion, silhouette, changed, previews, frozen, tags,"
        " name_state, proposal FROM clusters WHERE clustering = ? AND size > 0 ORDER BY size DESC, number",
        (clustering,),
    )
    return [
        Cluster(
            r["number"],
            r["name"],
            r["size"],
            r["representative"],
            r["cohesion"],
            r["silhouette"],
            bool(r["changed"]),
            json.loads(r["previews"]),
            bool(r["frozen"]),
            tuple(json.loads(r["tags"])),
            r["name_state"],
            r["proposal"],
        )
        for r in rows
    ]


def called(db: Database, clustering: int, word: str) -> list[int]:
    """The numbers of the clusters that a word means: a number, else a name, which several may have.

    Raises UsageError, with the names that are near it, where there is none.
    """
    known = clusters_of(db, clustering)
    found = [c.number for c in known if str(c.number) == word]
    found = found or [c.number for c in known if (c.name or "").casefold() == word.casefold()]
    if not found:
        names = {c.name.casefold(): c.name for c in known if c.name}
        near = [names[name] for name in get_close_matches(word.casefold(), names, 3, 0.6)]
        todo = f"is it {' or '.join(near)}?" if near else "name one by its number or its name, as they are now"
        raise UsageError(f"there is no cluster {word}", todo)
    return found


def all_called(db: Database, clustering: int, words: str) -> list[int]:
    """The numbers of several clusters, `3,hat`: each as `called` has it. A name may hold commas, if it stands alone.

    Raises UsageError for one that there is not, and where none is named.
    """
    parts = [part.strip() for part in words.split(",") if part.strip()]
    if not parts:
        raise UsageError("no cluster is named", "write them as 1,3,hat")
    if len(parts) > 1:
        try:
            return called(db, clustering, words.strip())
        except UsageError:
            pass  # then these are several
    return list(dict.fromkeys(number for part in parts for number in called(db, clustering, part)))


def to_carry_over(db: Database, clustering: int) -> dict[int, NewCluster]:
    """The clusters of a run that are not empty, by number, as a run that keeps them would record them."""
    centres = dict(db.execute("SELECT number, centre FROM clusters WHERE clustering = ?", (clustering,)).fetchall())
    return {
        c.number: NewCluster(
            **{field.name: getattr(c, field.name) for field in fields(c)},
            centre=centres[c.number],
        )
        for c in clusters_of(db, clustering)
    }


def members(db: Database, clustering: int, number: int | None) -> Iterator[Member]:
    """The pictures of a cluster (None: the unclustered), nearest the centre first; no missing or trashed ones."""
    for row in db.execute(
        "SELECT a.image, i.source, i.path, a.score, i.hash, c.width, c.height"
        " FROM assignments a JOIN images i ON i.id = a.image JOIN contents c ON c.hash = i.hash"
        " WHERE a.clustering = ? AND a.cluster IS ? AND i.missing = 0 AND i.trashed = 0 AND i.status = 'ready'"
        " ORDER BY a.score DESC, a.image",
        (clustering, number),
    ):
        yield Member(*row)


def placed(db: Database, clustering: int, numbers: Sequence[int] | None = None) -> dict[int, tuple[int | None, float]]:
    """Every image of a run, or of its clusters `numbers`, trashed and missing ones too: its cluster and its score."""
    wanted = "" if numbers is None else " AND cluster IN (SELECT value FROM json_each(?))"
    parameters = (clustering,) if numbers is None else (clustering, json.dumps(list(numbers)))
    rows = db.execute(f"SELECT image, cluster, score FROM assignments WHERE clustering = ?{wanted}", parameters)
    return {image: (cluster, score) for image, cluster, score in rows}


def assigned(db: Database, clustering: int) -> Iterator[tuple[int, int | None]]:
    """Every image of a run with its cluster's number, by image id."""
    yield from db.execute("SELECT image, cluster FROM assignments WHERE clustering = ? ORDER BY image", (clustering,))


def highest_number(db: Database) -> int:
    """The highest cluster number of any run: a number that is gone is not given again."""
    # Of each run the last of its key: the table holds the centres too, and is not to be read whole.
    return int(
        db.value(
            "SELECT coalesce(max((SELECT max(number) FROM clusters WHERE clustering = r.id)), 0) FROM clusterings r"
        )
    )


def publish_live(db: Database, encoder: int, snapshot: dict[str, Any]) -> None:
    """Publishes the clusters as they form, in place of the last snapshot."""
    db.execute(
        "INSERT INTO live_clusters VALUES (?, ?, ?) ON CONFLICT (encoder)"
        " DO UPDATE SET updated = excluded.updated, snapshot = excluded.snapshot",
        (encoder, time.time(), json.dumps(snapshot)),
    )


def live(db: Database, encoder: int) -> dict[str, Any] | None:
    """The last snapshot of the clusters as they form, or None."""
    text = db.value("SELECT snapshot FROM live_clusters WHERE encoder = ?", (encoder,))
    return None if text is None else json.loads(text)


def _leave_out_trash(db: Database, clustering: int) -> None:
    """Counts no picture of the trash, which may have filled while the run was made."""
    trashed = (
        "FROM images i CROSS JOIN assignments a ON a.clustering = ?1 AND a.image = i.id"
        " WHERE i.missing IN (0, 1) AND i.trashed = 1"  # both, for the index of states
    )
    images, unclustered = db.one(f"SELECT count(*), count(*) - count(a.cluster) {trashed}", (clustering,))
    if not images:
        return
    db.execute(
        "UPDATE clusterings SET images = images - ?, unclustered = unclustered - ? WHERE id = ?",
        (images, unclustered, clustering),
    )
    held = (
        "a.clustering = ?1 AND a.cluster = clusters.number AND i.missing = 0 AND i.trashed = 0 AND i.status = 'ready'"
    )
    joined = f"FROM assignments a CROSS JOIN images i ON i.id = a.image WHERE {held}"
    db.execute(
        f"UPDATE clusters SET size = (SELECT count(*) {joined}), cohesion = (SELECT coalesce(avg(a.score), 0) {joined})"
        f" WHERE clustering = ?1 AND number IN (SELECT a.cluster {trashed})",
        (clustering,),
    )


def _take_over_marks(db: Database, old: int, new: int) -> None:
    db.execute(
        "UPDATE clusters SET (name, frozen, tags, name_state, proposal) ="
        " (SELECT o.name, o.frozen, o.tags, o.name_state, o.proposal FROM clusters o"
        " WHERE o.clustering = ?1 AND o.number = clusters.number) WHERE clustering = ?2 AND EXISTS"
        " (SELECT 1 FROM clusters o WHERE o.clustering = ?1 AND o.number = clusters.number)",
        (old, new),
    )


def _leave_names(db: Database, old: int, new: int, heirs: Sequence[tuple[int, int]]) -> None:
    db.executemany(
        "UPDATE clusters SET (name, name_state, changed) = (SELECT o.name, o.name_state, 1 FROM clusters o"
        " WHERE o.clustering = ?1 AND o.number = ?3) WHERE clustering = ?2 AND number = ?4"
        " AND (name IS NULL OR name_state = 'proposed') AND EXISTS (SELECT 1 FROM clusters o"
        " WHERE o.clustering = ?1 AND o.number = ?3 AND o.name IS NOT NULL AND o.name_state IN ('accepted', 'edited'))",
        ((old, new, gone, heir) for gone, heir in heirs),
    )


def _clustering(row: Any) -> ClusteringRecord:
    return ClusteringRecord(
        row["id"],
        row["encoder"],
        row["created"],
        row["method"],
        row["route"],
        json.loads(row["settings"]),
        row["seed"],
        row["images"],
        row["unclustered"],
        row["silhouette"],
        row["seconds"],
        bool(row["undone"]),
    )
