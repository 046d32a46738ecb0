"""The pictures of a project: what lies where, what was read, what failed and why."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from core.catalog.database import Database


@dataclass(frozen=True, slots=True)
class Image:
    """One picture. `path` is relative to its source's root; width and height are upright, in pixels."""

    id: int
    source: int
    path: bytes
    size: int
    mtime_ns: int
    hash: bytes | None
    width: int | None
    height: int | None
    format: str | None
    status: str
    error: str | None
    missing: bool
    trashed: bool


@dataclass(frozen=True, slots=True)
class Counts:
    """How many pictures there are, by state. `images` leaves out what is missing or trashed."""

    images: int
    failed: int
    missing: int
    trashed: int


@dataclass(frozen=True, slots=True)
class Listed:
    """What the catalog says of a path, for a scan to compare with the file system."""

    id: int
    path: bytes
    size: int
    mtime_ns: int
    missing: bool


def listed(db: Database, source_id: int) -> Iterator[Listed]:
    """Every path of a source, in the order of its bytes."""
    cursor = db.execute(
        "SELECT id, path, size, mtime_ns, missing FROM images WHERE source = ? ORDER BY path", (source_id,)
    )
    for image_id, path, size, mtime_ns, missing in cursor:
        yield Listed(image_id, path, size, mtime_ns, bool(missing))


def add(db: Database, source_id: int, files: Sequence[tuple[bytes, int, int]]) -> None:
    """Records new files, each (path, size in bytes, mtime in ns), as pending; a path that is known is left alone."""
    db.executemany(
        "INSERT INTO images (source, path, size, mtime_ns) VALUES (?, ?, ?, ?) ON CONFLICT (source, path) DO NOTHING",
        ((source_id, path, size, mtime_ns) for path, size, mtime_ns in files),
    )


def mark_changed(db: Database, changes: Sequence[tuple[int, int, int]]) -> None:
    """Sets files, each (id, size, mtime in ns), to be read again. The old hash stays until then."""
    db.executemany(
        "UPDATE images SET size = ?, mtime_ns = ?, status = 'pending', error = NULL, missing = 0 WHERE id = ?",
        ((size, mtime_ns, image_id) for image_id, size, mtime_ns in changes),
    )


def mark_missing(db: Database, image_ids: Sequence[int], *, missing: bool) -> None:
    """Says that files are gone, or that they came back unchanged. What is known of them stays."""
    db.executemany("UPDATE images SET missing = ? WHERE id = ?", ((int(missing), i) for i in image_ids))


def set_trashed(db: Database, image_ids: Sequence[int], *, trashed: bool) -> None:
    """Puts pictures into the trash or takes them out. No file is touched. Inside a transaction of the caller's."""
    db.executemany("UPDATE images SET trashed = ? WHERE id = ?", ((int(trashed), i) for i in image_ids))


def to_embed(db: Database, encoder_id: int, *, after: int, limit: int) -> list[Image]:
    """The next pictures, by id, that lack an embedding of this encoder: new, changed, or failed before."""
    return _images(
        db,
        # Unary plus keeps the index of states out: this walks on by id, so that all pages together are one walk.
        "WHERE i.id > ? AND +i.missing = 0 AND +i.trashed = 0 AND (i.status <> 'ready' OR NOT EXISTS"
        " (SELECT 1 FROM embeddings e WHERE e.encoder = ? AND e.hash = i.hash)) ORDER BY i.id LIMIT ?",
        (after, encoder_id, limit),
    )


def count_to_embed(db: Database, encoder_id: int, *, without: Collection[int] = ()) -> int:
    """How many pictures `to_embed` has in all, but for those of the sources `without`."""
    return int(
        db.value(
            "SELECT count(*) FROM images i LEFT JOIN embeddings e ON e.encoder = ? AND e.hash = i.hash"
            " WHERE i.missing = 0 AND i.trashed = 0 AND (i.status <> 'ready' OR e.hash IS NULL)"
            f" AND i.source NOT IN ({', '.join('?' * len(without))})",
            (encoder_id, *without),
        )
    )


def add_contents(db: Database, contents: Sequence[tuple[bytes, int, int, str]]) -> None:
    """Records what was learned of contents: each (hash, width, height, format)."""
    db.executemany("INSERT OR REPLACE INTO contents VALUES (?, ?, ?, ?)", contents)


def mark_ready(db: Database, pictures: Sequence[tuple[int, bytes]]) -> list[int]:
    """Records which content, known by now, each picture has: (id, hash). Gives their ids from now on.

    A picture that carries the content of a missing one of its source is that one, renamed: the old row takes
    the new path, so that marks, names and trash stay with the picture.
    """
    for image_id, content in pictures:
        db.execute("UPDATE images SET hash = ?, status = 'ready', error = NULL WHERE id = ?", (content, image_id))
    return [_renamed(db, image_id, content) for image_id, content in pictures]


