"""A catalog of the tests' own."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.catalog import encoders, sources
from core.catalog.database import Database, migrate
from core.catalog.encoders import EncoderRecord
from core.catalog.sources import Source


@pytest.fixture
def connections(monkeypatch) -> list[sqlite3.Connection]:
    """The connections opened from here on, to watch or to limit them as SQLite allows."""
    opened: list[sqlite3.Connection] = []
    connect = sqlite3.connect

    def connect_and_remember(*arguments, **options) -> sqlite3.Connection:
        opened.append(connect(*arguments, **options))
        return opened[-1]

    monkeypatch.setattr(sqlite3, "connect", connect_and_remember)
    return opened


@pytest.fixture
def path(tmp_path) -> Path:
    path = tmp_path / "catalog.sqlite"
    migrate(path)
    return path


@pytest.fixture
def db(path) -> Iterator[Database]:
    with Database(path) as db:
        yield db


@pytest.fixture
def source(db) -> Source:
    return sources.add(db, "folder", b"..")


@pytest.fixture
def encoder(db) -> EncoderRecord:
    return encoders.register(db, fingerprint="first", spec="pocket", options={}, dimension=4)
