"""What well-known models cost, and how many tokens a picture is to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.settings import Settings

AS_OF = "August 2025"
"""When these prices were looked up. --price-in and --price-out say it better."""


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million tokens."""

    input: float
    output: float

    def of(self, input_tokens: int, output_tokens: int) -> float:
        """What so many tokens cost, in US dollars."""
        return (input_tokens * self.input + output_tokens * self.output) / 1e6


@dataclass(frozen=True, slots=True)
class _Model:
    price: Price
    picture_tokens: int  # of a small picture in low detail
    sheet_tokens: int  # of a contact sheet


_MODELS = {
    "gpt-4o": _Model(Price(2.50, 10.00), 85, 765),
    "gpt-4o-mini": _Model(Price(0.15, 0.60), 2833, 25501),
    "gpt-4.1": _Model(Price(2.00, 8.00), 85, 765),
    "gpt-4.1-mini": _Model(Price(0.40, 1.60), 420, 1100),
    "gpt-4.1-nano": _Model(Price(0.10, 0.40), 640, 1650),
    "gpt-5": _Model(Price(1.25, 10.00), 70, 630),
    "gpt-5-mini": _Model(Price(0.25, 2.00), 420, 1100),
    "gpt-5-nano": _Model(Price(0.05, 0.40), 640, 1650),
}
_UNKNOWN_PICTURE, _UNKNOWN_SHEET = 400, 1000


def price_of(model: str, settings: Settings) -> Price | None:
    """The price that the settings say, or else the table, or None."""
    if settings.price_in or settings.price_out:
        return Price(settings.price_in, settings.price_out)
    known = _known(model)
    return known.price if known else None


def picture_tokens(model: str, *, sheet: bool) -> int:
    """About how many tokens a picture is."""
    known = _known(model)
    if known is None:
        return _UNKNOWN_SHEET if sheet else _UNKNOWN_PICTURE
    return known.sheet_tokens if sheet else known.picture_tokens


def _known(model: str) -> _Model | None:
    """By its name, whichever seller's, or a dated version of it: `openai/gpt-4.1-mini`, `gpt-4.1-mini-2025-04-14`."""
    name = model.rsplit("/", 1)[-1].lower()
    while name:
        if name in _MODELS:
            return _MODELS[name]
        name, _, last = name.rpartition("-")
        if not last.isdigit():
            return None
    return None
