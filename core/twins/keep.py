"""Which picture of a group of twins is kept: a rule in a few words, each settling what the one before left equal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from core.catalog.rows import Candidate
from core.errors import UsageError

_RULES: dict[str, tuple[str, Callable[[Candidate], Any]]] = {
    "area": ("the most pixels", lambda c: -c.area),
    "file": ("the biggest file", lambda c: -c.size),
    "path": ("the first by path", lambda c: (c.source, c.path)),
    "oldest": ("the oldest file", lambda c: c.mtime_ns),
    "newest": ("the newest file", lambda c: -c.mtime_ns),
}
RULES = tuple(_RULES)
DEFAULT = "area,file,path"
"""Of equally many pixels the biggest file is the one compressed least, the sharpest as a rule."""


def parse_rule(text: str) -> tuple[str, ...]:
    """The words of a rule, those of DEFAULT after them. Raises UsageError for one there is not."""
    words = tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
    if unknown := [word for word in words if word not in _RULES]:
        raise UsageError(f"there is no rule {', '.join(unknown)} to keep by", f"there are {', '.join(RULES)}")
    return tuple(dict.fromkeys((*words, *DEFAULT.split(","))))


def said(rule: tuple[str, ...]) -> str:
    """A rule for people."""
    return ", then ".join(_RULES[word][0] for word in rule)


def best_first(group: list[Candidate], rule: tuple[str, ...]) -> list[Candidate]:
    """The pictures of a group, the one to keep first."""
    return sorted(group, key=lambda c: (*(_RULES[word][1](c) for word in rule), c.image))
