"""The catalog's file: made, brought up to date, refused, and never damaged."""

import os
import shutil
import signal
import sqlite3
import subprocess
from pathlib import Path

import pytest

from core.catalog import database, images, jobs, meta
from core.catalog.database import Database, migrate
from core.errors import ShoeboxError
from tests import programs

MIGRATE_MANY = """
import sys, time
from pathlib import Path
from core.catalog.database import Database, migrate
folder = Path(sys.argv[1])
print("ready", flush=True)
sys.stdin.read()
for number in range(12):
    path = folder / f"{number}.sqlite"
    migrate(path)
    with Database(path) as db:
        db.execute("INSERT INTO jobs (kind, lane, params, created) VALUES ('x', 'bulk', '{}', 0)")
"""
MIGRATE_WITHIN = """
import resource, signal, sys
from core.catalog.database import migrate
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)  # the write that passes the limit kills
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
migrate(sys.argv[1])
"""


def files(path: Path) -> dict[str, bytes]:
    """Every file of the catalog with what it holds."""
    return {file.name: file.read_bytes() for file in path.parent.glob(path.name + "*")}


def tables(path: Path) -> set[str]:
    with sqlite3.connect(path) as connection:
        return {row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}


def test_migrating_again_changes_nothing(path):
    before = files(path)
    migrate(path)
    assert files(path) == before
    assert list(before) == [path.name]
    assert {"images", "embeddings", "clusterings", "jobs"} <= tables(path)


def test_processes_that_migrate_at_once_all_succeed(tmp_path):
    started = [programs.start(MIGRATE_MANY, tmp_path) for _ in range(3)]
    for process in started:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
    for process in started:
        assert process.stdin is not None
        process.stdin.close()
    assert [process.wait(programs.PATIENCE) for process in started] == [0, 0, 0]
    for number in range(12):
        with Database(tmp_path / f"{number}.sqlite") as db:
            assert db.value("SELECT count(*) FROM jobs") == 3
            assert db.value("PRAGMA integrity_check") == "ok"


def test_a_newer_catalog_is_refused_and_left_as_it_is(path):
    with Database(path) as db:
        db.execute("PRAGMA user_version = 99")
    before = files(path)
    with pytest.raises(ShoeboxError, match=r"newer shoebox.*version 99") as caught:
        migrate(path)
    assert caught.value.todo
    assert files(path) == before
    assert list(before) == [path.name]


@pytest.mark.parametrize("what", [b"not a database at all " * 400, b"SQLite format 3\0" + b"\xff" * 9000])
def test_a_file_that_is_no_catalog_is_refused_and_left_as_it_is(tmp_path, what):
    path = tmp_path / "catalog.sqlite"
    path.write_bytes(what)
    with pytest.raises(ShoeboxError, match="not a shoebox catalog"):
        migrate(path)
    assert files(path) == {path.name: what}


def test_a_folder_in_place_of_the_catalog_is_refused(tmp_path):
    (tmp_path / "catalog.sqlite").mkdir()
    with pytest.raises(ShoeboxError, match="cannot use the catalog"):
        migrate(tmp_path / "catalog.sqlite")


def test_a_migration_that_fails_half_way_leaves_what_was_there(tmp_path):
    path = tmp_path / "catalog.sqlite"
    with sqlite3.connect(path) as connection:  # the name of the last table of the first migration
        connection.execute("CREATE TABLE jobs (precious)")
        connection.execute("INSERT INTO jobs VALUES ('kept')")
    with pytest.raises(ShoeboxError, match="jobs already exists"):
        migrate(path)
    assert tables(path) == {"jobs"}
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT * FROM jobs").fetchall() == [("kept",)]
        assert connection.execute("PRAGMA user_version").fetchone() == (0,)


@pytest.mark.skipif(not hasattr(signal, "SIGXFSZ"), reason="the system does not kill for large files")
def test_a_process_killed_in_the_middle_of_migrating_leaves_all_or_nothing(tmp_path):
    seen = set()
    for limit in (2_000, 10_000, 30_000, 60_000, 90_000, 10_000_000):
        path = tmp_path / f"{limit}.sqlite"
        status = programs.run(MIGRATE_WITHIN, path, limit).returncode
        assert status in (0, -signal.SIGXFSZ)
        seen.add(status)
        with sqlite3.connect(path) as connection:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
        assert bool(tables(path)) == bool(version)
        migrate(path)
        with Database(path) as db:
            assert db.value("PRAGMA integrity_check") == "ok"
    assert seen == {0, -signal.SIGXFSZ}


