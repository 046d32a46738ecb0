"""Pictures that are downloaded: what is known of each URL, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from core.catalog.database import Database


@dataclass(frozen=True, slots=True)
class Waiting:
    """A picture to download."""

    id: int
    source: int
    url: str


@dataclass(frozen=True, slots=True)
class Arrived:
    """A picture that came: its place relative to the project's downloads; size in bytes, mtime in nanoseconds."""

    path: bytes
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Missed:
    """A picture that did not come. See the table for `lifts` and `needs`."""

    reason: str
    error: str
    lifts: str
    needs: int


@dataclass(frozen=True, slots=True)
class Counts:
    """How many URLs, by what became of them. `duplicates` came, but with a content that another brought."""

    known: int
    waiting: int
    done: int
    failed: int
    refused: int
    duplicates: int
    reasons: dict[str, int]
    """Of those that failed or were refused, most frequent first."""


@dataclass(frozen=True, slots=True)
class FailedUrl:
    """A URL that did not come, and why. `refused`: a changed setting is enough to try again."""

    url: str
    reason: str
    error: str
    refused: bool


def add(db: Database, source_id: int, pictures: Sequence[tuple[str, str]]) -> int:
    """Records URLs, each with a tag or "", as waiting; gives how many are new. Inside a transaction of the caller's."""
    before = db.value("SELECT total_changes()")
    db.executemany(
        "INSERT OR IGNORE INTO downloads (source, url) VALUES (?, ?)", ((source_id, url) for url, _ in pictures)
    )
    new = int(db.value("SELECT total_changes()")) - int(before)
    db.executemany(
        "INSERT OR IGNORE INTO download_tags SELECT id, ? FROM downloads WHERE source = ? AND url = ?",
        ((tag, source_id, url) for url, tag in pictures if tag),
    )
    return new


def number(db: Database, source_id: int) -> int:
    """How many URLs of a source are known."""
    return int(db.value("SELECT count(*) FROM downloads WHERE source = ?", (source_id,)))


def known(db: Database, source_id: int) -> set[str]:
    """The URLs of a source."""
    return {row[0] for row in db.execute("SELECT url FROM downloads WHERE source = ?", (source_id,))}


def try_again(db: Database, source_id: int, *, failed: bool, allow_private: bool, max_bytes: int) -> None:
    """Sets to waiting what is worth another try: what a setting, as it is now, stands in the way of no longer.

    `failed`: what failed, too.
    """
    db.execute(
        "UPDATE downloads SET state = 'waiting' WHERE source = ? AND ((state = 'failed' AND ?) OR (state = 'refused'"
        " AND (lifts = 'time' OR (lifts = 'private' AND ?) OR (lifts = 'size' AND needs < ?))))",
        (source_id, failed, allow_private, max_bytes),
    )


def waiting(db: Database, *, after: int, limit: int) -> list[Waiting]:
    """The next URLs to download, by id."""
    rows = db.execute(
        "SELECT id, source, url FROM downloads WHERE state = 'waiting' AND id > ? ORDER BY id LIMIT ?", (after, limit)
    )
    return [Waiting(*row) for row in rows]


def arrive(db: Database, download: Waiting, picture: Arrived) -> bool:
    """Records that a URL's picture is here; gives whether it is one the source did not have.

    Inside a transaction of the caller's. The picture becomes an image of the project, to be embedded; one that was
    missing is there again.
    """
    row = db.one("SELECT id, missing FROM images WHERE source = ? AND path = ?", (download.source, picture.path))
    if row is None:
        inserted = db.execute(
            "INSERT INTO images (source, path, size, mtime_ns) VALUES (?, ?, ?, ?)",
            (download.source, picture.path, picture.size, picture.mtime_ns),
        )
        image = inserted.lastrowid
    else:
        image = row["id"]
        db.execute("UPDATE images SET missing = 0 WHERE id = ?", (image,))
    db.execute(
        "UPDATE downloads SET state = 'done', reason = NULL, error = NULL, lifts = '', needs = 0, image = ?"
        " WHERE id = ?",
        (image, download.id),
    )
    return row is None


