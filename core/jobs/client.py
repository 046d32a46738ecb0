"""A client of the worker: adds jobs, starts the worker when there is none, follows a job to its end."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from core.catalog import jobs
from core.catalog.jobs import Job
from core.errors import ShoeboxError
from core.jobs.endpoint import ALREADY_RUNNING, Lines, knock, worker_lives
from core.jobs.environment import for_worker, signature, travelling
from core.project import Project

START_SECONDS = 30.0
STOP_SECONDS = 10.0
KILLED_SECONDS = 30.0
"""How long a killed worker may take to be gone: it has gigabytes to give back, at low priority."""
POLL_SECONDS = 1.0
"""How often a job is looked at when the worker says nothing."""
FULL_BYTES = 1_000_000
"""With less than this free, a disk is full."""
MOST_TRIES = 5
"""How often a job is handed to workers that go away over it."""


class Client:
    """One client, in one thread. `close` leaves the worker and its jobs as they are."""

    def __init__(
        self,
        project: Project,
        environment: Mapping[str, str] = os.environ,
        *,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.project = project
        self._say = say
        self._environment = dict(environment)
        self._db = project.database()
        self._lines: Lines | None = None
        self._started: subprocess.Popen[bytes] | None = None

    def submit(self, kind: str, params: dict[str, Any]) -> int:
        """Has the worker add a job, starting one where there is none; the same job unfinished is found again.

        Gives the job's id. Raises ShoeboxError where no worker can be had, or none takes the job.
        """
        message = {"do": "add", "kind": kind, "params": params, "environment": travelling(self._environment)}
        for _ in range(MOST_TRIES):  # a worker may be about to leave
            self._reach_worker()
            if self._send(message) and (job_id := self._answer("added")) is not None:
                return job_id
        raise ShoeboxError(
            f"the worker of this project does not take the job {kind}",
            f"end it with shoebox stop; its log is {self.project.log_path}",
        )

    def job(self, job_id: int) -> Job:
        """A job as it stands."""
        return jobs.get(self._db, job_id)

    def watch(self, job_id: int, *, every: float = POLL_SECONDS) -> Iterator[Job]:
        """Yields the job as it stands, whenever something changed and at least `every` so many seconds, until it ended.

        A worker that died is started again; the catalog counts how often, and gives the job up in the end.
        """
        while True:
            job = self.job(job_id)
            yield job
            if job.ended:
                return
            if not self._wait(every) and not self.job(job_id).ended:
                self._reach_worker()
                self._send({"do": "resume", "job": job_id, "environment": travelling(self._environment)})

    def cancel(self, job_id: int) -> None:
        """Asks a job to stop after what it has in hand."""
        jobs.request_cancel(self._db, job_id)
        self._send({"do": "look"})

    def set_paused(self, job_id: int, *, paused: bool) -> None:
        """Holds a job, or lets it go on."""
        jobs.set_paused(self._db, job_id, paused=paused)
        self._send({"do": "look"})

    def stop_worker(self) -> bool:
        """Cancels what runs and waits until the worker is gone, by force in the end. False where there was none.

        Raises ShoeboxError where it cannot be ended.
        """
        if not worker_lives(self.project):
            return False
        greeting = self._connect()
        process = greeting["pid"] if greeting else self._lines and self._lines.peer()
        self._send({"do": "stop"})
        if self._gone_within(STOP_SECONDS):
            return True
        if process:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(process), signal.SIGKILL)  # everything committed stays
        if not self._gone_within(KILLED_SECONDS):
            raise ShoeboxError(
                "the worker does not answer and could not be ended",
                f"end the process that holds {self.project.lock_path} by hand",
            )
        return True

    def close(self) -> None:
        """Leaves."""
        self._disconnect()
        self._db.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _reach_worker(self) -> None:
        """Connects to a worker that can do this client's jobs, and starts it where there is none."""
        from importlib.metadata import version  # here: the first frame does not wait for it

        deadline = time.monotonic() + START_SECONDS
        while True:
            greeting = self._connect()
            if greeting:
                if greeting["signature"] == signature(self._environment, version("shoebox")):
                    return
                self._replace_worker()
                deadline = time.monotonic() + START_SECONDS  # that may have taken hours
            elif not worker_lives(self.project):
                self._start()
            elif time.monotonic() > deadline:
                raise ShoeboxError(
                    "the worker of this project does not answer",
                    f"end it with shoebox stop; its log is {self.project.log_path}",
                )
            time.sleep(0.02)

    def _connect(self) -> dict[str, Any] | None:
        """Connects to the worker there is, whichever it is; gives its greeting, None if there is none."""
        self._disconnect()
        self._lines = knock(self.project)
        greeting = self._lines.receive() if self._lines else None
        return greeting[0] if greeting else None

    def _disconnect(self) -> None:
        if self._lines is not None:
            self._lines.close()
            self._lines = None

    def _replace_worker(self) -> None:
        """Waits for a worker of another version, with other devices in sight, or about to leave anyway, to be gone.

        It leaves after what it has in hand.
        """
        if any(job.state == "running" for job in jobs.unfinished(self._db)):
            self._say("waiting for a worker of other settings to end its job (shoebox stop ends it now)")
        self._send({"do": "leave"})
        self._gone_within(None)

    def _send(self, message: dict[str, Any]) -> bool:
        if self._lines is None:
            return False
        try:
            self._lines.send(message)
        except OSError:
            self._disconnect()
            return False
        return True

    def _answer(self, key: str) -> int | None:
        """What the worker answers under `key`; None if it goes away before. Raises ShoeboxError if it refuses."""
        while self._lines is not None and (messages := self._lines.receive()):
            for message in messages:
                if "refused" in message:
                    raise ShoeboxError(message["refused"])
                if key in message:
                    return int(message[key])
        self._disconnect()
        return None

    def _wait(self, seconds: float) -> bool:
        """Waits for a word of the worker; False where the worker is gone."""
        if self._lines is None:
            return False
        readable, _, _ = select.select([self._lines.connection], [], [], seconds)
        if readable and self._lines.receive() is None:
            self._disconnect()
            return False
        return True

    def _gone_within(self, seconds: float | None) -> bool:
        deadline = None if seconds is None else time.monotonic() + seconds
        while worker_lives(self.project):
            if deadline is not None and time.monotonic() > deadline:
                return False
            if self._started is not None:
                self._started.poll()
            time.sleep(0.05)
        return True

    def _start(self) -> None:
        if self._started is not None:
            status = self._started.poll()
            if status is None:
                return  # on its way to the lock
            if status > 0 and status != ALREADY_RUNNING:
                raise _broken(self.project)
        with open(self.project.log_path, "ab") as log:
            self._started = subprocess.Popen(
                [sys.executable, "-m", "core.jobs.worker", os.fspath(self.project.directory)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=for_worker(self._environment),
                start_new_session=True,
            )


def _broken(project: Project) -> ShoeboxError:
    """Why a worker could not go on: what it says itself, where the disk took it."""
    if shutil.disk_usage(project.state_dir).free < FULL_BYTES:
        return ShoeboxError(
            f"the disk is full: the worker cannot write {project.state_dir}",
            "free some space and run again: what was done so far is kept",
        )
    last = _last_line(project.log_path)
    _, raised, said = last.partition(f"{ShoeboxError.__module__}.{ShoeboxError.__name__}: ")
    return ShoeboxError(said) if raised else ShoeboxError("the worker broke down", f"{project.log_path} ends: {last}")


def _last_line(log: Path) -> str:
    with contextlib.suppress(OSError, IndexError), open(log, "rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - 4096))
        return file.read().decode("utf-8", "replace").splitlines()[-1].strip()
    return "nothing"
