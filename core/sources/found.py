"""What the sources whose pictures are downloaded yield, and how one of their pictures is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

T = TypeVar("T")
Lifts = Literal["", "private", "size", "time"]


@dataclass(frozen=True, slots=True)
class Found:
    """A picture to download. `url` is what it is known by, without secrets; `address` where it is, if elsewhere."""

    url: str
    address: str = ""
    tag: str = ""
    size: int | None = None
    """In bytes, where the source tells."""


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line of a list that is no URL."""

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Page:
    """A piece of a listing. `cursor`, where given, is what to go on from once the page is recorded."""

    found: list[Found]
    bad: list[BadLine] = field(default_factory=list)
    cursor: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """How to ask for a picture. `follow`: whether a redirect is gone after."""

    address: str
    headers: Mapping[str, str] = field(default_factory=dict)
    follow: bool = True


Locate = Callable[[str], Request]
"""From the URL a picture is known by to the request for it; asked anew for every attempt."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A picture on the disk: `path` relative to the store; size in bytes, mtime in nanoseconds."""

    path: bytes
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Failure:
    """A picture that did not come: `reason` in a few words, to count by, and `error`, what happened.

    `lifts` is what it takes to try again: nothing but the user's word (""), leave to connect to private addresses,
    a size limit above `needs` bytes, or another time.
    """

    reason: str
    error: str
    lifts: Lifts = ""
    needs: int = 0


def evenly(items: Sequence[T], number: int) -> list[T]:
    """`number` of the items, evenly spaced, in order; all where there are no more."""
    if number >= len(items):
        return list(items)
    return [items[(2 * i + 1) * len(items) // (2 * number)] for i in range(number)]
