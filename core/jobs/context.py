"""What a running job is given: its project, its settings, and the ways to report and to be stopped."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from core.errors import CancelledError

if TYPE_CHECKING:
    from core.jobs.models import LoadedEncoders
    from core.project import Project
    from core.settings import Settings

REPORT_SECONDS = 0.2
"""Progress is written at most this often."""


@dataclass
class Control:
    """The switches of a running job, set by other threads."""

    cancelled: threading.Event = field(default_factory=threading.Event)
    paused: threading.Event = field(default_factory=threading.Event)


@dataclass
class JobContext:
    """One run of one job, in the thread of its lane."""

    project: Project
    settings: Settings
    environment: Mapping[str, str]
    models: LoadedEncoders
    control: Control
    report: Callable[[dict[str, Any]], None]
    created: float = 0.0
    """When the job was asked for (seconds since 1970): a resumed one has that of its first run."""
    _reported: float = 0.0
    _stage: str = ""
    _since: float = 0.0

    def progress(self, data: dict[str, Any], *, now: bool = False) -> None:
        """Publishes progress, unless some was published a moment ago (`now` forces it, and so does another stage).

        `since`, when the stage began (a time of `time.time`), goes with it.
        """
        moment = time.monotonic()
        if data.get("stage", "") != self._stage:
            self._stage, self._since, now = data.get("stage", ""), time.time(), True
        if now or moment - self._reported >= REPORT_SECONDS:
            self._reported = moment
            self.report(data | {"since": self._since})

    def say(self, stage: str, message: str) -> None:
        """Publishes what is going on, in words, where there is nothing to count."""
        self.progress({"stage": stage, "message": message}, now=True)

    def cancelled(self) -> bool:
        """Whether the job shall stop."""
        return self.control.cancelled.is_set()

    def checkpoint(self) -> None:
        """A place where a job may be held or stopped. Raises CancelledError."""
        while self.control.paused.is_set() and not self.cancelled():
            time.sleep(0.05)
        if self.cancelled():
            raise CancelledError("cancelled", "what was done so far is kept; run the same command to go on")
