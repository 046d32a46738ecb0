"""Small programs of the tests' own: in processes that are killed, held within limits, or have fewer rights."""

import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
PATIENCE = 120.0
"""Seconds that a test waits for what a quiet machine does in a few: only what hangs takes so long."""
# Root is bound by no permission. What is imported later could be out of an ordinary user's reach, so it comes first.
AS_NOBODY = """
import os, tempfile, numpy, core.jobs.scan
from core.project import open_project
with tempfile.TemporaryDirectory() as folder:
    open_project(folder)
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
"""


def start(program: str, *arguments: object) -> "subprocess.Popen[str]":
    """A program on its way; its stdin and stdout are pipes."""
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.Popen(command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def run(program: str, *arguments: object, as_nobody: bool = False) -> "subprocess.CompletedProcess[str]":
    """Runs a program to its end. `as_nobody`: as a user whom permissions bind, even where the tests run as root."""
    command = [sys.executable, "-c", AS_NOBODY + program if as_nobody else program, *map(str, arguments)]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=PATIENCE, check=False)


@contextmanager
def folder_for_all() -> Iterator[Path]:
    """A folder that every user reaches, which pytest's own are not, nor /tmp on every machine."""
    places = [Path(place).resolve() for place in (tempfile.gettempdir(), "/var/tmp", "/dev/shm")]
    parent = next((place for place in places if _entered_by_all(place)), None)
    if parent is None:
        pytest.skip("no place for temporary files here is open to all users")
    with tempfile.TemporaryDirectory(dir=parent) as name:
        folder = Path(name).resolve()
        folder.chmod(0o777)
        yield folder


def _entered_by_all(folder: Path) -> bool:
    return folder.is_dir() and all(place.stat().st_mode & stat.S_IXOTH for place in (folder, *folder.parents))
