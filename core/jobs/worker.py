"""The worker: one process a project, which does the long work and is started on demand.

    python -m core.jobs.worker PROJECT

Its main thread listens to clients; each lane has a thread that takes jobs from the catalog. It imports nothing
heavy itself, so it answers at once; what a job needs is imported by the job.
"""

from __future__ import annotations

import contextlib
import faulthandler
import importlib.metadata
import json
import logging
import os
import selectors
import sys
import threading
import time
from collections.abc import Mapping
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, NoReturn

from core.catalog import jobs
from core.catalog.database import Database, migrate
from core.errors import ShoeboxError
from core.jobs.endpoint import ALREADY_RUNNING, Door, Lines, take_lock
from core.jobs.environment import signature
from core.jobs.lanes import POLL_SECONDS, Environments, Lanes, break_down
from core.project import Project, reopen

MOST_NICENESS = 19
AUTOGROUP = Path("/proc/self/autogroup")
SOON_SECONDS = 0.05
"""How often a worker looks that leaves, or has a job to cancel."""
MOST_DEATHS = 3
PIPE_BYTES = 60_000
"""What a pipe holds on every system."""

log = logging.getLogger("shoebox.worker")


class Worker:
    """Listens to clients, and leaves when nobody needs it."""

    def __init__(self, project: Project, environments: Environments, *, idle: float) -> None:
        self._project = project
        self._idle = idle
        self._catalog = _identity(project.catalog_path)
        self._lanes = Lanes(project, environments, tell=self._tell)
        self._clients: list[Lines] = []
        self._lock = threading.Lock()  # of the clients
        self._last_busy = time.monotonic()

    def serve(self, door: Door) -> bytes | None:
        """Works until idle for long enough, told to leave, or its project is gone.

        Gives what clients sent along with jobs that wait, where only a new process can do those; None else.
        """
        with self._project.database() as db:
            jobs.take_up_orphans(db, most_deaths=MOST_DEATHS)
            self._lanes.start()
            try:
                with selectors.DefaultSelector() as selector:
                    selector.register(door.listener, selectors.EVENT_READ)
                    return self._listen(selector, door, db)
            except BaseException:
                break_down("nobody listens any more")

    def _listen(self, selector: selectors.BaseSelector, door: Door, db: Database) -> bytes | None:
        """Hears clients as long as a lane works: the last job of a worker that leaves can be cancelled, too."""
        version = db.data_version()
        while self._lanes.alive():
            soon = self._lanes.leaving or self._lanes.cancelling()
            ready = selector.select(SOON_SECONDS if soon else POLL_SECONDS)
            self._leave_if_gone(door)  # before anybody is let in: no client of a new project meets an old worker
            for key, _ in ready:
                if key.fileobj is door.listener:
                    self._welcome(selector, door)
                else:
                    self._hear(selector, key.data)
            if door.vanished:
                self._open_again(selector, door)
            if version != (version := db.data_version()):  # the slow way, for a client without a socket
                self._lanes.look(db)
            self._lanes.end_cancelled(db)
            if self._lanes.stuck(db):
                told = json.dumps(self._lanes.environments(db)).encode()
                if self._lanes.leaving:
                    log.info("leaving, whatever is still in hand")
                    door.close()
                    os._exit(0)
                if len(told) <= PIPE_BYTES:  # else what is in hand is waited for
                    return told
            if not self._lanes.leaving and self._idle_for_long(db):
                log.info("idle: leaving")
                self._lanes.leave()
                self._lanes.look(db)
        return None

    def _leave_if_gone(self, door: Door) -> None:
        if _identity(self._project.catalog_path) != self._catalog:
            log.info("the project is gone: leaving")
            door.close()
            os._exit(0)  # there is nothing left to write to

    def _open_again(self, selector: selectors.BaseSelector, door: Door) -> None:
        selector.unregister(door.listener)
        door.listener.close()
        door.open()
        selector.register(door.listener, selectors.EVENT_READ)

    def _welcome(self, selector: selectors.BaseSelector, door: Door) -> None:
        try:
            connection, _ = door.listener.accept()
        except OSError:
            return  # it left before it was let in
        connection.setblocking(False)  # a client that takes nothing shall not hold the others, nor a lane
        client = Lines(connection)
        # A worker that leaves does nobody's jobs any more.
        mine = "leaving" if self._lanes.leaving else signature(os.environ, version())
        with contextlib.suppress(OSError):
            client.send({"pid": os.getpid(), "signature": mine})
        selector.register(connection, selectors.EVENT_READ, client)
        with self._lock:
            self._clients.append(client)

    def _hear(self, selector: selectors.BaseSelector, client: Lines) -> None:
        messages = client.receive()
        if messages is None:
            selector.unregister(client.connection)
            with self._lock:
                self._clients.remove(client)
            client.close()
            return
        with self._project.database() as db:
            for message in messages:
                self._obey(client, message, db)
            self._lanes.look(db)
        self._lanes.begin()

    def _obey(self, client: Lines, message: dict[str, Any], db: Database) -> None:
        match message:
            case {"do": "add", "kind": str(kind), "params": dict(params), "environment": dict(environment)}:
                if self._lanes.leaving:
                    client.hang_up()  # it will ask the next worker
                else:
                    answer = self._add(db, kind, params, environment)
                    with contextlib.suppress(OSError):
                        client.send(answer)
            case {"do": "resume", "job": int(job_id), "environment": dict(environment)}:
                self._lanes.bring(job_id, environment)
            case {"do": "leave"}:
                self._lanes.leave()
            case {"do": "stop"}:
                self._lanes.leave()
                for job in jobs.unfinished(db):
                    jobs.request_cancel(db, job.id)
            case _:
                pass  # "look", and what another version may say: to be woken is all it needs

    def _add(self, db: Database, kind: str, params: dict[str, Any], environment: dict[str, str]) -> dict[str, Any]:
        try:
            return {"added": self._lanes.add(db, kind, params, environment)}
        except ShoeboxError as error:  # an unknown kind, a full disk, a locked catalog
            return {"refused": str(error)}

    def _idle_for_long(self, db: Database) -> bool:
        now = time.monotonic()
        if self._lanes.busy(db):
            self._last_busy = now
        return now - self._last_busy > self._idle

    def _tell(self, job_id: int) -> None:
        """Wakes every client."""
        with self._lock:
            clients = list(self._clients)
        for client in clients:
            client.nudge({"job": job_id})


