"""Naming in the worker: cut in the middle, resumed, and what becomes of the key."""

import dataclasses
import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.catalog import edits, names
from core.catalog.database import Database
from core.jobs.client import Client
from core.jobs.endpoint import worker_lives
from core.project import Project, open_project
from core.settings import Settings
from tests.conftest import stop_worker
from tests.jobs.test_worker import finish, until, worker_pid
from tests.naming.conftest import cluster_here
from tests.naming.language.conftest import KEY, agree, last_run

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


def export_params(output: Path) -> dict[str, object]:
    """Other work of the same lane."""
    settings = dataclasses.asdict(Settings(encoder="pocket"))
    asked = {"working_directory": str(output.parent), "output": str(output), "what": "none", "formats": ["json"]}
    return {"settings": settings, "export": asked}


def with_key() -> dict[str, str]:
    return os.environ | {"OPENAI_API_KEY": KEY}


def kill(project: Project) -> None:
    os.kill(worker_pid(project), signal.SIGKILL)
    deadline = time.monotonic() + 20
    while worker_lives(project):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_naming_40_clusters_survives_a_worker_that_is_killed_and_is_seen_as_it_goes(forty, server, tmp_path):
    """One after the other with one project: starting a worker that loads a model is what takes long."""
    with Client(forty, with_key()) as client, forty.database() as db:
        killed_while_it_reads_words_it_goes_on_and_names_once(client, db, tmp_path / "words.txt")
        killed_midway_it_pays_again_for_nothing_but_what_was_under_way(client, db, server)
        names_are_there_while_others_are_asked_for_and_a_cancel_keeps_them_as_one_edit(client, db, server)
    assert_nowhere(forty, KEY)


def killed_while_it_reads_words_it_goes_on_and_names_once(client: Client, db: Database, file: Path) -> None:
    words = ["car", "fish", "star", "umbrella", *(f"word{n}" for n in range(900))]
    file.write_text("\n".join(words))
    settings = dataclasses.asdict(Settings(encoder="pocket"))
    job_id = client.submit("name", {"settings": settings, "naming": {"vocabulary": str(file)}})
    killed = False
    reading: list[str] = []
    for job in client.watch(job_id):
        said = job.progress.get("message", "")
        reading += [said] if said.startswith("reading") else []
        if not killed and len(set(reading)) >= 2:  # some are read, and kept
            os.kill(worker_pid(client.project), signal.SIGKILL)
            killed = True
    assert killed and job.state == "done", job
    run = last_run(client.project).id
    assert {n.name for n in names.names_of(db, run)} <= set(words)
    assert names.is_measured(db, run)
    said = f"named {FORTY} clusters by the vocabulary words.txt"
    assert [e.said for e in edits.history(db, 9)].count(said) == 1
    left = int(reading[-1].rpartition(" ")[2].replace(",", ""))
    assert left < len(words) - 100, "the second worker read what the first had not"


def killed_midway_it_pays_again_for_nothing_but_what_was_under_way(client: Client, db: Database, server) -> None:
    server.behaviour.delay = 0.02
    job_id = client.submit("name", name_params(server))
    deadline = time.monotonic() + 120
    while server.kinds["name"] < FORTY // 4:
        assert not client.job(job_id).ended, client.job(job_id).error
        assert time.monotonic() < deadline
        time.sleep(0.01)
    kill(client.project)
    job = finish(client, job_id)  # the client starts another worker and brings it the key
    assert (job.state, job.error) == ("done", None)
    assert job.attempts == 2
    needed = db.value("SELECT count(*) FROM labels") + db.value("SELECT count(*) FROM replies")
    found = names.names_of(db, last_run(client.project).id)
    assert len(found) == FORTY
    assert all(n.name and n.proposal and n.proposal.namer == "openai" for n in found)
    assert needed <= server.calls <= needed + 4  # those under way when it was killed
    # What the first attempt took is counted, too; a question that was half sent when it was killed came to nothing.
    assert server.calls <= job.result["calls"] <= server.calls + 4


def names_are_there_while_others_are_asked_for_and_a_cancel_keeps_them_as_one_edit(
    client: Client, db: Database, server
) -> None:
    run = last_run(client.project).id
    chosen = [n.number for n in names.names_of(db, run)][:4]

    def named() -> dict[int, int]:
        """The proposals of the chosen clusters."""
        found = {n.number: n.proposal for n in names.names_of(db, run) if n.quality is not None}
        return {number: proposal.id for number in chosen if (proposal := found.get(number))}

    settings = settings_of(server) | {"per_cluster": 0, "calls_at_once": 1, "context": "another question"}
    params = name_params(server) | {"settings": settings, "naming": {"namer": "openai", "clusters": chosen}}
    first, asked = named(), server.kinds["name"]
    server.behaviour.once = [None, None, "hang"]
    job_id = client.submit("name", params)
    deadline = time.monotonic() + 60
    while sum(named().get(number) not in (None, first[number]) for number in chosen) < 2:
        assert not client.job(job_id).ended, client.job(job_id).error
        assert time.monotonic() < deadline
        time.sleep(0.02)
    client.cancel(job_id)
    assert finish(client, job_id).state == "cancelled"
    second = named()
    assert sum(second[number] != first[number] for number in chosen) == 2
    assert finish(client, client.submit("name", params)).state == "done"
    assert all(named()[number] != first[number] for number in chosen)
    assert server.kinds["name"] == asked + 5  # four, and the one that hung
    before = edits.position(db)
    assert finish(client, client.submit("name", params)).state == "done"
    assert edits.position(db) == before  # nothing new was said
    assert edits.undo(db) == "named clusters by seer"
    assert named() == second
    assert edits.undo(db) == "named clusters by seer"
    assert named() == first


def test_a_job_that_lost_its_key_waits_for_a_client_and_holds_up_nobody(clustered, server, tmp_path):
    agree(clustered, server)
    server.behaviour.delay = 0.1
    client = Client(clustered, with_key())
    job_id = client.submit("label", label_params(server, per_cluster=8))
    until(client, job_id, 4)
    kill(clustered)
    client.close()
    made = server.calls
    with Client(clustered) as other:  # without a key
        assert finish(other, other.submit("export", export_params(tmp_path / "out"))).state == "done"
        assert other.job(job_id).state == "queued"
        assert server.calls == made
    with Client(clustered, with_key()) as client:
        assert client.submit("label", label_params(server, per_cluster=8)) == job_id
        assert finish(client, job_id).state == "done"
    assert_nowhere(clustered, KEY)


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
