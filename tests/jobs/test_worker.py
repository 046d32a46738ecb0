"""The worker as its clients meet it: a process of its own, started on demand, and killed."""

import dataclasses
import errno
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from core.catalog import clusterings, encoders, images, jobs
from core.catalog.jobs import Job
from core.clustering.settings import ClusterSettings
from core.encoders.spec import parse_spec
from core.environment import lent
from core.errors import ShoeboxError
from core.jobs.client import Client
from core.jobs.endpoint import ALREADY_RUNNING, worker_lives
from core.jobs.environment import for_worker
from core.jobs.models import LoadedEncoders
from core.project import Project, open_project
from core.settings import Settings
from tests.programs import PATIENCE

SLOW = Settings(encoder="pocket", batch_size=2, decode_threads=1)
"""Many small batches: room to interfere between two of them."""
MANY = 384


@pytest.fixture
def slow_project(many_pictures) -> Project:
    """A project with work for a while."""
    return open_project(many_pictures)


def embed_params(settings: Settings = SLOW) -> dict[str, object]:
    return {"settings": dataclasses.asdict(settings), "live": False}


def worker_pid(project: Project) -> int:
    """The process that holds the project's lock."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if b"core.jobs.worker" in command and os.fsencode(project.directory) in command:
                return int(entry.name)
    raise AssertionError("no worker")


def finish(client: Client, job_id: int) -> Job:
    *_, job = client.watch(job_id)
    return job


def until(client: Client, job_id: int, done: int) -> Job:
    """The job once it has done so many pictures."""
    for job in client.watch(job_id):
        if job.progress.get("done", 0) >= done:
            return job
    raise AssertionError(f"the job ended before: {job}")


def once_still(client: Client, job_id: int) -> int:
    """How many pictures the job has done once a second, many batches long, brings no more."""
    before = -1
    while before != (before := client.job(job_id).progress["done"]):
        time.sleep(1)
    return before


def assert_embedded_once(project: Project, number: int) -> None:
    """Every picture has exactly one vector of unit norm, and no vector is counted twice."""
    with project.database() as db:
        record = encoders.last(db)
        assert record is not None
        ids, rows = encoders.embedded_images(db, record.id)
        assert len(ids) == number == images.counts(db).images
        assert sorted(set(rows)) == list(range(record.rows))
        vectors = project.vector_file(record).read(record.rows).astype(np.float32)
    assert np.abs(np.linalg.norm(vectors, axis=1) - 1).max() < 2e-3


def test_a_job_runs_in_a_process_of_its_own_and_its_result_is_read(project):
    with Client(project) as client:
        job = finish(client, client.submit("embed", embed_params()))
    assert job.state == "done", job.error
    assert job.result["done"] == 64
    assert worker_pid(project) != os.getpid()
    assert_embedded_once(project, 64)


def test_a_worker_killed_midway_is_started_again_however_often_and_nothing_is_lost_or_twice(slow_project):
    with Client(slow_project) as client:
        job_id = client.submit("embed", embed_params())
        for _ in range(3):  # as many deaths without a picture in between would end it
            until(client, job_id, 8)
            os.kill(worker_pid(slow_project), signal.SIGKILL)
            for job in client.watch(job_id, every=0.1):
                if job.progress.get("done", 0) < 8:
                    break
        job = finish(client, job_id)
    assert (job.state, job.attempts) == ("done", 4)
    assert_embedded_once(slow_project, MANY)


def test_a_job_whose_worker_always_dies_fails_with_a_reason_and_the_next_one_goes_on(slow_project):
    with Client(slow_project) as client:
        job_id = client.submit("embed", embed_params())
        killed = 0
        for job in client.watch(job_id):
            if job.state == "running" and job.attempts > killed:
                os.kill(worker_pid(slow_project), signal.SIGKILL)
                killed += 1
        assert (job.state, killed) == ("failed", 3)
        assert "died 3 times" in (job.error or "")
        assert finish(client, client.submit("embed", embed_params())).state == "done"
    assert_embedded_once(slow_project, MANY)


def test_cancel_keeps_what_was_embedded_and_the_next_job_goes_on_from_it(slow_project):
    with Client(slow_project) as client:
        job_id = client.submit("embed", embed_params())
        until(client, job_id, 8)
        client.cancel(job_id)
        job = finish(client, job_id)
        assert job.state == "cancelled"
        kept = job.progress["done"]
        assert 8 <= kept < MANY
        again = finish(client, client.submit("embed", embed_params()))
    assert again.result["unchanged"] >= kept
    assert_embedded_once(slow_project, MANY)


def test_a_paused_job_holds_still_while_the_interactive_lane_works(slow_project):
    with Client(slow_project) as client:
        job_id = client.submit("embed", embed_params())
        until(client, job_id, 24)
        client.set_paused(job_id, paused=True)
        held = once_still(client, job_id)
        clustering = dataclasses.asdict(ClusterSettings(clusters=2))
        done = finish(
            client, client.submit("cluster", {"settings": embed_params()["settings"], "clustering": clustering})
        )
        assert done.state == "done", done.error
        assert client.job(job_id).state == "running"
        assert client.job(job_id).progress["done"] == held < MANY
        client.set_paused(job_id, paused=False)
        assert finish(client, job_id).state == "done"
    assert_embedded_once(slow_project, MANY)


def test_the_same_job_asked_for_twice_is_one_job(project):
    with Client(project) as one, Client(project) as two:
        assert one.submit("embed", embed_params()) == two.submit("embed", embed_params())


def test_live_clusters_are_published_while_embedding(project):
    settings = dataclasses.replace(SLOW, live_clusters=4, live_refresh=8)
    with Client(project) as client:
        job_id = client.submit("embed", {"settings": dataclasses.asdict(settings), "live": True})
        assert finish(client, job_id).state == "done"
    with project.database() as db:
        record = encoders.last(db)
        assert record is not None
        snapshot = clusterings.live(db, record.id)
    assert snapshot is not None
    assert snapshot["pictures"] == 64
    assert sum(cluster["size"] for cluster in snapshot["clusters"]) == 64


def test_a_second_worker_leaves_the_project_to_the_first(project):
    with Client(project) as client:
        finish(client, client.submit("embed", embed_params()))
        second = subprocess.run([sys.executable, "-m", "core.jobs.worker", str(project.directory)], check=False)
    assert second.returncode == ALREADY_RUNNING


def test_a_worker_leaves_when_it_is_idle(project):
    with Client(project, os.environ | {"SHOEBOX_IDLE": "0.5"}) as client:
        finish(client, client.submit("embed", embed_params()))
        assert _gone(project)


def test_a_worker_leaves_when_its_project_is_deleted(project):
    with Client(project) as client:
        finish(client, client.submit("embed", embed_params()))
        pid = worker_pid(project)
        shutil.rmtree(project.directory)
        deadline = time.monotonic() + PATIENCE
        while Path(f"/proc/{pid}/cmdline").exists() and Path(f"/proc/{pid}/cmdline").read_bytes():
            assert time.monotonic() < deadline, "it is still there"
            time.sleep(0.1)


def test_a_project_made_anew_under_the_same_name_gets_a_worker_of_its_own(project, pictures):
    # Longer than any test may take: the new one does not come once the old one has been idle for long enough.
    with Client(project, os.environ | {"SHOEBOX_IDLE": "3600"}) as client:
        finish(client, client.submit("embed", embed_params()))
    shutil.rmtree(project.directory)
    again = open_project(pictures)
    with Client(again) as client:
        assert finish(client, client.submit("embed", embed_params())).result["done"] == 64
    assert_embedded_once(again, 64)


def test_a_client_with_other_devices_in_sight_gets_a_worker_of_its_own(project):
    with Client(project) as client:
        finish(client, client.submit("embed", embed_params()))
        first = worker_pid(project)
    with Client(project, os.environ | {"CUDA_VISIBLE_DEVICES": "7"}) as client:
        assert finish(client, client.submit("embed", embed_params())).state == "done"
        assert worker_pid(project) != first


def test_a_key_reaches_no_file_and_no_process_listing(project):
    key = "sk-never-to-be-written-4711"
    with Client(project, os.environ | {"OPENAI_API_KEY": key}) as client:
        finish(client, client.submit("embed", embed_params()))
        assert key.encode() not in Path(f"/proc/{worker_pid(project)}/environ").read_bytes()
    for file in project.directory.rglob("*"):
        assert file.is_dir() or key.encode() not in file.read_bytes(), file


def test_what_goes_wrong_inside_is_one_line_that_names_the_log(project):
    with Client(project) as client:
        job = finish(client, client.submit("export", {"settings": {}}))  # as another version might ask
    assert job.state == "failed"
    assert str(project.log_path) in (job.error or "")
    assert "\n" not in (job.error or "")
    assert "Traceback" in project.log_path.read_text()


def test_stop_ends_the_worker_and_its_job_at_once(slow_project):
    with Client(slow_project) as client:
        job_id = client.submit("embed", embed_params())
        until(client, job_id, 4)
        assert client.stop_worker()
        assert client.job(job_id).state == "cancelled"
    with slow_project.database() as db:
        assert not jobs.unfinished(db)


def test_a_worker_that_answers_nothing_is_ended_by_force(slow_project, monkeypatch):
    with Client(slow_project) as client:
        job_id = client.submit("embed", embed_params())
        until(client, job_id, 4)
        monkeypatch.setattr("core.jobs.endpoint.ANSWER_SECONDS", 0.5)
        monkeypatch.setattr("core.jobs.client.STOP_SECONDS", 0.5)
        os.kill(worker_pid(slow_project), signal.SIGSTOP)
        assert client.stop_worker()
        assert not worker_lives(slow_project)


@contextmanager
def held_up(project: Project, client: Client, job_id: int) -> Iterator[None]:
    """As long as this lasts, a job that embeds waits for another program with a batch in hand: it comes to no end."""
    until(client, job_id, 4)
    with closing(sqlite3.connect(project.state_dir / "thumbs.sqlite", timeout=PATIENCE, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        before = None
        while before != (before := client.job(job_id).progress):  # it tells something every 0.2 s
            time.sleep(2)
        yield


def test_a_cancelled_job_ends_for_its_user_whatever_it_has_in_hand_and_the_next_one_is_done(slow_project):
    key = {"OPENAI_API_KEY": "sk-in-memory-alone-4711"}
    with Client(slow_project, os.environ | key) as client:
        job_id = client.submit("embed", embed_params())
        with held_up(slow_project, client, job_id):
            pid = worker_pid(slow_project)
            client.cancel(job_id)
            assert finish(client, job_id).state == "cancelled"
            # Other lanes are free. The next job of this one has nobody but the worker to remember its key.
            assert finish(client, client.submit("search", {"settings": {}, "query": "fish"})).state == "done"
            waiting = client.submit("embed", embed_params(Settings(encoder="pocket", seed=1)) | {"needs_key": True})
            client.close()
            until_state(slow_project, waiting, "running")
            assert worker_pid(slow_project) == pid
            assert "starting anew" in slow_project.log_path.read_text()
            assert key["OPENAI_API_KEY"] not in Path(f"/proc/{pid}/cmdline").read_text()
        until_state(slow_project, waiting, "done")
    assert_embedded_once(slow_project, MANY)


def until_state(project: Project, job_id: int, state: str) -> None:
    """Waits for a job without being a client."""
    deadline = time.monotonic() + PATIENCE
    with project.database() as db:
        while jobs.get(db, job_id).state != state:
            assert time.monotonic() < deadline, jobs.get(db, job_id)
            time.sleep(0.05)


def test_a_worker_that_starts_anew_has_nothing_that_a_client_lent_to_the_one_before(tmp_path):
    project = open_project("s3://pictures/", tmp_path / "project")
    pipe, config = tmp_path / "pipe", tmp_path / "config"
    os.mkfifo(pipe)
    config.write_text(f"[default]\ncredential_process = cat {pipe}\n")  # AWS's library waits for its end
    theirs = {"AWS_CONFIG_FILE": str(config), "HTTPS_PROXY": "http://user:secret-4711@127.0.0.1:1"}
    with Client(project, os.environ | theirs) as client:
        try:
            held_up = client.submit("download", {"settings": {}})
            with opened_for_writing(pipe):
                pid = worker_pid(project)
                client.cancel(held_up)
                assert finish(client, held_up).state == "cancelled"
                next_one = client.submit("run", {"settings": {}, "stages": ["cluster"], "clustering": {}})
                assert "not embedded" in str(finish(client, next_one).error)
                assert worker_pid(project) == pid
                assert b"secret-4711" not in Path(f"/proc/{pid}/environ").read_bytes()
        finally:
            client.stop_worker()


@contextmanager
def opened_for_writing(pipe: Path) -> Iterator[None]:
    """A pipe that somebody reads by now; he waits until this is over."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            opened = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
            break
        except OSError as error:
            assert error.errno == errno.ENXIO and time.monotonic() < deadline, error
            time.sleep(0.05)
    try:
        yield
    finally:
        os.close(opened)


