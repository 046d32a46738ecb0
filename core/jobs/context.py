"""What a running job is given: its project, its settings, and the ways to report and to be stopped."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from core.errors import CancelledError

if TYPE_CHECKING:
    from core.encoders.encoder import Encoder
    from core.encoders.spec import EncoderSpec
    from core.jobs.models import LoadedEncoders
    from core.project import Project
    from core.settings import Settings

REPORT_SECONDS = 0.2
"""Progress is written at most this often."""
LASTING = frozenset({"downloading", "fetching", "embedding", "labels", "names"})
"""Stages whose `done` counts what the next attempt finds done."""


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
    got_on: Callable[[], None] = lambda: None
    """Called once, as soon as this attempt has done something that lasts."""
    _at_first: int | None = None
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
            self._at_first = data.get("done")
        if self._stage in LASTING and data.get("done") != self._at_first:
            self.got_on()
            self.got_on = _nothing
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
            raise stopped()

    def encoders(self, spec: EncoderSpec, *, words: bool = False) -> list[Encoder]:
        """The encoder on every device that the settings name, loaded where it is not; with `words` for sentences, too.

        Raises ShoeboxError where it cannot be had, CancelledError.
        """

        def downloading(data: dict[str, Any]) -> None:
            if self.cancelled():  # a pause comes after it: the jobs of other lanes wait for the same models
                raise stopped()
            self.progress(data)

        return self.models.get(spec, self.settings.device, downloading, self.environment, words=words)


def stopped() -> CancelledError:
    """What ends a job that was told to stop."""
    return CancelledError("cancelled", "what was done so far is kept; run the same command to go on")


def _nothing() -> None:
    pass
