"""Catalogs written by an earlier shoebox are read by this one, with all that is in them."""

import shutil
from pathlib import Path

from core.catalog import database, jobs
from core.catalog.database import Database, migrate


def of_version(number: int, folder: Path, monkeypatch) -> Path:
    """A catalog as the first `number` migrations make it."""
    path, scripts = folder / "catalog.sqlite", folder / "migrations"
    scripts.mkdir()
    for script in sorted(database.MIGRATIONS.glob("*.sql"))[:number]:
        shutil.copy(script, scripts)
    with monkeypatch.context() as patch:
        patch.setattr(database, "MIGRATIONS", scripts)
        migrate(path)
    return path


def test_jobs_from_before_searches_had_a_lane_stay_and_are_taken_up(tmp_path, monkeypatch):
    path = of_version(7, tmp_path, monkeypatch)
    with Database(path) as db:
        db.execute(
            "INSERT INTO jobs (kind, lane, params, state, result, created, finished)"
            """ VALUES ('search', 'interactive', '{"query": "a car"}', 'done', '{"images": [[1]]}', 1, 2)"""
        )
        db.execute(
            "INSERT INTO jobs (kind, lane, params, paused, progress, created)"
            """ VALUES ('embed', 'bulk', '{"live": true}', 1, '{"done": 7}', 3)"""
        )
        db.execute("INSERT INTO jobs (kind, lane, params, created) VALUES ('cluster', 'interactive', '{}', 4)")
    migrate(path)
    with Database(path) as db:
        done = jobs.get(db, 1)
        assert (done.kind, done.state, done.params, done.result) == (
            "search",
            "done",
            {"query": "a car"},
            {"images": [[1]]},
        )
        held = jobs.get(db, 2)
        assert (held.params, held.paused, held.progress) == ({"live": True}, True, {"done": 7})
        assert jobs.take_next(db, "bulk") is None, "it is still paused"
        assert jobs.add(db, "search", "search", {"query": "a fish"}) == 4
        taken = jobs.take_next(db, "search")
        assert taken is not None and taken.params == {"query": "a fish"}
        taken = jobs.take_next(db, "interactive")
        assert taken is not None and taken.id == 3
