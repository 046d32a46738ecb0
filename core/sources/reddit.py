"""Pictures of a subreddit, from Arctic Shift, an archive of Reddit's posts."""

from __future__ import annotations

import asyncio
import html
import json
import os
import random
import re
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpcore2

from core.errors import ShoeboxError, UsageError
from core.imaging.formats import SUFFIXES
from core.sources.addresses import AddressRefusedError, UnknownHostError
from core.sources.found import Found, Page
from core.sources.pace import asked_to_wait, backoff
from core.sources.session import Session
from core.sources.urls import cleaned, host_of, public

ARCHIVE = "https://arctic-shift.photon-reddit.com"
BETWEEN = 0.5
"""Seconds between two requests: "a couple of requests a second"."""
ATTEMPTS = 8
LONGEST_WAIT = 300.0
MOST_STALE = 20
_MOST_BYTES = 64 << 20
_SMALLER = ("auto", "100", "50", "25")
"""Posts asked for at a time, less after every "slow down"."""
_IMAGE_HOST = "i.redd.it"
_AGO = re.compile(r"\d+(?:s|m|min|h|d|w|mon|y)", re.IGNORECASE)

Post = dict[str, Any]


async def list_subreddit(
    session: Session,
    name: str,
    *,
    archive: str = ARCHIVE,
    after: str = "",
    before: str = "",
    cursor: Mapping[str, Any] | None = None,
    seed: int = 0,
) -> AsyncIterator[Page]:
    """The pictures of a subreddit's posts, oldest first, a page an answer, each with the cursor to go on from.

    `after` and `before` bound the time of posting: a date (ISO), seconds since 1970, or an age such as 30d.
    With a `cursor` of the same `after`, begins where that listing stopped. Raises ShoeboxError where the archive
    cannot be had or refuses, UsageError for a time that is none.
    """
    reader = _Archive(session, archive, random.Random(seed))
    resumed = cursor is not None and cursor.get("from") == after
    position: str | int = int(cursor["after"]) if resumed and cursor is not None else checked_time(after)
    before = checked_time(before)
    seen: set[str] = set()
    stale = 0
    while True:
        query = {"subreddit": name, "sort": "asc", "after": str(position), "before": before}
        posts = await reader.posts({key: value for key, value in query.items() if value})
        if not posts:
            return
        fresh = [post for post in posts if str(post.get("id")) not in seen]
        seen = {str(post.get("id")) for post in posts}  # only the boundary is ever sent twice
        last = max((_created(post) for post in posts), default=0)
        # Everything of one second on one page: without a step it would be asked for again and again.
        position = last if last > _whole(position) else _whole(position) + 1
        stale = 0 if fresh else stale + 1
        if stale > MOST_STALE:
            return  # it repeats itself, whatever it is asked
        found = [Found(public(url), url, f"r/{name}") for post in fresh for url in picture_urls(post)]
        yield Page(found, cursor={"from": after, "after": position})


def picture_urls(post: Post) -> list[str]:
    """The pictures of a post: those of its gallery, else what it links to, else its preview.

    None for a post that was deleted later. Whatever may be null or absent is.
    """
    if _dict(post.get("_meta")).get("was_deleted_later"):
        return []
    for candidates in (_gallery(post), _link(post), _preview(post)):
        urls = []
        for text in candidates:
            try:
                urls.append(cleaned(html.unescape(text)))
            except ValueError:
                continue
        if urls:
            return list(dict.fromkeys(urls))
    return []


def checked_time(text: str) -> str:
    """A time as the archive takes it. Raises UsageError for what is none."""
    from datetime import datetime

    if not text or text.isdigit() or _AGO.fullmatch(text):
        return text
    try:
        datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"{text!r} is no time", "write a date (2024-01-31), seconds since 1970, or an age (30d)"
        ) from None
    return text


