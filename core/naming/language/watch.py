"""Runs many questions at once in an event loop of their own, and lets a job watch, hold and stop them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from core.errors import CancelledError
from core.naming.language.meter import BudgetSpentError

Item = TypeVar("Item")
Result = TypeVar("Result")
LOOK_SECONDS = 0.05


def _never() -> bool:
    return False


def _nobody(progress: dict[str, Any]) -> None:
    pass


@dataclass(frozen=True)
class Watch:
    """What a job gives to long work: whether to stop, whether to hold, and where to say how far it is."""

    cancelled: Callable[[], bool] = _never
    paused: Callable[[], bool] = _never
    progress: Callable[[dict[str, Any]], None] = _nobody
    since: float = 0.0
    """When the work was asked for (seconds since 1970): what was spent from then on counts."""


@dataclass
class Tally:
    """How far a stage is."""

    stage: str
    total: int
    done: int = 0
    failed: int = 0
    stopped: str = ""
    """Why no further question was asked; empty where all were."""
    reasons: dict[str, int] = field(default_factory=dict)


def drive(work: Coroutine[Any, Any, Result], watch: Watch, tick: Callable[[], None]) -> Result:
    """Runs `work` to its end in the calling thread; `tick` is called often. Raises CancelledError if told to stop.

    What waits for a server is broken off at once.
    """

    async def watched() -> Result:
        task = asyncio.ensure_future(work)
        while True:
            done, _ = await asyncio.wait({task}, timeout=LOOK_SECONDS)
            if done:
                return task.result()
            if watch.cancelled():
                task.cancel()
                await asyncio.wait({task})
                raise CancelledError("cancelled", "what was done so far is kept; run the same command to go on")
            tick()

    return asyncio.run(watched())


async def each(
    items: Iterable[Item], do: Callable[[Item], Awaitable[None]], *, at_once: int, tally: Tally, watch: Watch
) -> None:
    """Does `do` for every item, `at_once` of them at a time. Where the budget is spent, what was begun is ended.

    Any other error ends them all, and is raised.
    """
    waiting = iter(items)

    async def lane() -> None:
        for item in waiting:
            while watch.paused():
                await asyncio.sleep(LOOK_SECONDS)
            if tally.stopped:
                return
            try:
                await do(item)
            except BudgetSpentError as error:
                tally.stopped = str(error)
                return

    lanes = [asyncio.ensure_future(lane()) for _ in range(max(1, at_once))]
    try:
        await asyncio.gather(*lanes)
    finally:
        for task in lanes:
            task.cancel()
        await asyncio.gather(*lanes, return_exceptions=True)
