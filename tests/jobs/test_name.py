"""Naming by the worker: killed in the middle it goes on, and what was read is not read again."""

import dataclasses
import os
import signal

from core.catalog import clusterings, edits, names
from core.clustering.settings import ClusterSettings
from core.jobs.client import Client
from core.project import open_project
from core.settings import Settings
from tests.jobs.test_worker import finish, worker_pid

SETTINGS = dataclasses.asdict(Settings(encoder="pocket"))


def test_a_worker_killed_while_it_reads_words_goes_on_and_names_once(embedded, tmp_path):
    project = open_project(embedded)
    file = tmp_path / "words.txt"
    file.write_text("\n".join(["car", "fish", "star", "umbrella", *(f"word{n}" for n in range(1500))]))
    naming = {"settings": SETTINGS, "naming": {"vocabulary": str(file)}}
    with Client(project) as client:
        clustering = dataclasses.asdict(ClusterSettings(method="balanced", clusters=4))
        finish(client, client.submit("cluster", {"settings": SETTINGS, "clustering": clustering}))
        job_id = client.submit("name", naming)
        killed = False
        reading: list[str] = []
        for job in client.watch(job_id):
            words = job.progress.get("message", "")
            reading += [words] if words.startswith("reading") else []
            if not killed and len(set(reading)) >= 2:  # some are read, and kept
                os.kill(worker_pid(project), signal.SIGKILL)
                killed = True
        assert killed and job.state == "done", job
    with project.database() as db:
        run = clusterings.latest(db)
        assert run is not None
        found = names.names_of(db, run.id)
        assert {n.name for n in found} == {"car", "fish", "star", "umbrella"}
        assert names.is_measured(db, run.id)
        assert [e.said for e in edits.history(db, 9)].count("named 4 clusters by the vocabulary words.txt") == 1
    left = int(reading[-1].rpartition(" ")[2].replace(",", ""))
    assert left < 1500, "the second worker read what the first had not"