def test_stop_does_not_wait_for_what_a_job_has_in_hand(slow_project, monkeypatch):
    monkeypatch.setattr("core.jobs.client.STOP_SECONDS", PATIENCE)  # then it would be killed
    with Client(slow_project) as client:
        job_id = client.submit("embed", embed_params())
        with held_up(slow_project, client, job_id):
            assert client.stop_worker()
            assert client.job(job_id).state == "cancelled"


def test_what_a_client_sends_along_with_a_job_is_gone_with_it():
    ours = {"HF_TOKEN": "hf_4711", "HTTPS_PROXY": "http://user:secret@proxy:1"}
    with lent(ours):
        assert os.environ["HF_TOKEN"] == "hf_4711"
    assert not set(ours) & set(os.environ)
    assert for_worker(ours | {"HF_HUB_OFFLINE": "1", "OPENAI_ORG_ID": "org", "HOME": "/"}) == {
        "HF_HUB_OFFLINE": "1",
        "HOME": "/",
        "OMP_WAIT_POLICY": "PASSIVE",
    }
    assert for_worker({"OMP_WAIT_POLICY": "ACTIVE"}) == {"OMP_WAIT_POLICY": "ACTIVE"}


def test_a_worker_that_leaves_after_its_job_is_heard_until_then(slow_project):
    with Client(slow_project) as client, Client(slow_project) as other:
        job_id = client.submit("embed", embed_params())
        until(client, job_id, 4)
        client._send({"do": "leave"})
        client.cancel(job_id)
        assert finish(client, job_id).state == "cancelled"
        again = other.submit("embed", embed_params())  # by the next worker, once this one is gone
        other.cancel(again)
        assert finish(other, again).state == "cancelled"
        assert again != job_id


