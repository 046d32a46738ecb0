"""The job `download`: lists the sources that are downloaded, and brings their pictures.

All of it happens in one event loop in one thread of its own, so that an embedding can go on beside it. What came is
recorded at once: a killed worker asks again for what was on its way, and for nothing else.
"""

from __future__ import annotations

import asyncio
import dataclasses
import errno
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from core.catalog import downloads, sources
from core.catalog.sources import Source
from core.errors import CancelledError, ShoeboxError
from core.jobs.download_listing import Listing
from core.jobs.download_queue import TICK_SECONDS, DownloadProgress, Queue, Recorder
from core.jobs.download_ways import Secrets, open_way, prepared, session_for, way_to
from core.sources.places import REMOTE
from core.sources.urls import redacted

if TYPE_CHECKING:
    from core.jobs.context import JobContext
    from core.sources.fetch import Fetcher

Params = dict[str, Any]


def download_job(context: JobContext, params: Params) -> dict[str, Any]:
    """Downloads what the project's sources list, and embeds none of it; gives counts as data."""
    with downloading(context, params) as bringing:
        if bringing is None:
            raise ShoeboxError("no source of this project is downloaded", "shoebox embed reads its folders")
        while not bringing.over():
            context.checkpoint()
            context.progress(bringing.progress())
            time.sleep(TICK_SECONDS)
        context.progress(bringing.progress(), now=True)
        bringing.check()
        return {"downloads": bringing.result()}


@contextmanager
def downloading(context: JobContext, params: Params) -> Iterator[Downloads | None]:
    """Downloads in the background, stopped at the end; None where no source is downloaded."""
    with context.project.database() as db:
        remote = [source for source in sources.all_sources(db) if source.kind in REMOTE]
    if not remote:
        yield None
        return
    bringing = Downloads(context, remote, params.get("source") or {})
    bringing.start()
    try:
        yield bringing
    finally:
        bringing.stop()


class Downloads:
    """A thread that downloads; the others ask how far it is."""

    def __init__(self, context: JobContext, remote: list[Source], asked: Params) -> None:
        self._context = context
        self._sources = remote
        self._asked = asked
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="download", daemon=True)
        self._over = threading.Event()
        self._error: BaseException | None = None
        self._progress = DownloadProgress()
        self._number = 0

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def stop(self) -> None:
        """Ends it after what is at hand is recorded, and waits for that."""
        self._stop.set()
        self._thread.join()

    def number(self) -> int:
        """Pictures that came and were not there before."""
        return self._number

    def over(self) -> bool:
        """Whether no more will come."""
        return self._over.is_set()

    def check(self) -> None:
        """Raises what ended it too early."""
        if self._error is not None:
            raise self._error

    def progress(self) -> dict[str, Any]:
        """How far it is, as plain data."""
        return dataclasses.asdict(self._progress)

    def result(self) -> dict[str, Any]:
        """What it came to."""
        with self._context.project.database() as db:
            counts = downloads.counts(db)
        told = self._progress
        return {
            "downloaded": told.done,
            "new": self._number,
            "repeated": told.repeated,
            "failed": told.failed,
            "refused": told.refused,
            "megabytes": told.megabytes,
            "bad_lines": told.bad_lines,
            "bad": told.bad,
            "reasons": dict(told.reasons),
            "in_all": dataclasses.asdict(counts),
        }

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except asyncio.CancelledError:
            pass
        except BaseException as error:
            self._error = error
        finally:
            self._progress.listing = False
            self._over.set()

    async def _main(self) -> None:
        main = asyncio.ensure_future(self._bring())
        while not main.done():
            if self._stop.is_set() or self._context.cancelled():
                main.cancel()
            await asyncio.wait([main], timeout=TICK_SECONDS)
        await main

    async def _bring(self) -> None:
        from core.sources.fetch import Fetcher
        from core.sources.pace import Pace
        from core.sources.store import Store

        context, secrets = self._context, Secrets()
        project, settings, environment = context.project, context.settings, context.environment
        # A power cut may undo the last records, never a file; those URLs are then asked for once more.
        with project.database(durable=False) as db:
            found = [prepared(db, project, source, self._asked, settings) for source in self._sources]
            self._progress.total = downloads.counts(db).waiting
            ways = {source.id: way_to(source, environment, secrets) for source in found}
            allow_private = bool(self._asked.get("allow_private"))
            async with session_for(ways, settings, self._context.environment, allow_private=allow_private) as session:
                pace = Pace(settings.downloads_per_host)
                fetcher = Fetcher(
                    session,
                    Store(project.downloads),
                    pace,
                    max_bytes=settings.max_file_mb * 1_000_000,
                    seed=settings.seed,
                )
                for way in ways.values():
                    await open_way(db, way, session, pace, environment, settings)
                queue = Queue(db, ways, per_host=settings.downloads_per_host, most=settings.downloads, held=pace.held)
                recorder = Recorder(db, self._progress, self._came)
                listing = Listing(db, session, settings, secrets, queue, self._progress, self._unpaused)
                meter = asyncio.ensure_future(self._meter(fetcher))
                try:
                    async with asyncio.TaskGroup() as group:
                        group.create_task(listing.run(list(ways.values())))
                        for _ in range(max(1, settings.downloads)):
                            group.create_task(self._work(queue, fetcher, recorder))
                except* CancelledError as errors:
                    raise errors.exceptions[0] from None
                except* ShoeboxError as errors:
                    raise _first(errors) from None
                except* OSError as errors:
                    raise _disk_error(_first(errors), project.downloads) from None
                finally:
                    meter.cancel()
                    recorder.flush()
                    self._measure(fetcher)
                self._error = listing.error

    async def _work(self, queue: Queue, fetcher: Fetcher, recorder: Recorder) -> None:
        while True:
            await self._unpaused()
            item = await queue.take()
            if item is None:
                return
            try:
                outcome = await fetcher.fetch(item.waiting.url, item.locate)
            finally:
                queue.done(item)
            recorder.record(item.waiting, outcome)

    async def _unpaused(self) -> None:
        while self._context.control.paused.is_set():
            await asyncio.sleep(TICK_SECONDS)

    def _came(self) -> None:
        self._number += 1

    async def _meter(self, fetcher: Fetcher) -> None:
        from core.embedding.progress import RateMeter

        meter = RateMeter()
        while True:
            self._measure(fetcher)
            self._progress.pictures_per_second = round(meter.update(self._progress.done), 2)
            await asyncio.sleep(TICK_SECONDS)

    def _measure(self, fetcher: Fetcher) -> None:
        self._progress.megabytes = round(fetcher.received / 1e6, 3)


def _first(errors: BaseExceptionGroup[Any]) -> BaseException:
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _disk_error(error: BaseException, folder: os.PathLike[str]) -> ShoeboxError:
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        what = f"the disk is full: cannot write {os.fspath(folder)}"
        return ShoeboxError(what, "free some space and run again: what was done so far is kept")
    return ShoeboxError(
        f"cannot write {os.fspath(folder)} ({redacted(str(error))})", "check the disk and its permissions"
    )
