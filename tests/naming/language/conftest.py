"""A clustered project, a server on loopback, and what is asked of it."""

import dataclasses
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from core.catalog import clusterings
from core.catalog.clusterings import ClusteringRecord
from core.naming.language import consent
from core.naming.language.run import LanguageResult, label_clusters, propose_names
from core.naming.language.server import Server
from core.naming.language.watch import Watch
from core.project import Project
from core.settings import Settings
from tests.naming.server import FakeServer

KEY = "sk-never-to-be-written-0815"


@pytest.fixture
def server() -> Iterator[FakeServer]:
    """A server that behaves, until it is told otherwise."""
    with FakeServer() as running:
        yield running


def last_run(project: Project) -> ClusteringRecord:
    with project.database() as db:
        run = clusterings.latest(db)
    assert run is not None
    return run


@dataclasses.dataclass
class Talk:
    """Asks one server about one project, as the jobs do."""

    project: Project
    server: FakeServer
    settings: Settings
    environment: dict[str, str]

    def with_settings(self, **values: Any) -> "Talk":
        return dataclasses.replace(self, settings=dataclasses.replace(self.settings, **values))

    def label(self, numbers: Sequence[int] | None = None, watch: Watch | None = None) -> LanguageResult:
        run = last_run(self.project)
        return label_clusters(self.project, run, self.settings, self.environment, numbers=numbers, watch=watch)

    def name(
        self,
        numbers: Sequence[int] | None = None,
        *,
        hints: dict[int, str] | None = None,
        again: bool = False,
        watch: Watch | None = None,
        twins: Callable[..., Any] = lambda names: [],
    ) -> LanguageResult:
        return propose_names(
            self.project,
            last_run(self.project),
            self.settings,
            self.environment,
            words=lambda clusters: {number: [f"word{number}", "drawing"] for number in clusters},
            twins=twins,
            numbers=numbers,
            hints=hints,
            again=again,
            watch=watch,
        )


@pytest.fixture
def talk(clustered, server) -> Talk:
    """Asks the server about the clustered project, with 3 labels a cluster; the user has agreed."""
    agree(clustered, server)
    settings = Settings(
        encoder="pocket", base_url=server.url, model="seer", per_cluster=3, reply_seconds=20, calls_at_once=4
    )
    return Talk(clustered, server, settings, {"OPENAI_API_KEY": KEY})


def agree(project: Project, server: FakeServer) -> None:
    with project.database() as db:
        consent.give(db, Server(server.url, "seer"), key=True)


def disagree(home: Path) -> None:
    """As if the user of this home had never agreed to anything."""
    shutil.rmtree(home / "XDG_STATE_HOME" / "shoebox" / "consent")


@pytest.fixture(autouse=True)
def no_patience(monkeypatch) -> None:
    """Who waits between two attempts need not wait long here; what a server asks for is waited for all the same."""
    monkeypatch.setattr("core.naming.language.pace.FIRST_WAIT", 0.02)
