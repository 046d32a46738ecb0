"""The worker: one process a project, which does the long work and is started on demand.

    python -m core.jobs.worker PROJECT

Its main thread listens to clients; each lane has a thread that takes jobs from the catalog. It imports nothing
heavy itself, so it answers at once; what a job needs is imported by the job.
"""

from __future__ import annotations

import contextlib
import faulthandler
import importlib.metadata
import logging
import os
import selectors
import sys
import threading
import time
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, NoReturn, get_args

from core.catalog import jobs
from core.catalog.database import Database, migrate
from core.catalog.jobs import Job, Lane
from core.errors import CancelledError, ShoeboxError
from core.jobs.context import Control, JobContext
from core.jobs.endpoint import ALREADY_RUNNING, Door, Lines, take_lock
from core.jobs.environment import has_key, signature
from core.jobs.kinds import lane_of, run_job
from core.jobs.models import LoadedEncoders
from core.project import Project, reopen
from core.settings import Settings

POLL_SECONDS = 0.5
MOST_NICENESS = 19
AUTOGROUP = Path("/proc/self/autogroup")
LEAVING_SECONDS = 0.05
"""How often a worker that leaves looks whether its lanes have."""
MOST_ATTEMPTS = 3
FIRST_WORD_SECONDS = 2.0
"""How long the lanes wait for the client that started the worker: it brings what a resumed job needs."""

log = logging.getLogger("shoebox.worker")


