"""How far the worker gives way to other programs."""

import os
from pathlib import Path

import pytest

from core.jobs.client import Client
from tests.conftest import stop_worker
from tests.jobs.test_worker import embed_params, worker_pid


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes as Linux shows them")
def test_the_worker_gives_way_as_far_as_is_set_as_a_process_and_as_a_session(project, pictures, monkeypatch):
    monkeypatch.setenv("SHOEBOX_NICENESS", "7")
    with Client(project) as client:
        client.submit("embed", embed_params())
        worker = worker_pid(project)
        assert os.getpriority(os.PRIO_PROCESS, worker) == os.getpriority(os.PRIO_PROCESS, 0) + 7
        autogroup = Path(f"/proc/{worker}/autogroup")
        if autogroup.exists():  # else sessions are not weighed here
            assert autogroup.read_text().split()[-1] == "7"
    stop_worker(pictures)
