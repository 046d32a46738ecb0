"""The lanes of a worker: a thread each, which takes jobs from the catalog and does them.

A job that shall stop is told so and ends at its next checkpoint. One that comes to none for CANCEL_SECONDS (it loads a
model, say) is recorded as cancelled all the same, so that its user waits no longer. From then on it is a straggler:
nothing is heard of it any more, but it keeps its lane until it ends, for two jobs of one lane never work at once. Where
that takes too long for those who wait, only a new process helps (`stuck`).
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, get_args

from core.catalog import jobs
from core.catalog.database import Database
from core.catalog.jobs import Job, Lane
from core.errors import CancelledError, ShoeboxError
from core.jobs.context import Control, JobContext, stopped
from core.jobs.environment import has_key
from core.jobs.kinds import lane_of, run_job
from core.jobs.models import LoadedEncoders
from core.project import Project
from core.settings import Settings

POLL_SECONDS = 0.5
CANCEL_SECONDS = 0.7
"""How long a job may take to end that was told to."""
STRAGGLER_SECONDS = 5.0
"""How long the next job waits for one that was cancelled and has not ended."""
LEAVING_SECONDS = 2.0
"""How long a worker that leaves waits for such a job."""
FIRST_WORD_SECONDS = 2.0
"""How long the lanes wait for the client that started the worker: it brings what a resumed job needs."""

Environments = Mapping[int, Mapping[str, str]]
"""What clients sent along with their jobs, by the jobs' ids."""

log = logging.getLogger("shoebox.worker")