def _gallery(post: Post) -> list[str]:
    media = _dict(post.get("media_metadata"))
    items = _dict(post.get("gallery_data")).get("items")
    urls = []
    for item in items if isinstance(items, list) else []:
        entry = _dict(media.get(str(_dict(item).get("media_id"))))
        if entry.get("status") == "valid" and entry.get("e") == "Image":
            urls.append(_dict(entry.get("s")).get("u"))
    return [url for url in urls if isinstance(url, str)]


def _link(post: Post) -> list[str]:
    for name in ("url_overridden_by_dest", "url"):
        url = post.get(name)
        if not isinstance(url, str):
            continue
        try:
            parts = urlsplit(url)
        except ValueError:
            continue
        suffix = os.path.splitext(parts.path)[1].lower().encode("utf-8", "replace")
        if suffix in SUFFIXES or parts.hostname == _IMAGE_HOST:
            return [url]
    return []


def _preview(post: Post) -> list[str]:
    images = _dict(post.get("preview")).get("images")
    first = images[0] if isinstance(images, list) and images else None
    url = _dict(_dict(first).get("source")).get("url")
    return [url] if isinstance(url, str) else []


def _created(post: Post) -> int:
    try:
        return int(float(post.get("created_utc") or 0))
    except (TypeError, ValueError, OverflowError):
        return 0


def _whole(position: str | int) -> int:
    """The cursor as a number; one that was given as a date is before every post that comes."""
    return int(position) if str(position).isdigit() and int(position) < 10**11 else 0


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


class _Archive:
    """Asks the archive as often as it likes to be asked."""

    def __init__(self, session: Session, base: str, rng: random.Random) -> None:
        self._session = session
        self._base = base.rstrip("/")
        self._rng = rng
        self._next = 0.0
        self._slowed = 0

    async def posts(self, query: dict[str, str]) -> list[Post]:
        problem = ""
        for attempt in range(ATTEMPTS):
            limit = _SMALLER[min(self._slowed, len(_SMALLER) - 1)]
            await asyncio.sleep(max(0.0, self._next - time.monotonic()))
            self._next = time.monotonic() + BETWEEN
            answer = await self._ask({**query, "limit": limit})
            if isinstance(answer, list):
                return [post for post in answer if isinstance(post, dict)]
            problem, slow_down = answer
            self._slowed += slow_down
            self._next = max(self._next, time.monotonic() + backoff(attempt + 1, self._rng))
        raise ShoeboxError(
            f"{host_of(self._base)} does not give the posts ({problem})",
            "try again later: what came so far is kept, and the same command goes on from there",
        )

    async def _ask(self, query: dict[str, str]) -> list[Any] | tuple[str, bool]:
        """The posts, or what is wrong for now, and whether a smaller request may help."""
        try:
            async with self._session.get(f"{self._base}/api/posts/search?{urlencode(query)}") as answer:
                wait = asked_to_wait(answer.headers, answer.status)
                if wait is not None:
                    self._next = max(self._next, time.monotonic() + min(wait, LONGEST_WAIT))
                text = bytearray()
                async for data in answer.body:
                    text += data
                    if len(text) > _MOST_BYTES:
                        return "its answer is too long", True
        except AddressRefusedError as error:
            raise ShoeboxError(str(error), "set the archive in the settings, or use --allow-private") from error
        except UnknownHostError as error:
            return str(error), False
        except (httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.ProxyError):
            return "it cannot be reached", False
        return _posts_in(bytes(text), answer.status)


def _posts_in(text: bytes, status: int) -> list[Any] | tuple[str, bool]:
    try:
        envelope = _dict(json.loads(text))
    except (ValueError, RecursionError):
        envelope = {}
    data, error = envelope.get("data"), str(envelope.get("error") or "")
    if status == 200 and isinstance(data, list):
        return data
    if status in (422, 429, 408) or status >= 500 or status == 200:
        slow = status == 422 or "slow down" in error.lower() or "timeout" in error.lower()
        return error[:200] or f"it answers {status}", slow
    raise ShoeboxError(
        f"the archive refuses to list the posts ({error[:200] or status})", "check the name, --after and --before"
    )