class Worker:
    """Listens, runs the lanes, and leaves when nobody needs it."""

    def __init__(self, project: Project, *, idle: float) -> None:
        self._project = project
        self._idle = idle
        self._catalog = _identity(project.catalog_path)
        self._models = LoadedEncoders()
        self._controls: dict[int, Control] = {}
        self._environments: dict[int, dict[str, str]] = {}
        self._clients: list[Lines] = []
        self._lock = threading.Lock()  # of the three above
        self._wake = {lane: threading.Event() for lane in get_args(Lane)}
        self._spoken_to = threading.Event()
        self._leaving = threading.Event()
        self._last_busy = time.monotonic()

    def serve(self, door: Door) -> None:
        """Works until idle for long enough, told to leave, or its project is gone."""
        with self._project.database() as db:
            jobs.take_up_orphans(db, most_attempts=MOST_ATTEMPTS)
            lanes = [threading.Thread(target=self._run_lane, args=(lane,), name=lane) for lane in self._wake]
            for lane in lanes:
                lane.start()
            try:
                with selectors.DefaultSelector() as selector:
                    selector.register(door.listener, selectors.EVENT_READ)
                    self._listen(selector, door, lanes, db)
            except BaseException:
                _break_down("nobody listens any more")

    def _listen(
        self, selector: selectors.BaseSelector, door: Door, lanes: list[threading.Thread], db: Database
    ) -> None:
        """Hears clients as long as a lane works: the last job of a worker that leaves can be cancelled, too."""
        version = db.data_version()
        while any(lane.is_alive() for lane in lanes):
            ready = selector.select(LEAVING_SECONDS if self._leaving.is_set() else POLL_SECONDS)
            self._leave_if_gone(door)  # before anybody is let in: no client of a new project meets an old worker
            for key, _ in ready:
                if key.fileobj is door.listener:
                    self._welcome(selector, door)
                else:
                    self._hear(selector, key.data)
            if door.vanished:
                self._open_again(selector, door)
            if version != (version := db.data_version()):  # the slow way, for a client without a socket
                self._look(db)
            if not self._leaving.is_set() and self._idle_for_long(db):
                log.info("idle: leaving")
                self._leaving.set()
                self._look(db)

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
        mine = "leaving" if self._leaving.is_set() else signature(os.environ, version())
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
            self._look(db)
        self._spoken_to.set()

    def _obey(self, client: Lines, message: dict[str, Any], db: Database) -> None:
        match message:
            case {"do": "add", "kind": str(kind), "params": dict(params), "environment": dict(environment)}:
                if self._leaving.is_set():
                    client.hang_up()  # it will ask the next worker
                else:
                    answer = self._add(db, kind, params, environment)
                    with contextlib.suppress(OSError):
                        client.send(answer)
            case {"do": "resume", "job": int(job_id), "environment": dict(environment)}:
                with self._lock:
                    self._environments[job_id] = environment
            case {"do": "leave"}:
                self._leaving.set()
            case {"do": "stop"}:
                self._leaving.set()
                for job in jobs.unfinished(db):
                    jobs.request_cancel(db, job.id)
            case _:
                pass  # "look", and what another version may say: to be woken is all it needs

    def _add(self, db: Database, kind: str, params: dict[str, Any], environment: dict[str, str]) -> dict[str, Any]:
        try:
            with self._lock:  # a lane that takes the job at once waits here for its environment
                job_id = jobs.add(db, kind, lane_of(kind), params)
                self._environments[job_id] = environment
        except ShoeboxError as error:  # an unknown kind, a full disk, a locked catalog
            return {"refused": str(error)}
        return {"added": job_id}

    def _look(self, db: Database) -> None:
        """Takes over what clients have set in the catalog, and wakes the lanes."""
        with self._lock:
            running = dict(self._controls)
        for job_id, control in running.items():
            cancel, paused = jobs.flags(db, job_id)
            if cancel:
                control.cancelled.set()
            (control.paused.set if paused else control.paused.clear)()
        for event in self._wake.values():
            event.set()

    def _idle_for_long(self, db: Database) -> bool:
        now = time.monotonic()
        with self._lock:
            busy = bool(self._controls)
        keyed = self._keyed()
        if busy or any(not job.paused and not job.lacks_key(keyed) for job in jobs.unfinished(db)):
            self._last_busy = now
        return now - self._last_busy > self._idle

    def _keyed(self) -> list[int]:
        """The jobs that have a key in memory: one that needs it waits for a client that brings it."""
        with self._lock:
            return [job_id for job_id, environment in self._environments.items() if has_key(environment)]

    def _run_lane(self, lane: Lane) -> None:
        try:
            self._lane(lane)
        except BaseException:  # the catalog cannot be written, say
            _break_down(f"the {lane} lane broke")

    def _lane(self, lane: Lane) -> None:
        with self._project.database() as db, self._project.database(durable=False) as progress_db:
            self._spoken_to.wait(FIRST_WORD_SECONDS)
            while not self._leaving.is_set():
                self._wake[lane].clear()
                job = jobs.take_next(db, lane, keyed=self._keyed())
                if job is None:
                    self._wake[lane].wait(POLL_SECONDS)
                else:
                    self._run(job, db, progress_db)

    def _run(self, job: Job, db: Database, progress_db: Database) -> None:
        control = Control()
        with self._lock:
            self._controls[job.id] = control
            environment = self._environments.pop(job.id, {})
        self._look(db)  # a cancel may have come while it waited
        log.info("job %d %s: attempt %d", job.id, job.kind, job.attempts)

        def report(progress: dict[str, Any]) -> None:
            jobs.set_progress(progress_db, job.id, progress)
            self._tell(job.id)

        try:
            os.environ.update(environment)  # libraries look for tokens and proxies there
            context = JobContext(
                project=self._project,
                settings=Settings().with_values(job.params.get("settings", {}), "job"),
                environment=environment,
                models=self._models,
                control=control,
                report=report,
                created=job.created,
            )
            result = run_job(job.kind, context, job.params)
            jobs.finish(db, job.id, "done", result=result)
        except CancelledError as error:
            jobs.finish(db, job.id, "cancelled", error=str(error))
        except ShoeboxError as error:
            log.info("job %d failed: %s", job.id, error)
            jobs.finish(db, job.id, "failed", result={"exit_code": error.exit_code}, error=str(error))
        except Exception as error:
            log.exception("job %d failed", job.id)
            what = f"{job.kind} failed unexpectedly ({type(error).__name__}: {error}): see {self._project.log_path}"
            jobs.finish(db, job.id, "failed", error=" ".join(what.split()))
        finally:
            with self._lock:
                del self._controls[job.id]
            self._tell(job.id)
            log.info("job %d ended", job.id)

    def _tell(self, job_id: int) -> None:
        """Wakes every client."""
        with self._lock:
            clients = list(self._clients)
        for client in clients:
            client.nudge({"job": job_id})


def _break_down(why: str) -> NoReturn:
    """Ends the process at once: half a worker would let its clients wait for ever, or work beside the next one."""
    log.exception(why)
    os._exit(1)


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


def main(directory: str) -> int:
    """Serves the project in `directory`; returns the exit status."""
    project = reopen(Path(directory))
    lock = take_lock(project)
    if lock is None:
        return ALREADY_RUNNING
    _start_log(project.log_path)
    faulthandler.enable()
    settings = project.settings(os.environ, {})
    _give_way(max(0, min(settings.niceness, MOST_NICENESS)))
    migrate(project.catalog_path)
    door = Door(project)
    try:
        Worker(project, idle=settings.idle).serve(door)
    finally:
        door.close()
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
    sys.exit(main(sys.argv[1]))