class _Running:
    """A job at work."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.control = Control()
        self._told = 0.0
        self._end = threading.Lock()

    def follow(self, *, cancel: bool, paused: bool) -> None:
        """Tells it what its clients have set."""
        if cancel and not self.control.cancelled.is_set():
            self._told = time.monotonic()
            self.control.cancelled.set()
        (self.control.paused.set if paused else self.control.paused.clear)()

    def late(self, seconds: float) -> bool:
        """Whether it was told to stop so long ago."""
        return self.control.cancelled.is_set() and time.monotonic() - self._told > seconds

    def end(self) -> bool:
        """Whether the caller is the first to say how it ended, and so the one who records it."""
        return self._end.acquire(blocking=False)

    @property
    def straggles(self) -> bool:
        """Whether its end is recorded, though its thread may work on."""
        return self._end.locked()


class Lanes:
    """What runs and what waits. `tell` is called with the id of a job that has something new to show."""

    def __init__(self, project: Project, environments: Environments, *, tell: Callable[[int], None]) -> None:
        self._project = project
        self._tell = tell
        self._models = LoadedEncoders()
        self._running: dict[Lane, _Running] = {}
        self._environments = {job_id: dict(environment) for job_id, environment in environments.items()}
        self._lock = threading.Lock()  # of the two above
        self._wake = {lane: threading.Event() for lane in get_args(Lane)}
        self._threads = [threading.Thread(target=self._work, args=(lane,), name=lane) for lane in self._wake]
        self._spoken_to = threading.Event()
        self._leaving = threading.Event()

    def start(self) -> None:
        """Starts the threads; they wait for a first word, for a while."""
        for thread in self._threads:
            thread.start()

    def begin(self) -> None:
        """Waits no longer for a client's first word: it has come."""
        self._spoken_to.set()

    def leave(self) -> None:
        """Takes no more jobs."""
        self._leaving.set()

    @property
    def leaving(self) -> bool:
        """Whether no more jobs are taken."""
        return self._leaving.is_set()

    def alive(self) -> bool:
        """Whether a lane works."""
        return any(thread.is_alive() for thread in self._threads)

    def add(self, db: Database, kind: str, params: dict[str, Any], environment: Mapping[str, str]) -> int:
        """Queues a job with what its client sent along; gives its id. Raises as `jobs.add`."""
        with self._lock:  # a lane that takes the job at once waits here for its environment
            job_id = jobs.add(db, kind, lane_of(kind), params)
            self._environments[job_id] = dict(environment)
        return job_id

    def bring(self, job_id: int, environment: Mapping[str, str]) -> None:
        """Takes what a client sends for a job that is in the catalog already."""
        with self._lock:
            self._environments[job_id] = dict(environment)

    def environments(self, db: Database) -> Environments:
        """What came along with the jobs that wait, and not with those that ended before they began."""
        unfinished = {job.id for job in jobs.unfinished(db)}
        with self._lock:
            return {job_id: sent for job_id, sent in self._environments.items() if job_id in unfinished}

    def look(self, db: Database) -> None:
        """Takes over what clients have set in the catalog, and wakes the lanes."""
        self._follow(db)
        for event in self._wake.values():
            event.set()

    def end_cancelled(self, db: Database) -> None:
        """Records the end of what was told to stop, and has not."""
        for running in self._all():
            if running.late(CANCEL_SECONDS) and running.end():
                jobs.finish(db, running.job.id, "cancelled", error=str(stopped()))
                log.info("job %d is cancelled; what it has in hand is still to end", running.job.id)
                self._tell(running.job.id)

    def cancelling(self) -> bool:
        """Whether a job was told to stop whose end is not recorded."""
        return any(r.control.cancelled.is_set() and not r.straggles for r in self._all())

    def busy(self, db: Database) -> bool:
        """Whether something is done, or could be."""
        keyed = self._keyed()
        waiting = (job for job in jobs.unfinished(db) if job.state == "queued")
        return any(not r.straggles for r in self._all()) or any(
            not job.paused and not job.lacks_key(keyed) for job in waiting
        )

    def stuck(self, db: Database) -> bool:
        """Whether nothing works but stragglers, and somebody has waited for them long enough."""
        with self._lock:
            running = dict(self._running)
        if not running or not all(r.straggles and r.late(LEAVING_SECONDS) for r in running.values()):
            return False
        if self.leaving:
            return True
        held = {lane for lane, straggler in running.items() if straggler.late(STRAGGLER_SECONDS)}
        keyed = self._keyed()
        return any(
            job.lane in held and job.state == "queued" and not job.paused and not job.lacks_key(keyed)
            for job in jobs.unfinished(db)
        )

    def _all(self) -> list[_Running]:
        with self._lock:
            return list(self._running.values())

    def _keyed(self) -> list[int]:
        """The jobs that have a key in memory: one that needs it waits for a client that brings it."""
        with self._lock:
            return [job_id for job_id, environment in self._environments.items() if has_key(environment)]

    def _follow(self, db: Database) -> None:
        for running in self._all():
            cancel, paused = jobs.flags(db, running.job.id)
            running.follow(cancel=cancel, paused=paused)

    def _work(self, lane: Lane) -> None:
        try:
            # Shared: the hub's client tells of a download from a thread of its own, while the lane's waits for it.
            with self._project.database() as db, self._project.database(durable=False, shared=True) as progress_db:
                self._spoken_to.wait(FIRST_WORD_SECONDS)
                while not self.leaving:
                    self._wake[lane].clear()
                    job = jobs.take_next(db, lane, keyed=self._keyed())
                    if job is None:
                        self._wake[lane].wait(POLL_SECONDS)
                    else:
                        self._do(lane, job, db, progress_db)
        except BaseException:  # the catalog cannot be written, say
            break_down(f"the {lane} lane broke")

    def _do(self, lane: Lane, job: Job, db: Database, progress_db: Database) -> None:
        running = _Running(job)
        with self._lock:
            self._running[lane] = running
            environment = self._environments.pop(job.id, {})
        self._follow(db)  # a cancel may have come while it waited
        log.info("job %d %s: attempt %d", job.id, job.kind, job.attempts)

        def report(progress: dict[str, Any]) -> None:
            if not running.straggles:
                jobs.set_progress(progress_db, job.id, progress)
                self._tell(job.id)

        def finish(state: jobs.State, result: dict[str, Any] | None = None, error: str | None = None) -> None:
            if running.end():
                jobs.finish(db, job.id, state, result=result, error=error)

        try:
            context = JobContext(
                project=self._project,
                settings=Settings().with_values(job.params.get("settings", {}), "job"),
                environment=environment,
                models=self._models,
                control=running.control,
                report=report,
                created=job.created,
                got_on=lambda: jobs.got_on(progress_db, job.id),
            )
            finish("done", run_job(job.kind, context, job.params))
        except CancelledError as error:
            finish("cancelled", error=str(error))
        except ShoeboxError as error:
            log.info("job %d failed: %s", job.id, error)
            finish("failed", {"exit_code": error.exit_code}, str(error))
        except Exception as error:
            log.exception("job %d failed", job.id)
            what = f"{job.kind} failed unexpectedly ({type(error).__name__}: {error}): see {self._project.log_path}"
            finish("failed", error=" ".join(what.split()))
        finally:
            with self._lock:
                del self._running[lane]
            self._tell(job.id)
            log.info("job %d ended", job.id)


def break_down(why: str) -> NoReturn:
    """Ends the process at once: half a worker would let its clients wait for ever, or work beside the next one."""
    log.exception(why)
    os._exit(1)