def test_pictures_keep_their_ids_and_downloads_their_pictures_when_ids_become_unique_for_ever(tmp_path, monkeypatch):
    path, old = tmp_path / "catalog.sqlite", tmp_path / "migrations"
    old.mkdir()
    for script in sorted(database.MIGRATIONS.glob("*.sql"))[:8]:
        shutil.copy(script, old)
    with monkeypatch.context() as patch:
        patch.setattr(database, "MIGRATIONS", old)
        migrate(path)
    with Database(path) as db:
        db.execute("INSERT INTO sources (kind, root, added) VALUES ('urls', 'a', 0)")
        db.execute("INSERT INTO images (id, source, path, size, mtime_ns, trashed) VALUES (5, 1, 'a', 1, 1, 1)")
        db.execute("INSERT INTO downloads (source, url, state, image) VALUES (1, 'http://a', 'done', 5)")
        db.execute("INSERT INTO jobs (kind, lane, params, created, attempts) VALUES ('embed', 'bulk', '{}', 0, 2)")
    migrate(path)
    with Database(path) as db:
        assert tuple(db.one("SELECT id, path, trashed FROM images")) == (5, "a", 1)
        assert db.value("SELECT image FROM downloads") == 5
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        db.execute("DELETE FROM images")
        assert db.value("SELECT image FROM downloads") is None, "they still hang together"
        with db.transaction():
            images.add(db, 1, [(b"b", 1, 1)])
        assert db.value("SELECT id FROM images") == 6
        assert jobs.get(db, 1).attempts == 2


def test_a_catalog_that_is_gone_is_an_error_and_is_not_made_anew(tmp_path):
    with pytest.raises(ShoeboxError, match="cannot use the catalog"):
        Database(tmp_path / "catalog.sqlite")
    assert not any(tmp_path.iterdir())


def test_a_path_of_any_bytes_works(tmp_path):
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9 %41?mode=memory#\n"))
    folder.mkdir()
    migrate(folder / "catalog.sqlite")
    with Database(folder / "catalog.sqlite") as db:
        meta.put(db, "here", "yes")
    assert (folder / "catalog.sqlite").stat().st_size > 0


def test_a_transaction_is_all_or_nothing(db, path):
    with pytest.raises(KeyboardInterrupt), db.transaction():
        meta.put(db, "a", "1")
        raise KeyboardInterrupt
    with db.transaction():
        meta.put(db, "b", "2")
    with Database(path, read_only=True) as other:
        assert (meta.get(other, "a"), meta.get(other, "b")) == (None, "2")


def test_a_full_disk_is_told_and_the_connection_goes_on(db):
    db.execute(f"PRAGMA max_page_count = {db.value('PRAGMA page_count') + 4}")
    with pytest.raises(ShoeboxError, match="disk is full") as caught, db.transaction():
        for number in range(1000):
            meta.put(db, str(number), "x" * 1000)
    assert "kept" in caught.value.todo
    assert db.value("SELECT count(*) FROM meta") == 0
    with db.transaction():
        meta.put(db, "small", "fits")
    assert meta.get(db, "small") == "fits"


def test_a_lock_held_by_another_program_is_told(path, monkeypatch):
    monkeypatch.setattr("core.catalog.database.BUSY_SECONDS", 0.05)
    with Database(path) as holder, Database(path) as waiter, holder.transaction():
        with pytest.raises(ShoeboxError, match="locked by another program"), waiter.transaction():
            pass
        assert waiter.value("SELECT count(*) FROM images") == 0, "a reader is not held"


def test_a_damaged_catalog_is_told(path):
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (path.stat().st_size - 4096))
    with pytest.raises(ShoeboxError, match=r"is damaged .*move the folder"), Database(path) as db:
        db.execute("SELECT * FROM images ORDER BY path").fetchall()


def test_a_wrong_statement_is_no_error_of_the_users(db):
    with pytest.raises(sqlite3.OperationalError):
        db.execute("SELECT * FROM no_such_table")


def test_the_data_version_tells_of_commits_of_others_alone(db, path):
    before = db.data_version()
    meta.put(db, "own", "1")
    assert db.data_version() == before
    with Database(path) as other:
        meta.put(other, "other", "1")
    assert db.data_version() != before


def test_a_committed_transaction_survives_kill_9(path):
    program = """
import os, signal, sys
from core.catalog import database, images, jobs, meta
from core.catalog.database import Database
db = Database(sys.argv[1])
with db.transaction():
    meta.put(db, "committed", "yes")
db.execute("BEGIN IMMEDIATE")
meta.put(db, "open", "yes")
os.kill(os.getpid(), signal.SIGKILL)
"""
    done: subprocess.CompletedProcess[str] = programs.run(program, path)
    assert done.returncode == -signal.SIGKILL
    with Database(path) as db:
        assert (meta.get(db, "committed"), meta.get(db, "open")) == ("yes", None)
