"""The parts of a download job: what waits, by host; what came, written down; and how far it is."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.catalog import downloads
from core.catalog.downloads import Arrived, Missed, Waiting
from core.sources.found import Failure, Locate, Stored
from core.sources.urls import host_of

if TYPE_CHECKING:
    from core.catalog.database import Database
    from core.jobs.download_ways import Way

TICK_SECONDS = 0.1
COMMIT_SECONDS = 0.02
AHEAD = 2000
"""URLs taken from the catalog ahead of the downloads: among them hosts are chosen from."""


@dataclass
class DownloadProgress:
    """How far it is. `total` is what this run has to do, as far as is known; `listing` that more may come."""

    stage: str = "fetching"
    done: int = 0
    total: int = 0
    failed: int = 0
    refused: int = 0
    listing: bool = True
    megabytes: float = 0.0
    pictures_per_second: float = 0.0
    reasons: dict[str, int] = field(default_factory=dict)
    repeated: int = 0
    """URLs listed that were known before, or twice."""
    bad_lines: int = 0
    bad: list[str] = field(default_factory=list)
    """The first of them, each with its file and line."""


@dataclass(frozen=True, slots=True)
class Item:
    """A picture whose turn it is."""

    waiting: Waiting
    host: str
    locate: Locate


class Queue:
    """What waits, by host: no host gets more than its share, and one that wants a pause holds nobody else up."""

    def __init__(
        self, db: Database, ways: dict[int, Way], *, per_host: int, most: int, held: Callable[[str], float]
    ) -> None:
        self._db = db
        self._ways = ways
        self._per_host = per_host
        self._most = most
        self._held = held
        self._hosts: dict[str, deque[Item]] = {}
        self._active: Counter[str] = Counter()
        self._last = 0
        self._waiting = 0
        self._listed = False
        self._changed = asyncio.Event()

    def look(self) -> None:
        """Something was recorded."""
        self._changed.set()

    def listed(self) -> None:
        """Nothing more will be recorded."""
        self._listed = True
        self._changed.set()

    async def take(self) -> Item | None:
        """The next picture, of whichever host may be asked; None when there is none and none will come."""
        while True:
            self._fill()
            item = self._next()
            if item is not None:
                return item
            if self._listed and not self._waiting:
                return None
            self._changed.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), TICK_SECONDS)

    def done(self, item: Item) -> None:
        """A picture that was taken has its outcome."""
        self._active[item.host] -= 1
        self._changed.set()

    def _fill(self) -> None:
        if self._waiting > AHEAD // 2:
            return
        page = downloads.waiting(self._db, after=self._last, limit=AHEAD)
        for waiting in page:
            way = self._ways.get(waiting.source)
            if way is not None:
                host = host_of(waiting.url)
                self._hosts.setdefault(host, deque()).append(Item(waiting, host, way.locate))
                self._waiting += 1
        if page:
            self._last = page[-1].id

    def _next(self) -> Item | None:
        for host, items in self._hosts.items():
            most = self._most if items[0].waiting.url.startswith("s3://") else self._per_host
            if self._active[host] < most and self._held(host) <= 0:
                item = items.popleft()
                del self._hosts[host]
                if items:
                    self._hosts[host] = items  # at the end: the next host is next
                self._active[host] += 1
                self._waiting -= 1
                return item
        return None


class Recorder:
    """Writes what became of pictures, those of a moment in one transaction."""

    def __init__(self, db: Database, progress: DownloadProgress, came: Callable[[], None]) -> None:
        self._db = db
        self._progress = progress
        self._came = came
        self._outcomes: list[tuple[Waiting, Stored | Failure]] = []
        self._failed: BaseException | None = None

    def record(self, waiting: Waiting, outcome: Stored | Failure) -> None:
        """Takes an outcome. Raises what went wrong with earlier ones."""
        if self._failed is not None:
            raise self._failed
        self._outcomes.append((waiting, outcome))
        if len(self._outcomes) == 1:
            asyncio.get_running_loop().call_later(COMMIT_SECONDS, self._flush_quietly)

    def _flush_quietly(self) -> None:
        try:
            self.flush()
        except Exception as error:
            self._failed = error

    def flush(self) -> None:
        """Writes what there is."""
        outcomes, self._outcomes = self._outcomes, []
        if not outcomes:
            return
        new = []
        with self._db.transaction():
            for waiting, outcome in outcomes:
                if isinstance(outcome, Failure):
                    missed = Missed(outcome.reason, outcome.error, outcome.lifts, outcome.needs)
                    downloads.miss(self._db, waiting, missed)
                else:
                    arrived = Arrived(outcome.path, outcome.size, outcome.mtime_ns)
                    new.append(downloads.arrive(self._db, waiting, arrived))
        for is_new in new:
            self._progress.done += 1
            if is_new:
                self._came()
        for _, outcome in outcomes:
            if isinstance(outcome, Failure):
                self._progress.refused += bool(outcome.lifts)
                self._progress.failed += not outcome.lifts
                self._progress.reasons[outcome.reason] = self._progress.reasons.get(outcome.reason, 0) + 1