def test_a_socket_that_was_cleared_away_or_lies_elsewhere_is_found(slow_project, tmp_path, monkeypatch):
    with Client(slow_project) as client:
        job_id = client.submit("embed", embed_params())
        until(client, job_id, 4)
    shutil.rmtree(os.environ["XDG_RUNTIME_DIR"])  # as the system does when the user has logged out
    with Client(slow_project) as client:
        assert client.submit("embed", embed_params()) == job_id
        os.mkdir(os.environ["XDG_RUNTIME_DIR"])
        assert finish(client, job_id).state == "done"
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    with Client(slow_project) as client:
        first = worker_pid(slow_project)
        assert finish(client, client.submit("embed", embed_params())).result["done"] == 0
        assert worker_pid(slow_project) == first


def test_a_client_that_would_look_elsewhere_is_told_where_the_worker_listens(project, tmp_path, monkeypatch):
    with Client(project) as client:
        finish(client, client.submit("embed", embed_params()))
    first = worker_pid(project)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "of root's"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "of cron's"))
    with Client(project) as other:
        assert finish(other, other.submit("embed", embed_params())).result["done"] == 0
    assert worker_pid(project) == first


def test_what_no_worker_can_do_is_refused_and_the_worker_lives_on(project):
    with Client(project) as client:
        finish(client, client.submit("embed", embed_params()))
        first = worker_pid(project)
        with pytest.raises(ShoeboxError, match="no job called dance"):
            client.submit("dance", {})
        other_version = finish(client, client.submit("embed", {"settings": {"glitter": 1}}))
        assert (other_version.state, other_version.attempts) == ("failed", 1)
        assert "glitter" in (other_version.error or "")
        assert finish(client, client.submit("embed", embed_params())).state == "done"
        assert worker_pid(project) == first


def test_weights_that_were_written_anew_are_loaded_anew(tmp_path):
    pocket = Path(str(files("core.pocket")))
    weights = tmp_path / "model.safetensors"
    shutil.copy(pocket / "pocket.safetensors", weights)
    spec = parse_spec(weights=weights, model_config=pocket / "open_clip_config.json")
    models = LoadedEncoders()
    first = models.get(spec, "cpu", lambda _: None)
    assert models.get(spec, "cpu", lambda _: None) is first
    weights.write_bytes(b"something else")
    with pytest.raises(ShoeboxError, match=r"model\.safetensors"):
        models.get(spec, "cpu", lambda _: None)


def _gone(project: Project) -> bool:
    deadline = time.monotonic() + PATIENCE
    while worker_lives(project):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