def mark_failed(db: Database, failures: Sequence[tuple[int, str]]) -> None:
    """Records why pictures, each (id, reason), cannot be used."""
    db.executemany(
        "UPDATE images SET status = 'failed', error = ?, hash = NULL WHERE id = ?",
        ((reason, image_id) for image_id, reason in failures),
    )


def get(db: Database, image_id: int) -> Image:
    """One picture by its id."""
    return _images(db, "WHERE i.id = ?", (image_id,))[0]


def find(
    db: Database, roots: Mapping[int, bytes], files: Iterable[str | os.PathLike[str]]
) -> tuple[list[int], list[str]]:
    """The ids of the pictures at these paths, and the paths at which the catalog knows none.

    `roots` says where each source lies. A path is absolute, or relative to the current folder; else to a source, as
    JSON has it.
    """

    def at(places: Iterable[tuple[int, bytes]]) -> list[int]:
        found = (db.value("SELECT id FROM images WHERE source = ? AND path = ?", place) for place in places)
        return [image_id for image_id in found if image_id is not None]

    ids: list[int] = []
    unknown: list[str] = []
    for file in files:
        given = os.fsencode(file)
        folder, name = os.path.split(given)
        path = os.path.join(os.path.realpath(folder), name)  # a picture may itself be a link
        known = at((source, os.path.relpath(path, root)) for source, root in roots.items())
        known = known or at((source, given) for source in roots)
        ids += known
        if not known:
            unknown.append(os.fsdecode(file))
    return ids, unknown


def failed(db: Database) -> list[Image]:
    """Every picture that failed and is still there, by path."""
    return _images(db, "WHERE i.status = 'failed' AND i.missing = 0 ORDER BY i.source, i.path")


def counts(db: Database) -> Counts:
    """The numbers of pictures by state."""
    # The whole is counted page by page, and only the rare states row by row.
    every, failed, missing, trashed = db.one(
        "SELECT (SELECT count(*) FROM images),"
        " (SELECT count(*) FROM images WHERE missing = 0 AND trashed = 0 AND status = 'failed'),"
        " (SELECT count(*) FROM images WHERE missing = 1),"
        " (SELECT count(*) FROM images WHERE missing = 0 AND trashed = 1)"
    )
    return Counts(images=every - missing - trashed, failed=failed, missing=missing, trashed=trashed)


def count_embedded(db: Database, encoder_id: int) -> int:
    """How many pictures, neither missing nor trashed, have an embedding of this encoder."""
    return int(
        db.value(
            "SELECT count(*) FROM images i JOIN embeddings e ON e.encoder = ? AND e.hash = i.hash"
            " WHERE i.missing = 0 AND i.trashed = 0 AND i.status = 'ready'",
            (encoder_id,),
        )
    )


def _renamed(db: Database, image_id: int, content: bytes) -> int:
    """The id of a picture just read: that of the missing picture it was before a rename, if there is one."""
    old = db.value(
        "SELECT o.id FROM images o JOIN images n ON n.source = o.source AND n.id <> o.id"
        " WHERE o.missing = 1 AND o.hash = ? AND n.id = ? ORDER BY o.id LIMIT 1",
        (content, image_id),
    )
    if old is None or _is_known(db, image_id):
        return image_id
    new = get(db, image_id)
    db.execute("DELETE FROM images WHERE id = ?", (image_id,))
    db.execute(
        "UPDATE images SET path = ?, size = ?, mtime_ns = ?, status = 'ready', error = NULL, missing = 0 WHERE id = ?",
        (new.path, new.size, new.mtime_ns, old),
    )
    return int(old)


def _is_known(db: Database, image_id: int) -> bool:
    """Whether a picture was clustered, annotated or thrown out before: it is no new file, and keeps its own row."""
    # By the runs, which are few (CROSS JOIN keeps that order): there is no index of their pictures.
    kept = (
        "SELECT 1 FROM images WHERE id = ?1 AND trashed = 1"
        " UNION ALL SELECT 1 FROM clusterings r CROSS JOIN assignments a ON a.clustering = r.id AND a.image = ?1"
        " UNION ALL SELECT 1 FROM annotation_runs r CROSS JOIN annotations a ON a.run = r.id AND a.image = ?1"
    )
    return db.value(f"{kept} LIMIT 1", (image_id,)) is not None


_SELECT = (
    "SELECT i.id, i.source, i.path, i.size, i.mtime_ns, i.hash, c.width, c.height, c.format, i.status, i.error,"
    " i.missing, i.trashed FROM images i LEFT JOIN contents c ON c.hash = i.hash"
)


def _images(db: Database, clauses: str, parameters: Sequence[int] = ()) -> list[Image]:
    rows = db.execute(f"{_SELECT} {clauses}", parameters)
    return [Image(*row[:11], *map(bool, row[11:])) for row in rows]
