"""The store of thumbnails: bounded, replaceable, and read while it is written."""

import os
from collections.abc import Iterator

import pytest

from core.catalog.thumbnails import ThumbnailStore
from core.errors import ShoeboxError
from tests import programs

WRITE = """
import os, sys
from pathlib import Path
from core.catalog.thumbnails import ThumbnailStore
store = ThumbnailStore(Path(sys.argv[1]), max_bytes=10**9)
print("ready", flush=True)
number = 0
while True:
    store.put([(number.to_bytes(16, "big"), number.to_bytes(8, "big") * 500) for number in range(number, number + 8)])
    number += 8
    print(number, flush=True)
"""


def name(number: int) -> bytes:
    return number.to_bytes(16, "big")


@pytest.fixture
def store(tmp_path) -> Iterator[ThumbnailStore]:
    store = ThumbnailStore(tmp_path / "thumbs.sqlite", max_bytes=1_000_000)
    yield store
    store.close()


def test_what_is_put_is_had(store):
    store.put([(name(1), b"one"), (name(2), b"two")])
    assert (store.get(name(1)), store.get(name(2)), store.get(name(3))) == (b"one", b"two", None)
    assert store.count() == 2


def test_a_thumbnail_is_replaced(store):
    store.put([(name(1), b"old")])
    store.put([(name(1), b"new")])
    assert (store.get(name(1)), store.count()) == (b"new", 1)


@pytest.mark.parametrize("size", [300, 9_000, 40_000])
def test_the_file_stays_below_its_bound_and_the_newest_stay(store, size):
    put = 3_000_000 // size
    for number in range(0, put, 4):
        store.put([(name(n), os.urandom(size)) for n in range(number, number + 4)])
    last = number + 3
    assert store.get(name(last)) is not None
    assert store.get(name(0)) is None
    assert store.count() * size > 400_000, "most of the room is used"
    store.close()  # takes the log of writes into the file
    assert store.path.stat().st_size <= 1_000_000 + 5 * 40_000


def test_replacing_again_and_again_drives_nothing_out(store):
    store.put([(name(n), bytes(1000)) for n in range(50)])
    for _ in range(100):
        store.put([(name(n), bytes(1000)) for n in range(10)] * 10)
    assert all(store.get(name(n)) is not None for n in range(50))


def test_a_lower_bound_holds_from_the_next_put(store):
    store.put([(name(n), os.urandom(9000)) for n in range(60)])
    store.close()
    smaller = ThumbnailStore(store.path, max_bytes=200_000)
    smaller.put([(name(99), b"new")])
    assert smaller.get(name(99)) == b"new"
    assert 0 < smaller.count() < 25
    smaller.close()


def test_another_process_writes_while_it_is_read(store):
    process = programs.start(WRITE, store.path)
    try:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        for _ in range(30):
            written = int(process.stdout.readline())
            for number in (0, written // 2, written - 1):
                assert store.get(name(number)) == number.to_bytes(8, "big") * 500
    finally:
        process.kill()
        process.communicate()
    assert store.count() >= written  # a writer killed midway leaves a store that reads, and takes more
    store.put([(name(10**9), b"more")])
    assert store.get(name(10**9)) == b"more"


def test_a_full_disk_is_told_and_the_store_goes_on(tmp_path, connections):
    store = ThumbnailStore(tmp_path / "thumbs.sqlite", max_bytes=1_000_000)
    pages = connections[-1].execute("PRAGMA page_count").fetchone()[0]
    connections[-1].execute(f"PRAGMA max_page_count = {pages + 4}")  # how SQLite itself makes believe
    with pytest.raises(ShoeboxError, match="free some space"):
        store.put([(name(n), bytes(9000)) for n in range(10)])
    assert store.count() == 0
    store.put([(name(1), b"small")])
    assert store.get(name(1)) == b"small"
    store.close()


def test_a_file_that_is_no_store_is_told_and_left_as_it_is(tmp_path):
    path = tmp_path / "thumbs.sqlite"
    path.write_bytes(b"no database " * 100)
    with pytest.raises(ShoeboxError, match="made again"):
        ThumbnailStore(path, max_bytes=1000)
    assert path.read_bytes() == b"no database " * 100
