"""The store of thumbnails: small JPEGs by content hash, in a SQLite file of their own, bounded in size."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from core.errors import ShoeboxError

_SCHEMA = """
CREATE TABLE IF NOT EXISTS thumbnails (
    id   INTEGER PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    data BLOB NOT NULL
)
"""
_EVICTED_AT_ONCE = 16


class ThumbnailStore:
    """Belongs to the thread that opened it. Nothing in it is precious: a thumbnail can be made again.

    Everything here raises ShoeboxError where the file is damaged or the disk takes no more.
    """

    def __init__(self, path: Path, *, max_bytes: int) -> None:
        self.path = path
        self.max_bytes = max_bytes
        with self._told():
            self._db = sqlite3.connect(path, timeout=30, isolation_level=None)
        with self._told():
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.execute(_SCHEMA)

    def put(self, thumbnails: Sequence[tuple[bytes, bytes]]) -> None:
        """Stores (hash, JPEG) pairs; the oldest go where the store would outgrow its bound."""
        with self._told(), self._transaction():
            self._db.executemany("INSERT OR REPLACE INTO thumbnails (hash, data) VALUES (?, ?)", thumbnails)
            while self._stored_bytes() > self.max_bytes and self._evict():
                pass

    def get(self, content: bytes) -> bytes | None:
        """The thumbnail of a content, or None where there is none (yet, or any more)."""
        with self._told():
            row = self._db.execute("SELECT data FROM thumbnails WHERE hash = ?", (content,)).fetchone()
        return None if row is None else bytes(row[0])

    def count(self) -> int:
        """How many thumbnails are stored."""
        with self._told():
            return int(self._db.execute("SELECT count(*) FROM thumbnails").fetchone()[0])

    def close(self) -> None:
        """Closes the store."""
        self._db.close()

    def _stored_bytes(self) -> int:
        """What the file takes on the disk, but for pages that are free to be used again. Costs no reading."""
        size, pages, free = (
            self._db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_size", "page_count", "freelist_count")
        )
        return int(size * (pages - free))

    def _evict(self) -> bool:
        oldest = "SELECT id FROM thumbnails ORDER BY id LIMIT ?"
        cursor = self._db.execute(f"DELETE FROM thumbnails WHERE id IN ({oldest})", (_EVICTED_AT_ONCE,))
        return cursor.rowcount > 0

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise ShoeboxError(
                f"cannot use the thumbnails {self.path} ({error})",
                "free some space, or remove that file: it is made again",
            ) from error
