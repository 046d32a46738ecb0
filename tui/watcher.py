"""Follows a project's jobs and catalog from a thread of its own, and tells the app what changed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from core.catalog import jobs
from core.errors import ShoeboxError
from core.jobs.client import Client
from tui.facts import read_facts
from tui.messages import FactsChanged, JobChanged, News, Trouble

if TYPE_CHECKING:
    from core.catalog.database import Database
    from core.catalog.jobs import Job
    from core.project import Project

POLL_SECONDS = 0.5
"""How often the catalog is looked at while nothing runs."""
FACTS_SECONDS = (1.0, 10.0)
"""Least and most between two readings of the facts."""
FACTS_SHARE = 0.015
"""Of a core, at the most: between these two bounds the facts of a large project are read less often."""
GIVE_UP_SECONDS = 5.0
"""Until a worker that could not be had is asked for again."""


def _told(db: Database) -> list[Job]:
    """The jobs that the app is told of. Searches are not: there is one at every key."""
    return [*jobs.unfinished(db, without="search"), *jobs.recent(db, without="search")]


class Watcher(threading.Thread):
    """One a project. A worker that dies while a job runs is started again (`Client.watch` does that)."""

    def __init__(self, project: Project, environment: Mapping[str, str], tell: Callable[[News], object]) -> None:
        super().__init__(name="watcher", daemon=True)
        self._project = project
        self._environment = environment
        self._tell = tell
        self._wake = threading.Event()
        self._leave_now = threading.Event()
        self._seen: dict[int, Job] = {}
        self._version: int | None = None
        self._next_facts = 0.0
        self._stale = True

    def look(self) -> None:
        """Has it look now: a job was added."""
        self._wake.set()

    def leave(self) -> None:
        """Ends it, within a second; does not wait for that."""
        self._leave_now.set()
        self._wake.set()

    def _left(self) -> bool:
        return self._leave_now.is_set()

    def run(self) -> None:
        """Looks until told to leave."""
        try:
            with self._project.database() as db:
                while not self._left():
                    self._follow(db)
        except ShoeboxError as error:
            self._say(Trouble(f"cannot follow this project: {error}"))

    def _follow(self, db: Database) -> None:
        """One round: what changed, then until the next change or job."""
        self._look(db)
        running = [job for job in jobs.unfinished(db, without="search") if not job.paused]
        if not running:
            self._wake.wait(POLL_SECONDS)
            self._wake.clear()
            return
        try:
            with Client(self._project, self._environment, say=lambda text: self._say(Trouble(text))) as client:
                for job in client.watch(running[0].id):
                    self._look(db)
                    if self._left() or job.paused:
                        return
        except (ShoeboxError, OSError) as error:
            self._say(Trouble(f"{error}"))
            self._wake.wait(GIVE_UP_SECONDS)
            self._wake.clear()

    def _look(self, db: Database) -> None:
        """Tells of every job that is not as it was seen last, and of the facts when the catalog changed."""
        before = self._version
        self._version = db.data_version()
        if self._version != before:
            current = {job.id: job for job in _told(db)}
            for _, job in sorted(current.items()):
                if before is not None or not job.ended:  # what ended before the app came is no news
                    self._compare(job)
            self._seen = current
            self._stale = True
        if self._stale and time.monotonic() >= self._next_facts:
            self._stale = False
            began = time.thread_time()
            facts = read_facts(self._project, db)
            least, most = FACTS_SECONDS
            self._next_facts = time.monotonic() + min(max(least, (time.thread_time() - began) / FACTS_SHARE), most)
            self._say(FactsChanged(facts))

    def _compare(self, job: Job) -> None:
        before = self._seen.get(job.id)
        if before == job:
            return
        if before is not None and job.attempts > max(before.attempts, 1):
            self._say(Trouble(f"the worker died; it was started again and goes on with job {job.id}"))
        if job.ended:
            self._next_facts = 0.0  # what it came to is read at once
        self._say(JobChanged(job))

    def _say(self, message: News) -> None:
        if not self._left():
            self._tell(message)
