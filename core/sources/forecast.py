"""What a source will come to, as far as it can be known before any of it is downloaded."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.sources.found import BadLine
from core.sources.lists import read_lists
from core.sources.places import Place
from core.sources.reddit import checked_time

LISTED = 10
"""Pages of a bucket that are looked at: a second or two."""
MOST_BAD = 5


@dataclass(frozen=True, slots=True)
class Forecast:
    """How many pictures, and how many bytes; None where it is not known. `more`: there are more than that."""

    pictures: int | None
    size: int | None = None
    more: bool = False
    repeated: int = 0
    bad_lines: int = 0
    bad: list[BadLine] = field(default_factory=list)
    """The first of the lines that are no URL."""


def foresee(place: Place, options: Mapping[str, Any], environment: Mapping[str, str]) -> Forecast:
    """What `place` lists, before sample and limit. Raises ShoeboxError where it cannot be listed, UsageError for
    options that do not fit.

    Lists are read, of a bucket the first pages; of a subreddit nothing is known beforehand. `options` are those of
    the source (endpoint, allow_private).
    """
    if place.kind == "urls":
        return _of_lists(place.root)
    if place.kind == "bucket":
        return asyncio.run(_of_bucket(place.root, options, environment))
    for name in ("after", "before"):
        checked_time(str(options.get(name) or ""))
    return Forecast(None)


def _of_lists(root: str) -> Forecast:
    urls: set[str] = set()
    listed = 0
    bad: list[BadLine] = []
    for page in read_lists(root):
        listed += len(page.found)
        urls.update(found.url for found in page.found)
        bad += page.bad
    return Forecast(len(urls), repeated=listed - len(urls), bad_lines=len(bad), bad=bad[:MOST_BAD])


async def _of_bucket(root: str, options: Mapping[str, Any], environment: Mapping[str, str]) -> Forecast:
    from core.sources.bucket import list_bucket, open_bucket, settled
    from core.sources.session import Session

    bucket = open_bucket(
        root,
        environment,
        endpoint=str(options.get("endpoint") or ""),
        region=str(options.get("region") or ""),
        anonymous=bool(options.get("anonymous")),
    )
    pictures = size = pages = 0
    allow_private = bool(options.get("allow_private"))
    async with Session(allow_private=allow_private, trusted=[bucket.host], environment=environment) as session:
        async for page in list_bucket(session, await settled(session, bucket)):
            pictures += len(page.found)
            size += sum(found.size or 0 for found in page.found)
            pages += 1
            if pages == LISTED:
                return Forecast(pictures, size, more=True)
    return Forecast(pictures, size)