def miss(db: Database, download: Waiting, missed: Missed) -> None:
    """Records why a URL's picture is not here. Inside a transaction of the caller's."""
    db.execute(
        "UPDATE downloads SET state = ?, reason = ?, error = ?, lifts = ?, needs = ? WHERE id = ?",
        (
            "refused" if missed.lifts else "failed",
            missed.reason,
            missed.error,
            missed.lifts,
            missed.needs,
            download.id,
        ),
    )


def places(db: Database, source_id: int, *, after: int, limit: int) -> list[tuple[int, bytes]]:
    """The pictures of a source that should lie here: (image, path), by id."""
    rows = db.execute(
        "SELECT id, path FROM images WHERE source = ? AND missing = 0 AND id > ? ORDER BY id LIMIT ?",
        (source_id, after, limit),
    )
    return [(row[0], row[1]) for row in rows]


def lose(db: Database, image_ids: Sequence[int]) -> None:
    """Says that the files of pictures are gone: missing now, and their URLs are waiting again."""
    with db.transaction():
        db.executemany("UPDATE images SET missing = 1 WHERE id = ?", ((i,) for i in image_ids))
        db.executemany("UPDATE downloads SET state = 'waiting' WHERE image = ?", ((i,) for i in image_ids))


def counts(db: Database) -> Counts:
    """How far the downloads of all sources are."""
    states = dict(db.execute("SELECT state, count(*) FROM downloads GROUP BY state").fetchall())
    pictures = int(db.value("SELECT count(DISTINCT image) FROM downloads WHERE state = 'done'"))
    reasons = db.execute(
        "SELECT reason, count(*) AS number FROM downloads WHERE state IN ('failed', 'refused')"
        " GROUP BY reason ORDER BY number DESC, reason"
    )
    done = int(states.get("done", 0))
    return Counts(
        known=sum(states.values()),
        waiting=int(states.get("waiting", 0)),
        done=done,
        failed=int(states.get("failed", 0)),
        refused=int(states.get("refused", 0)),
        duplicates=done - pictures,
        reasons=dict(reasons.fetchall()),
    )


def failures(db: Database) -> list[FailedUrl]:
    """Every URL that did not come, in the order of its source."""
    rows = db.execute(
        "SELECT url, reason, error, state = 'refused' FROM downloads WHERE state IN ('failed', 'refused') ORDER BY id"
    )
    return [FailedUrl(row[0], row[1], row[2], bool(row[3])) for row in rows]


def tag_counts(db: Database) -> dict[str, int]:
    """How many pictures that came carry each tag."""
    rows = db.execute(
        "SELECT t.tag, count(DISTINCT d.image) FROM download_tags t JOIN downloads d ON d.id = t.download"
        " WHERE d.state = 'done' GROUP BY t.tag ORDER BY t.tag"
    )
    return dict(rows.fetchall())


def origins(db: Database, image_ids: Iterable[int]) -> dict[int, tuple[str, list[str]]]:
    """Of pictures that were downloaded: the URL that brought each first, and its tags.

    What lies in a bucket that anybody can look into has the URL by which they do.
    """
    found: dict[int, tuple[str, list[str]]] = {}
    for image in image_ids:
        row = db.one(
            "SELECT d.url, json_extract(s.options, '$.public') AS public FROM downloads d"
            " JOIN sources s ON s.id = d.source WHERE d.image = ? ORDER BY d.id LIMIT 1",
            (image,),
        )
        if row is not None:
            tags = db.execute(
                "SELECT DISTINCT t.tag FROM download_tags t JOIN downloads d ON d.id = t.download"
                " WHERE d.image = ? ORDER BY t.tag",
                (image,),
            )
            found[image] = (_link(row["url"], row["public"]), [tag[0] for tag in tags])
    return found


def _link(url: str, public: str | None) -> str:
    """Where anybody can look at s3://bucket/key; other URLs are what they are."""
    return f"{public}/{quote(url.split('/', 3)[3])}" if public else url
