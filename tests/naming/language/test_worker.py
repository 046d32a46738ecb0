"""Naming in the worker: cut in the middle, resumed, and what becomes of the key."""

import dataclasses
import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.catalog import clusterings, edits, names
from core.clustering.settings import ClusterSettings
from core.jobs.client import Client
from core.jobs.endpoint import worker_lives
from core.project import Project, open_project
from core.settings import Settings
from tests.conftest import stop_worker
from tests.jobs.test_worker import finish, until, worker_pid
from tests.naming.language.conftest import KEY, agree, cluster_here, last_run

FORTY = 40


@pytest.fixture
def forty(tmp_path, embedded_once, server) -> Iterator[Project]:
    """64 drawings in 40 clusters; the user has agreed."""
    folder = tmp_path / "forty"
    shutil.copytree(embedded_once, folder)
    project = open_project(folder)
    cluster_here(project, FORTY)
    agree(project, server)
    yield project
    stop_worker(folder)


def settings_of(server) -> dict[str, object]:
    settings = Settings(encoder="pocket", base_url=server.url, model="seer", per_cluster=2, calls_at_once=4)
    return dataclasses.asdict(settings)


def name_params(server) -> dict[str, object]:
    return {"settings": settings_of(server), "naming": {"namer": "openai"}, "needs_key": True}


def label_params(server, per_cluster: int = 2) -> dict[str, object]:
    settings = settings_of(server) | {"per_cluster": per_cluster}
    return {"settings": settings, "clusters": None, "needs_key": True}


def with_key() -> dict[str, str]:
    return os.environ | {"OPENAI_API_KEY": KEY}


def kill(project: Project) -> None:
    os.kill(worker_pid(project), signal.SIGKILL)
    deadline = time.monotonic() + 20
    while worker_lives(project):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_run_over_40_clusters_killed_midway_pays_again_for_nothing_but_what_was_under_way(forty, server):
    server.behaviour.delay = 0.02
    with Client(forty, with_key()) as client:
        job_id = client.submit("name", name_params(server))
        deadline = time.monotonic() + 120
        while server.kinds["name"] < FORTY // 4:
            assert not client.job(job_id).ended, client.job(job_id).error
            assert time.monotonic() < deadline
            time.sleep(0.01)
        kill(forty)
        job = finish(client, job_id)  # the client starts another worker and brings it the key
    assert (job.state, job.error) == ("done", None)
    assert job.attempts == 2
    with forty.database() as db:
        needed = db.value("SELECT count(*) FROM labels") + db.value("SELECT count(*) FROM replies")
        clusters = clusterings.clusters_of(db, last_run(forty).id)
    assert len(clusters) == FORTY
    assert all(cluster.name for cluster in clusters)
    assert needed <= server.calls <= needed + 4  # those under way when it was killed
    # What the first attempt took is counted, too; a question that was half sent when it was killed came to nothing.
    assert server.calls <= job.result["calls"] <= server.calls + 4
    assert_nowhere(forty, KEY)


def test_a_job_that_lost_its_key_waits_for_a_client_and_holds_up_nobody(forty, server):
    server.behaviour.delay = 0.1
    client = Client(forty, with_key())
    job_id = client.submit("label", label_params(server))
    until(client, job_id, 4)
    kill(forty)
    client.close()
    made = server.calls
    with Client(forty) as other:  # without a key
        settings = {"settings": dataclasses.asdict(Settings(encoder="pocket"))}
        clustering = dataclasses.asdict(ClusterSettings(method="kmeans", clusters=3))
        assert finish(other, other.submit("cluster", settings | {"clustering": clustering})).state == "done"
        assert other.job(job_id).state == "queued"
        assert server.calls == made
    with Client(forty, with_key()) as client:
        assert client.submit("label", label_params(server)) == job_id
        assert finish(client, job_id).state == "done"
    assert_nowhere(forty, KEY)


def test_names_are_there_while_others_are_asked_for_and_a_cancel_keeps_them_as_one_edit(clustered, server):
    agree(clustered, server)
    server.behaviour.once = [None, None, "hang"]
    params = name_params(server)
    params["settings"] = settings_of(server) | {"per_cluster": 0, "calls_at_once": 1}
    run = last_run(clustered).id
    with Client(clustered, with_key()) as client, clustered.database() as db:
        job_id = client.submit("name", params)
        deadline = time.monotonic() + 60
        while sum(n.quality is not None for n in names.names_of(db, run)) < 2:
            assert not client.job(job_id).ended, client.job(job_id).error
            assert time.monotonic() < deadline
            time.sleep(0.02)
        client.cancel(job_id)
        assert finish(client, job_id).state == "cancelled"
        assert len([n for n in names.names_of(db, run) if n.name]) == 2
        assert finish(client, client.submit("name", params)).state == "done"
        assert all(n.quality is not None for n in names.names_of(db, run))
        assert server.kinds["name"] == 5  # four, and the one that hung
        before = edits.position(db)
        assert finish(client, client.submit("name", params)).state == "done"
        assert edits.position(db) == before  # nothing new was said
        assert edits.undo(db) == "named clusters by seer"
        assert len([n for n in names.names_of(db, run) if n.name]) == 2
        assert edits.undo(db) == "named clusters by seer"
        assert not any(n.name for n in names.names_of(db, run))


def test_a_cancel_is_heard_while_the_server_hangs_and_a_key_that_it_repeats_stays_out_of_the_log(clustered, server):
    agree(clustered, server)
    with Client(clustered, with_key()) as client:
        server.behaviour.once = [None] * 8 + ["hang"] * 4
        job_id = client.submit("label", label_params(server, per_cluster=4))
        deadline = time.monotonic() + 60
        while server.calls < 12:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        client.cancel(job_id)
        assert finish(client, job_id).state == "cancelled"
        with clustered.database() as db:
            assert db.value("SELECT count(*) FROM labels") == 8  # what was said is kept
        server.behaviour.habits = {"echo_key"}
        job = finish(client, client.submit("label", label_params(server, per_cluster=4)))
    assert job.state == "failed"
    assert "refuses the key" in (job.error or "")
    assert "[key]" in (job.error or "")
    assert_nowhere(clustered, KEY)


def assert_nowhere(project: Project, secret: str) -> None:
    """Neither in the project's files, nor in the log, nor in what other programs see of the worker."""
    files = [file for file in Path(project.directory).rglob("*") if file.is_file()]
    assert project.log_path in files
    for file in files:
        assert secret.encode() not in file.read_bytes(), file
