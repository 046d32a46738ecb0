"""The vector file: rows that were counted are there, and what a crash left behind them is not."""

import os
import signal

import numpy as np
import pytest

from core.catalog.vectors import VectorFile
from core.errors import ShoeboxError
from tests import programs

APPEND = """
import resource, signal, sys
import numpy as np
from pathlib import Path
from core.catalog.vectors import VectorFile
from core.errors import ShoeboxError
file, limit, deadly = VectorFile(Path(sys.argv[1]), 8), int(sys.argv[2]), sys.argv[3] == "deadly"
signal.signal(signal.SIGXFSZ, signal.SIG_DFL if deadly else signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    file.append(np.ones((100, 8), np.float32), 10)
except ShoeboxError as error:
    print(error)
"""


def unit(rows: int, dimension: int = 8, seed: int = 0) -> np.ndarray:
    vectors = np.random.default_rng(seed).standard_normal((rows, dimension)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture
def file(tmp_path) -> VectorFile:
    return VectorFile(tmp_path / "vectors" / "first.f16", 8)


def test_what_is_appended_is_read(file):
    vectors = unit(50)
    file.append(vectors[:30], 0)
    file.append(vectors[30:], 30)
    np.testing.assert_array_equal(file.read(50), vectors.astype(np.float16))
    np.testing.assert_array_equal(file.read(7), vectors[:7].astype(np.float16))
    assert file.read(0).shape == (0, 8)


def test_what_is_read_is_mapped_and_cannot_be_written(file):
    file.append(unit(3), 0)
    mapped = file.read(3)
    assert isinstance(mapped, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        mapped[0] = 0


@pytest.mark.parametrize("dimension", [1, 7, 512, 1152])
def test_norms_stay_one_within_half_precision(tmp_path, dimension):
    file = VectorFile(tmp_path / "wide.f16", dimension)
    file.append(unit(200, dimension), 0)
    norms = np.linalg.norm(file.read(200).astype(np.float32), axis=1)
    assert np.abs(norms - 1).max() < 1e-3


def test_rows_behind_the_count_are_overwritten(file):
    file.append(unit(10, seed=1), 0)
    file.append(unit(40, seed=2), 10)  # never counted: the catalog's commit did not come
    file.append(unit(5, seed=3), 10)
    np.testing.assert_array_equal(file.read(10), unit(10, seed=1).astype(np.float16))
    np.testing.assert_array_equal(file.read(15)[10:], unit(5, seed=3).astype(np.float16))


def test_a_kill_in_the_middle_of_a_write_leaves_the_counted_rows(file):
    file.append(unit(10, seed=1), 0)
    done = programs.run(APPEND, file.path, 10 * 16 + 500, "deadly")
    assert done.returncode == -signal.SIGXFSZ
    np.testing.assert_array_equal(file.read(10), unit(10, seed=1).astype(np.float16))
    file.append(unit(60, seed=2), 10)
    np.testing.assert_array_equal(file.read(70)[10:], unit(60, seed=2).astype(np.float16))


def test_a_file_shorter_than_counted_is_told_on_reading_and_on_appending(file):
    file.append(unit(10), 0)
    os.truncate(file.path, 9 * 16)
    for attempt in (lambda: file.read(10), lambda: file.append(unit(1), 10)):
        with pytest.raises(ShoeboxError, match="gone or cut short: the catalog counts 10 rows"):
            attempt()
    assert file.path.stat().st_size == 9 * 16
    file.path.unlink()
    for attempt in (lambda: file.read(10), lambda: file.append(unit(1), 10)):
        with pytest.raises(ShoeboxError, match="gone or cut short"):
            attempt()
    assert not file.path.exists(), "a hole in place of lost rows would be read as vectors"


def test_a_disk_that_takes_no_more_is_told(file):
    file.append(unit(10), 0)
    done = programs.run(APPEND, file.path, 10 * 16 + 500, "survive")
    assert "cannot write vectors" in done.stdout and "kept" in done.stdout
    np.testing.assert_array_equal(file.read(10), unit(10).astype(np.float16))


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "vectors").write_bytes(b"a file")
    with pytest.raises(ShoeboxError, match="cannot write vectors"):
        VectorFile(tmp_path / "vectors" / "first.f16", 8).append(unit(1), 0)


def test_a_folder_that_cannot_be_written_is_told():
    with programs.folder_for_all() as folder:
        done = programs.run(APPEND.replace(", 10)", ", 0)"), folder / "first.f16", 10**6, "survive", as_nobody=True)
        assert (done.stdout, done.returncode) == ("", 0)
        (folder / "first.f16").unlink()
        folder.chmod(0o555)
        done = programs.run(APPEND.replace(", 10)", ", 0)"), folder / "first.f16", 10**6, "survive", as_nobody=True)
        assert "cannot write vectors" in done.stdout and "Permission denied" in done.stdout
