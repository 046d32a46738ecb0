"""A project of drawings in clusters."""

import dataclasses
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.clustering.settings import ClusterSettings
from core.jobs.context import Control, JobContext
from core.jobs.kinds import run_job
from core.jobs.models import LoadedEncoders
from core.project import Project, open_project
from core.settings import Settings
from tests.conftest import stop_worker


@pytest.fixture(autouse=True)
def no_certificates(tmp_path_factory, monkeypatch) -> None:
    """Every connection to a server reads what certificates there are; none is to a server that has one."""
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path_factory.mktemp("certificates")))


def cluster_here(project: Project, clusters: int) -> None:
    """Does the job `cluster` in this process."""
    context = JobContext(
        project=project,
        settings=Settings(encoder="pocket"),
        environment={},
        models=LoadedEncoders(),
        control=Control(),
        report=lambda _: None,
    )
    settings = ClusterSettings(method="kmeans", clusters=clusters)
    run_job("cluster", context, {"clustering": dataclasses.asdict(settings)})


@pytest.fixture(scope="session")
def clustered_once(tmp_path_factory, embedded_once) -> Path:
    """64 drawings in 4 clusters: for copying."""
    folder = tmp_path_factory.mktemp("clustered") / "pictures"
    shutil.copytree(embedded_once, folder)
    cluster_here(open_project(folder), 4)
    return folder


@pytest.fixture
def clustered(tmp_path, clustered_once) -> Iterator[Project]:
    """A project of 64 drawings in 4 clusters. Its worker ends with the test."""
    folder = tmp_path / "clustered"
    shutil.copytree(clustered_once, folder)
    yield open_project(folder)
    stop_worker(folder)
