"""How fast a server may be asked: what it says of its limits is obeyed, by all that ask at once."""

from __future__ import annotations

import asyncio
import email.utils
import random
import re
import time
from collections.abc import Mapping

FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SPAN = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")


class Pace:
    """Nobody asks before `free_at`."""

    def __init__(self) -> None:
        self._free_at = 0.0

    async def turn(self) -> None:
        """Waits until the server may be asked."""
        while (wait := self._free_at - time.monotonic()) > 0:
            # Those that waited together do not all come at the same instant.
            await asyncio.sleep(wait + random.uniform(0, 0.05))

    def hold(self, seconds: float) -> None:
        """Lets nobody ask for so long."""
        self._free_at = max(self._free_at, time.monotonic() + seconds)

    def waiting(self) -> float:
        """Seconds until the server may be asked again."""
        return max(0.0, self._free_at - time.monotonic())

    def heed(self, headers: Mapping[str, str]) -> None:
        """Holds where a reply says that nothing is left for now."""
        for kind in ("requests", "tokens"):
            left, reset = (headers.get(f"x-ratelimit-{word}-{kind}", "") for word in ("remaining", "reset"))
            if left.strip() == "0" and (seconds := span(reset)) is not None:
                self.hold(seconds)


def asked_to_wait(headers: Mapping[str, str]) -> float | None:
    """The seconds that a refusal asks to wait, by Retry-After (seconds or a date, RFC 9110) and its kin, or None."""
    if (milliseconds := _number(headers.get("retry-after-ms", ""))) is not None:
        return milliseconds / 1000
    text = headers.get("retry-after", "").strip()
    if (seconds := _number(text)) is not None:
        return seconds
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    except (TypeError, ValueError, OverflowError):
        pass
    resets = [span(headers.get(f"x-ratelimit-reset-{kind}", "")) for kind in ("requests", "tokens")]
    return max((s for s in resets if s is not None), default=None)


def backoff(attempt: int) -> float:
    """Seconds to wait before attempt 1, 2, ...: full jitter (Brooker, 2015, "Exponential Backoff And Jitter")."""
    return random.uniform(0, min(LONGEST_WAIT, FIRST_WAIT * 2**attempt))


def span(text: str) -> float | None:
    """Seconds of `6m0s`, `20ms` or `7`; None for anything else."""
    text = text.strip()
    if (seconds := _number(text)) is not None:
        return seconds
    parts = _SPAN.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def _number(text: str) -> float | None:
    return float(text) if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text.strip()) else None
