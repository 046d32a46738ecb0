"""The catalog's connection: SQLite in WAL mode, transactions, migrations."""

from __future__ import annotations

import os
import random
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from core.errors import ShoeboxError

BUSY_SECONDS = 30.0
MIGRATIONS = Path(__file__).parent / "migrations"
"""The scripts that make a catalog what it is, one a version."""


class Database:
    """One connection to a catalog that exists (`migrate` makes it). Belongs to the thread that opened it.

    Raises ShoeboxError where the file, the disk or another program's lock stands in the way, here and at every
    statement; what is wrong with a statement itself stays an sqlite3.Error. `durable=False` gives up fsync on
    commit (the catalog stays intact after a power cut, its last commits may be gone): for progress that is worth
    nothing tomorrow.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        durable: bool = True,
        read_only: bool = False,
        shared: bool = False,
    ) -> None:
        self.path = Path(path)
        try:
            self._connection = _connect(self.path, mode="ro" if read_only else "rw", shared=shared)
        except sqlite3.Error as error:
            raise _unusable(self.path, error) from error
        try:
            if not read_only:
                _use_wal(self._connection)
                self._connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        except sqlite3.Error as error:
            self._connection.close()
            raise _unusable(self.path, error) from error

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Runs one statement."""
        try:
            return self._connection.execute(sql, parameters)
        except sqlite3.Error as error:
            raise self._told(error) from error

    def executemany(self, sql: str, rows: Sequence[Sequence[Any]] | Iterator[Sequence[Any]]) -> sqlite3.Cursor:
        """Runs one statement for every row."""
        try:
            return self._connection.executemany(sql, rows)
        except sqlite3.Error as error:
            raise self._told(error) from error

    def one(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        """The first row, or None."""
        return self.execute(sql, parameters).fetchone()

    def value(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        """The first column of the first row, or None."""
        row = self.one(sql, parameters)
        return row[0] if row is not None else None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing. Takes the write lock at once, so that it cannot fail half way for want of it."""
        try:
            self.execute("BEGIN IMMEDIATE")  # inside: a Ctrl-C that comes while it waits is raised right after it
            yield
            self.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:  # a full disk may have rolled it back already
                self._connection.execute("ROLLBACK")
            raise

    def data_version(self) -> int:
        """A number that changes when another connection commits."""
        return int(self.value("PRAGMA data_version"))

    def _told(self, error: sqlite3.Error) -> Exception:
        return _unusable(self.path, error) if _is_of_the_world(error) else error

    def close(self) -> None:
        """Closes the connection; a second call does nothing."""
        self._connection.close()

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def migrate(path: str | os.PathLike[str]) -> None:
    """Creates the catalog at `path`, or brings it up to this version, one migration a transaction.

    Raises ShoeboxError where the catalog is of a newer version (it is left as it is) or is no catalog.
    """
    scripts = sorted(MIGRATIONS.glob("*.sql"))
    try:
        connection = _connect(Path(path), mode="rwc")
        try:
            # Asked before anything is written: not even the journal mode of a newer catalog changes.
            _refuse_newer(Path(path), _version(connection), len(scripts))
            if _version(connection) == len(scripts):
                return
            _use_wal(connection)
            # A table that is made anew takes the place of one that others refer to (sqlite.org/lang_altertable.html).
            connection.execute("PRAGMA foreign_keys = OFF")
            for number, script in enumerate(scripts, start=1):
                # Looked at inside the transaction: another process may be migrating beside this one.
                connection.execute("BEGIN IMMEDIATE")
                if _version(connection) < number:
                    for statement in _statements(script.read_text(encoding="utf-8")):
                        connection.execute(statement)
                    connection.execute(f"PRAGMA user_version = {number}")
                connection.execute("COMMIT")
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise _unusable(Path(path), error) from error


def _connect(path: Path, *, mode: str, shared: bool = False) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    connection = sqlite3.connect(
        uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=not shared
    )
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _use_wal(connection: sqlite3.Connection) -> None:
    """Turns the write-ahead log on, however many processes do so at once.

    SQLite does not wait here as it does elsewhere: of two connections that both read the header and both want to
    write it, it refuses one at once, since waiting would be a deadlock (sqlite.org/c3ref/busy_handler.html).
    """
    patience = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if _code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > patience:
                raise
            time.sleep(random.uniform(0.005, 0.05))
        else:
            return


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _statements(script: str) -> Iterator[str]:
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""


def _refuse_newer(path: Path, version: int, known: int) -> None:
    if version > known:
        raise ShoeboxError(
            f"{path} was written by a newer shoebox (catalog version {version}, this one knows {known})",
            "update shoebox, or use another project folder with --project DIR; nothing was changed",
        )


_WORLD = (
    *(sqlite3.SQLITE_BUSY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_FULL),
    *(sqlite3.SQLITE_IOERR, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY),
)


def _code(error: sqlite3.Error) -> int:
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF  # without what details it


def _is_of_the_world(error: sqlite3.Error) -> bool:
    """Whether a disk, a lock or a damaged file caused the error, and not our own statement."""
    return _code(error) in _WORLD


def _unusable(path: Path, error: sqlite3.Error) -> ShoeboxError:
    code = _code(error)
    if code == sqlite3.SQLITE_FULL:
        return ShoeboxError(
            f"the disk is full: cannot write {path}", "free some space and run again: what was done so far is kept"
        )
    if code == sqlite3.SQLITE_BUSY:
        return ShoeboxError(
            f"{path} is locked by another program", "wait for it to end, or stop the worker with shoebox stop"
        )
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        # The folder, not the file alone: the log of the old file would be taken for that of a new one.
        damaged = f"is damaged ({error})" if code == sqlite3.SQLITE_CORRUPT else "is not a shoebox catalog"
        return ShoeboxError(
            f"{path} {damaged}",
            f"put a copy back, or move the folder {path.parent} away and run again: it is made anew, without names",
        )
    return ShoeboxError(f"cannot use the catalog {path} ({error})", "check the disk and the permissions of its folder")
