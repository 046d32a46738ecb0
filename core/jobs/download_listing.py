"""Lists what the sources of a download have, and records it: what was listed is known, whatever comes next."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any

from core.catalog import downloads, sources
from core.catalog.sources import Source
from core.errors import ShoeboxError
from core.jobs.download_queue import DownloadProgress, Queue
from core.sources.found import BadLine, Found, Page, evenly

if TYPE_CHECKING:
    from core.catalog.database import Database
    from core.jobs.download_ways import Secrets, Way
    from core.settings import Settings
    from core.sources.session import Session

MOST_TOLD = 20
"""Bad lines that are named; all are counted."""


class Listing:
    """Lists one source after the other. `unpaused` is waited for between two pages."""

    def __init__(
        self,
        db: Database,
        session: Session,
        settings: Settings,
        secrets: Secrets,
        queue: Queue,
        progress: DownloadProgress,
        unpaused: Callable[[], Awaitable[None]],
    ) -> None:
        self._db = db
        self._session = session
        self._settings = settings
        self._secrets = secrets
        self._queue = queue
        self._progress = progress
        self._unpaused = unpaused
        self.error: ShoeboxError | None = None
        """Why a source was not listed to its end; what was listed before is downloaded all the same."""

    async def run(self, ways: list[Way]) -> None:
        """Lists them all."""
        try:
            for way in ways:
                try:
                    await self._list(way)
                except ShoeboxError as error:
                    self.error = self.error or error
        finally:
            self._progress.listing = False
            self._queue.listed()

    async def _list(self, way: Way) -> None:
        source = way.source
        limit, sample = int(source.options.get("limit", 0)), int(source.options.get("sample", 0))
        # A list is read to its end in any case, for its tags and its secrets.
        to_the_end = source.kind == "urls"
        if sample:
            room = min(sample, limit or sample) - downloads.number(self._db, source.id)
            if room > 0 or to_the_end:
                await self._list_sample(way, max(room, 0))
                self._queue.look()
            return
        async for page in self._pages(way):
            room = limit - downloads.number(self._db, source.id) if limit else len(page.found)
            if limit and room <= 0 and not to_the_end:
                return
            self._tell_bad(page.bad)
            whole = self._record(source, page.found, room if limit else None, page.cursor)
            self._queue.look()
            if not whole and not to_the_end:
                return
            await asyncio.sleep(0)

    async def _list_sample(self, way: Way, room: int) -> None:
        """The whole listing first: what is evenly spaced over it is known at its end."""
        known = downloads.known(self._db, way.source.id)
        fresh: dict[str, Found] = {}
        async for page in self._pages(way):
            self._tell_bad(page.bad)
            self._remember_secrets(way.source, page.found)
            fresh |= {found.url: found for found in page.found if found.url not in known and found.url not in fresh}
            await asyncio.sleep(0)
        # No cursor: what the sample leaves out is still to come, should all be wanted later.
        self._record(way.source, evenly(list(fresh.values()), room), None, None)

    async def _pages(self, way: Way) -> AsyncIterator[Page]:
        source = way.source
        root = os.fsdecode(source.root)
        if source.kind == "urls":
            from core.sources.lists import read_lists

            for page in read_lists(root):
                await self._unpaused()
                yield page
            return
        if source.kind == "reddit":
            from core.sources.reddit import list_subreddit

            listing = list_subreddit(
                self._session,
                root.removeprefix("reddit:"),
                archive=self._settings.reddit_archive,
                after=str(source.options.get("after", "")),
                before=str(source.options.get("before", "")),
                cursor=sources.cursor(self._db, source.id),
                seed=self._settings.seed,
            )
        else:
            from core.sources.bucket import list_bucket

            assert way.bucket is not None
            listing = list_bucket(self._session, way.bucket, seed=self._settings.seed)
        async for page in listing:
            yield page
            await self._unpaused()

    def _record(self, source: Source, found: list[Found], room: int | None, cursor: Any) -> bool:
        """Records what was listed, `room` of it at most; gives whether there was room for all of it.

        The cursor moves with it, and only past what was recorded.
        """
        self._remember_secrets(source, found)
        whole = True
        if room is not None:
            found, whole = self._within(source, found, room)
        with self._db.transaction():
            new = downloads.add(self._db, source.id, [(picture.url, picture.tag) for picture in found])
            if whole and cursor is not None:
                sources.set_cursor(self._db, source.id, cursor)
        self._progress.total += new
        self._progress.repeated += len(found) - new
        return whole

    def _within(self, source: Source, found: list[Found], room: int) -> tuple[list[Found], bool]:
        if len(found) <= room:
            return found, True
        known = downloads.known(self._db, source.id)
        kept: list[Found] = []
        for picture in found:
            if picture.url not in known:
                if room <= 0:
                    return kept, False
                room -= 1
                known.add(picture.url)
            kept.append(picture)
        return kept, True

    def _remember_secrets(self, source: Source, found: list[Found]) -> None:
        for picture in found:
            if picture.address and picture.address != picture.url:
                self._secrets[source.id, picture.url] = picture.address

    def _tell_bad(self, bad: list[BadLine]) -> None:
        self._progress.bad_lines += len(bad)
        self._progress.bad += [str(line) for line in bad[: MOST_TOLD - len(self._progress.bad)]]