def _start_anew(project: Project, told: bytes, lock: int, environment: Mapping[str, str]) -> NoReturn:
    """Puts a new worker in place of this process, whatever its threads do: nothing of them is left.

    `told`, what clients sent along with jobs, goes through a pipe: it may be secret. The lock is held all the while.
    `environment` is what this process was started with: by now a thread that hangs may have lent it a client's.
    """
    log.info("starting anew: a cancelled job does not end, and others wait")
    try:
        reading, writing = os.pipe()
        os.write(writing, told)
        for descriptor in map(int, os.listdir("/dev/fd")):  # what a library left open to successors, a GPU's memory say
            with contextlib.suppress(OSError):
                os.set_inheritable(descriptor, descriptor <= 2 or descriptor in (reading, lock))
        command = [sys.executable, "-m", "core.jobs.worker", os.fspath(project.directory), str(reading), str(lock)]
        os.execve(sys.executable, command, environment)  # noqa: S606 - no shell is wanted
    finally:
        break_down("could not start anew")


def _taken_over(pipe: str, lock: str) -> tuple[Environments, int]:
    """What `_start_anew` left to its successor: what clients sent along, and the lock."""
    os.set_inheritable(int(lock), False)
    with open(int(pipe), "rb") as file:
        told = json.loads(file.read())
    return {int(job_id): environment for job_id, environment in told.items()}, int(lock)


def _identity(path: Path) -> tuple[int, int] | None:
    """Which file this is, whatever lies under its name by now; None where nothing does."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def version() -> str:
    """The version of the installed shoebox."""
    return importlib.metadata.version("shoebox")


def main(directory: str, *left: str) -> int:
    """Serves the project in `directory`; returns the exit status. `left`: by the process whose place it takes."""
    started_with = dict(os.environ)
    project = reopen(Path(directory))
    environments, lock = _taken_over(*left) if left else ({}, take_lock(project))
    if lock is None:
        return ALREADY_RUNNING
    _start_log(project.log_path)
    faulthandler.enable()
    settings = project.settings(os.environ, {})
    if not left:
        _give_way(max(0, min(settings.niceness, MOST_NICENESS)))
    migrate(project.catalog_path)
    door = Door(project)
    try:
        told = Worker(project, environments, idle=settings.idle).serve(door)
    finally:
        door.close()
    if told is not None:
        _start_anew(project, told, lock, started_with)
    os.close(lock)
    return 0


def _give_way(niceness: int) -> None:
    """Lets other programs go first, the screen among them.

    Linux may weigh whole sessions against one another (autogroups, see sched(7)). The worker has one of its own, where
    its niceness would count against nobody: the session is told, too.
    """
    os.nice(niceness)
    with contextlib.suppress(OSError):
        AUTOGROUP.write_text(str(niceness))


def _start_log(path: Path) -> None:
    handler = RotatingFileHandler(path, maxBytes=1_000_000, backupCount=2, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(process)d %(name)s %(levelname)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    for noisy in ("httpx", "httpx2", "openai", "urllib3", "numba", "PIL"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
