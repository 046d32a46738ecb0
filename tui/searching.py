"""Asks the worker's searches from a thread of its own: what is typed never waits, and the newest query goes first."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from core.errors import ShoeboxError
from core.jobs.client import Client

if TYPE_CHECKING:
    from core.catalog.jobs import Job
    from core.project import Project

LOOK_SECONDS = 0.05
"""How often a search that runs is looked at: a newer one shall not wait for it longer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a question, by its number: a result, an error, or words on what it still waits for."""

    number: int
    result: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    waits: str = ""
    seconds: float = 0.0
    """From the question to the answer, as the user waited."""


class Searcher(threading.Thread):
    """One a screen. The worker keeps the model loaded; it is started when the first question comes."""

    def __init__(self, project: Project, environment: Mapping[str, str], tell: Callable[[Answer], object]) -> None:
        super().__init__(name="searcher", daemon=True)
        self._project = project
        self._environment = dict(environment)
        self._tell = tell
        self._wake = threading.Event()
        self._leave_now = threading.Event()
        self._wanted: tuple[int, dict[str, Any], float] = (0, {}, 0.0)
        self._session = f"{id(self):x}-{time.time_ns():x}"

    def ask(self, number: int, params: dict[str, Any]) -> None:
        """Asks this in place of whatever was asked before."""
        self._wanted = (number, params | {"session": self._session}, time.monotonic())
        self._wake.set()

    def leave(self) -> None:
        """Ends it soon; does not wait for that."""
        self._leave_now.set()
        self._wake.set()

    def run(self) -> None:
        """Asks until told to leave."""
        while True:
            self._wake.wait()
            self._wake.clear()
            if self._leave_now.is_set():
                return
            number, params, asked = self._wanted
            try:
                with Client(self._project, self._environment) as client:
                    self._follow(client, client.submit("search", params), number, asked)
            except (ShoeboxError, OSError) as error:
                self._say(Answer(number, error=str(error)))

    def _follow(self, client: Client, job_id: int, number: int, asked: float) -> None:
        for job in client.watch(job_id, every=LOOK_SECONDS):
            if job.ended:
                self._say(_answer(job, number, time.monotonic() - asked))
            elif self._wake.is_set():
                return  # a newer one: the worker lets go of this one when that one waits
            elif waits := str(job.progress.get("message") or job.progress.get("what") or ""):
                self._say(Answer(number, waits=waits))

    def _say(self, answer: Answer) -> None:
        if not self._leave_now.is_set():
            self._tell(answer)


def _answer(job: Job, number: int, seconds: float) -> Answer:
    if job.state == "done":
        return Answer(number, job.result, seconds=seconds)
    return Answer(number, error=job.error or job.state)
