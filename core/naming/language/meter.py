"""Counts calls, tokens and money, and says when they are used up."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.catalog import replies
from core.errors import UsageError
from core.naming.language.prices import Price

if TYPE_CHECKING:
    from core.catalog.database import Database

_LOOK_SECONDS = 0.02


class BudgetSpentError(Exception):
    """No further call may be made. Its text says why."""


@dataclass
class Meter:
    """What calls take. It belongs to one thread. `since`: what was spent from then on counts, by other runs too."""

    db: Database
    model: str
    price: Price | None
    max_calls: int = 0
    max_cost: float = 0.0
    since: float = 0.0
    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float = 0.0
    _pending: float = 0.0
    _under_way: int = 0

    def __post_init__(self) -> None:
        if self.max_cost and self.price is None:
            raise UsageError(
                f"--max-cost: the price of {self.model} is not known",
                "say it with --price-in and --price-out (US dollars for a million tokens), or use --max-calls",
            )
        if self.since:
            before = replies.spent(self.db, self.since)
            self.calls, self.cost = before.calls, before.cost
            self.input_tokens, self.output_tokens = before.input_tokens, before.output_tokens

    async def begin(self, input_tokens: int, output_tokens: int) -> Call:
        """Counts a call that will take about so many tokens. Raises BudgetSpentError where it may not be made.

        Where there is room for it only if those under way take less than is held for them, they are waited for.
        """
        expected = self.price.of(input_tokens, output_tokens) if self.price else 0.0
        while self.max_cost and self.cost + self._pending + expected > self.max_cost:
            if self._under_way == 0:
                raise BudgetSpentError(f"the next call could go beyond --max-cost {self.max_cost:g}")
            await asyncio.sleep(_LOOK_SECONDS)
        if self.max_calls and self.calls >= self.max_calls:
            raise BudgetSpentError(f"--max-calls {self.max_calls:,} are made")
        self._under_way += 1
        self.calls += 1
        self._pending += expected
        return Call(self, replies.begin_call(self.db, self.model), expected)

    def said(self) -> str:
        """Calls, tokens and money, in words."""
        tokens = f"{self.input_tokens:,} tokens in, {self.output_tokens:,} out"
        return f"{self.calls:,} call{'' if self.calls == 1 else 's'}, {tokens}" + (
            f", ${self.cost:.4f}" if self.price else ""
        )

    def figures(self) -> dict[str, Any]:
        """The same as data; `cost` is None where no price is known."""
        return {
            "calls": self.calls,
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "cost": round(self.cost, 6) if self.price else None,
        }


@dataclass
class Call:
    """One call that was begun."""

    meter: Meter
    id: int
    expected: float

    def end(self, input_tokens: int, output_tokens: int) -> None:
        """Counts what it took: nothing, where it was not answered."""
        meter = self.meter
        cost = meter.price.of(input_tokens, output_tokens) if meter.price else None
        meter._under_way -= 1
        meter._pending = max(0.0, meter._pending - self.expected)
        meter.input_tokens += input_tokens
        meter.output_tokens += output_tokens
        meter.cost += cost or 0.0
        replies.end_call(meter.db, self.id, input_tokens, output_tokens, cost)
