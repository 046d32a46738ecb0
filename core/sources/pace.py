"""How fast a host is asked: what it says of it in its answers, and how long to wait where it says nothing."""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from email.utils import parsedate_to_datetime

LONGEST_BACKOFF = 30.0
_EPOCH = 1_000_000_000.0
"""A reset above this is a moment, below it a number of seconds."""


def backoff(attempt: int, rng: random.Random, *, base: float = 0.5) -> float:
    """Seconds to wait before attempt `attempt` (1 is the second): exponential, with jitter over its upper half.

    Jitter keeps those that failed together from coming back together.
    """
    ceiling: float = min(base * 2**attempt, LONGEST_BACKOFF)
    return ceiling * rng.uniform(0.5, 1.0)


def asked_to_wait(headers: Mapping[str, str], status: int) -> float | None:
    """Seconds that a host asks for before the next request; None where it asks for none.

    `Retry-After` is in seconds or a date (RFC 9110, 10.2.3). `X-RateLimit-Remaining: 0` holds until
    `X-RateLimit-Reset`, which is in seconds from now or since 1970.
    """
    waits = [_retry_after(headers.get("retry-after", ""))]
    for prefix in ("x-ratelimit-", "ratelimit-"):
        remaining = _number(headers.get(prefix + "remaining", ""))
        reset = _number(headers.get(prefix + "reset", ""))
        if reset is not None and (status == 429 or (remaining is not None and remaining < 1)):
            waits.append(max(0.0, reset - time.time() if reset > _EPOCH else reset))
    said = [wait for wait in waits if wait is not None]
    return max(said) if said else None


def _retry_after(value: str) -> float | None:
    seconds = _number(value)
    if seconds is not None:
        return max(0.0, seconds)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (TypeError, ValueError, OverflowError):
        return None


def _number(value: str) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


class Pace:
    """What is known of the hosts: how many requests each has in hand, and until when it wants none."""

    def __init__(self, per_host: int) -> None:
        self._per_host = per_host
        self._slots: dict[str, asyncio.Semaphore] = {}
        self._held: dict[str, float] = {}

    def allow(self, host: str, number: int) -> None:
        """So many requests at a time for this host, before the first of them."""
        self._slots.setdefault(host, asyncio.Semaphore(number))

    @asynccontextmanager
    async def turn(self, host: str) -> AsyncIterator[None]:
        """The right to ask a host once, when it is this one's turn."""
        async with self._slots.setdefault(host, asyncio.Semaphore(self._per_host)):
            while (wait := self.held(host)) > 0:
                await asyncio.sleep(wait)
            yield

    def hold(self, host: str, seconds: float) -> None:
        """No request to this host for so long."""
        self._held[host] = max(self._held.get(host, 0.0), time.monotonic() + seconds)

    def held(self, host: str) -> float:
        """For how many more seconds a host wants no request."""
        return self._held.get(host, 0.0) - time.monotonic()
