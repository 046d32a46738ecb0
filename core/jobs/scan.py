"""Brings the catalog up to what a folder holds now: what is new, changed, gone, and back again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from core.catalog import images
from core.catalog.database import Database
from core.catalog.images import Listed
from core.catalog.sources import Source
from core.sources.folder import FoundFile, Unreadable, walk
from core.sources.found import evenly

CHUNK = 500
"""Files recorded in one transaction, so that it stays under 20 ms."""


@dataclass(slots=True)
class ScanReport:
    """What a scan found, in files; `unreadable` counts folders, and files that could not be looked at."""

    found: int = 0
    new: int = 0
    changed: int = 0
    gone: int = 0
    back: int = 0
    unreadable: int = 0

    def as_dict(self) -> dict[str, int]:
        """The same as plain data for JSON."""
        return {name: getattr(self, name) for name in self.__slots__}  # asked for at every file


class _Changes:
    """What the catalog does not say yet, written a chunk at a time."""

    def __init__(self, db: Database, source: Source) -> None:
        self._db = db
        self._source = source
        self._new: list[tuple[bytes, int, int]] = []
        self._changed: list[tuple[int, int, int]] = []
        self._gone: list[int] = []
        self._back: list[int] = []

    def new(self, file: FoundFile) -> None:
        self._new.append((file.path, file.size, file.mtime_ns))
        self._flush(at_least=CHUNK)

    def changed(self, listed: Listed, file: FoundFile) -> None:
        self._changed.append((listed.id, file.size, file.mtime_ns))
        self._flush(at_least=CHUNK)

    def gone(self, listed: Listed) -> None:
        self._gone.append(listed.id)
        self._flush(at_least=CHUNK)

    def back(self, listed: Listed) -> None:
        self._back.append(listed.id)
        self._flush(at_least=CHUNK)

    def finish(self) -> None:
        self._flush(at_least=1)

    def _flush(self, at_least: int) -> None:
        if len(self._new) + len(self._changed) + len(self._gone) + len(self._back) < at_least:
            return
        with self._db.transaction():
            images.add(self._db, self._source.id, self._new)
            images.mark_changed(self._db, self._changed)
            images.mark_missing(self._db, self._gone, missing=True)
            images.mark_missing(self._db, self._back, missing=False)
        for rows in (self._new, self._changed, self._gone, self._back):
            rows.clear()


def scan(
    db: Database,
    reading: Database,
    source: Source,
    root: bytes,
    *,
    progress: Callable[[ScanReport], None],
    sample: int = 0,
) -> ScanReport:
    """Compares a folder with the catalog and records the differences.

    Both sides come in the order of path bytes, so this is a merge and holds neither in memory. `reading` is a
    second connection: it keeps its view of the catalog while `db` writes. What cannot be listed is left as it is
    in the catalog. `progress` is called for every file and may raise to stop. With `sample`, so many pictures are
    taken in all: new ones, evenly spaced over those that are not known, until there are so many.
    """
    report = ScanReport()
    taken = _sampled(reading, source, root, sample) if sample else None
    changes = _Changes(db, source)
    for found, listed in _merged(walk(root), images.listed(reading, source.id)):
        match found, listed:
            case Unreadable(), _:
                report.unreadable += 1
            case FoundFile(), None:
                if taken is not None and found.path not in taken:
                    continue
                report.found += 1
                report.new += 1
                changes.new(found)
            case FoundFile(), Listed():
                report.found += 1
                if (found.size, found.mtime_ns) != (listed.size, listed.mtime_ns):
                    report.changed += 1
                    changes.changed(listed, found)
                elif listed.missing:
                    report.back += 1
                    changes.back(listed)
            case None, Listed(missing=False):
                report.gone += 1
                changes.gone(listed)
        progress(report)
    changes.finish()
    return report


def _sampled(db: Database, source: Source, root: bytes, sample: int) -> set[bytes]:
    """The new files that a sample takes."""
    known = {listed.path for listed in images.listed(db, source.id) if not listed.missing}
    fresh = [found.path for found in walk(root) if isinstance(found, FoundFile) and found.path not in known]
    return set(evenly(fresh, max(sample - len(known), 0)))


def _merged(
    found: Iterator[FoundFile | Unreadable], listed: Iterator[Listed]
) -> Iterator[tuple[FoundFile | Unreadable | None, Listed | None]]:
    """Pairs up the two sides by path; a path that one side lacks comes with None.

    What is listed at or below an unreadable path does not come at all.
    """
    known = next(listed, None)
    for item in found:
        while known is not None and known.path < item.path:
            yield None, known
            known = next(listed, None)
        if isinstance(item, Unreadable):
            yield item, None
            while known is not None and _covers(item.path, known.path):
                known = next(listed, None)
        elif known is not None and known.path == item.path:
            yield item, known
            known = next(listed, None)
        else:
            yield item, None
    while known is not None:
        yield None, known
        known = next(listed, None)


def _covers(unreadable: bytes, path: bytes) -> bool:
    return path.startswith(unreadable) if unreadable.endswith(b"/") else path == unreadable
