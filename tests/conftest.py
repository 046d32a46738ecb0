"""What all tests share: a home of their own, a pile of drawings, and the `shoebox` command."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from core.demo import KINDS as ALL_KINDS
from core.demo import DrawnFile, pile
from core.jobs.client import Client
from core.jobs.context import Control, JobContext
from core.jobs.embed import embed_job
from core.jobs.models import LoadedEncoders
from core.project import Project, find_project, open_project
from core.settings import Settings
from tests.programs import PATIENCE

os.environ.setdefault("OMP_NUM_THREADS", "1")
"""One thread a process, this one and those it starts: more of them spin in one another's way on a busy machine."""
KINDS = ("car", "fish", "star", "umbrella")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--snapshot-update` writes tests/tui/snapshots/ anew."""
    parser.addoption("--snapshot-update", action="store_true", help="write the pictures of the screens anew")


@pytest.fixture(scope="session")
def cache(tmp_path_factory) -> Path:
    """What is measured once on a machine is measured once by the tests."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def home(tmp_path_factory, monkeypatch, cache) -> Iterator[Path]:
    """No test sees or touches the user's own settings, caches or workers; none reaches a network."""
    folder = tmp_path_factory.mktemp("home")
    runtime = Path(tempfile.mkdtemp(prefix="sb-"))  # short: it holds sockets
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(folder / name))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    for name in [n for n in os.environ if n.startswith(("SHOEBOX_", "OPENAI_"))]:
        monkeypatch.delenv(name)
    for name in ("COLUMNS", "LINES"):  # a terminal says itself how large it is
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SHOEBOX_IDLE", "30")
    monkeypatch.setenv("SHOEBOX_NICENESS", "0")  # a test waits for the worker: on a busy machine it would for long
    yield folder
    shutil.rmtree(runtime, ignore_errors=True)


@pytest.fixture(scope="session")
def drawn() -> list[DrawnFile]:
    """The files of the demo: drawn once."""
    return list(pile(seed=1))


@pytest.fixture
def pictures(tmp_path, drawn) -> Iterator[Path]:
    """A folder of 64 drawings of four kinds, none of them broken. Its worker ends with the test."""
    folder = tmp_path / "pictures"
    _lay_out(folder, [f for kind in KINDS for f in _of_kind(drawn, kind)[:16]])
    yield folder
    stop_worker(folder)


@pytest.fixture
def project(pictures) -> Project:
    """The project of `pictures`, with nothing in it yet."""
    return open_project(pictures)


@pytest.fixture
def many_pictures(tmp_path, drawn) -> Iterator[Path]:
    """A folder of 384 drawings of twelve kinds: work that takes a while. Its worker ends with the test."""
    folder = tmp_path / "many"
    _lay_out(folder, [f for kind in ALL_KINDS for f in _of_kind(drawn, kind)])
    yield folder
    stop_worker(folder)


@pytest.fixture(scope="session")
def embedded_once(tmp_path_factory, drawn) -> Path:
    """The folder of `pictures`, embedded in this process: for copying, not for use."""
    folder = tmp_path_factory.mktemp("embedded") / "pictures"
    _lay_out(folder, [f for kind in KINDS for f in _of_kind(drawn, kind)[:16]])
    embed_here(open_project(folder))
    return folder


@pytest.fixture
def embedded(tmp_path, embedded_once) -> Iterator[Path]:
    """A folder like `pictures` whose project is embedded with pocket. Its worker ends with the test."""
    folder = tmp_path / "embedded"
    shutil.copytree(embedded_once, folder)
    yield folder
    stop_worker(folder)


@dataclass
class Ran:
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


@pytest.fixture
def shoebox(tmp_path):
    """Runs the command as a user does: a process of its own, standing in an empty folder."""
    here = tmp_path / "here"
    here.mkdir()

    def run(*arguments, env: dict[str, str] | None = None, cwd: Path | None = None, timeout: float = PATIENCE) -> Ran:
        done = subprocess.run(
            [sys.executable, "-m", "tui", *map(str, arguments)],
            cwd=cwd or here,
            env=os.environ | (env or {}),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    return run


def embed_here(project: Project, settings: Settings | None = None, *, live: bool = False) -> dict[str, Any]:
    """Does the job `embed` in this process, by the function that the worker calls; gives its result."""
    context = JobContext(
        project=project,
        settings=settings or Settings(encoder="pocket"),
        environment={},
        models=LoadedEncoders(),
        control=Control(),
        report=lambda _: None,
    )
    return embed_job(context, {"live": live})


def _of_kind(drawn: list[DrawnFile], kind: str) -> list[DrawnFile]:
    return [file for file in drawn if file.name.startswith(kind) and "small" not in file.name]


def _lay_out(folder: Path, files: list[DrawnFile]) -> None:
    folder.mkdir()
    for file in files:
        (folder / file.name).write_bytes(file.data)


def stop_worker(folder: Path) -> None:
    """Ends the worker of a folder's project, if there is one."""
    try:
        found = find_project(folder)
    except Exception:
        return
    with Client(found) as client:
        client.stop_worker()
