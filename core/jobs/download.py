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
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from core.catalog import downloads, sources
from core.catalog.sources import Source
from core.errors import CancelledError, ShoeboxError
from core.jobs.download_queue import TICK_SECONDS, DownloadProgress, Queue, Recorder, Way
from core.sources.found import BadLine, Found, Page, Request, evenly
from core.sources.places import REMOTE
from core.sources.urls import host_of, redacted

if TYPE_CHECKING:
    from core.catalog.database import Database
    from core.jobs.context import JobContext
    from core.sources.fetch import Fetcher
    from core.sources.pace import Pace
    from core.sources.session import Session

REMEMBERED = ("after", "before", "limit", "sample", "endpoint", "anonymous")
"""What of `params["source"]` stays with the source until something else is asked; 0 or "" takes it back."""
MOST_TOLD = 20
"""Bad lines that are named; all are counted."""
LOOKED_AT = 1000

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


def remember_options(db: Database, source: Source, asked: Params) -> Source:
    """The source with what is asked of it now in place of what was asked before."""
    given = {name: asked[name] for name in REMEMBERED if asked.get(name) is not None}
    if not given:
        return source
    options = {name: value for name, value in (source.options | given).items() if value}
    sources.set_options(db, source.id, options)
    return dataclasses.replace(source, options=options)


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
        self._secrets: dict[tuple[int, str], str] = {}
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

        project, settings = self._context.project, self._context.settings
        # A power cut may undo the last records, never a file; those URLs are then asked for once more.
        with project.database(durable=False) as db:
            self._prepare(db)
            ways = {source.id: self._way(source) for source in self._sources}
            trusted = [way.bucket.host for way in ways.values() if way.bucket is not None]
            async with self._session(trusted) as session:
                pace = Pace(settings.downloads_per_host)
                fetcher = Fetcher(
                    session,
                    Store(project.downloads),
                    pace,
                    max_bytes=settings.max_file_mb * 1_000_000,
                    seed=settings.seed,
                )
                for way in ways.values():
                    await self._open(db, way, session, pace)
                queue = Queue(db, ways, per_host=settings.downloads_per_host, most=settings.downloads, held=pace.held)
                recorder = Recorder(db, self._progress, self._came)
                meter = asyncio.ensure_future(self._meter(fetcher))
                try:
                    async with asyncio.TaskGroup() as group:
                        group.create_task(self._list(db, ways, session, queue))
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

    def _session(self, trusted: list[tuple[str, int]]) -> Session:
        from urllib.parse import urlsplit

        from core.sources.session import Session

        settings = self._context.settings
        archive = urlsplit(settings.reddit_archive)
        if any(source.kind == "reddit" for source in self._sources) and archive.hostname:
            trusted = [*trusted, (archive.hostname, archive.port or (443 if archive.scheme == "https" else 80))]
        return Session(
            allow_private=bool(self._asked.get("allow_private")),
            trusted=trusted,
            connections=2 * settings.downloads + 2,
        )

    def _prepare(self, db: Database) -> None:
        for place, source in enumerate(self._sources):
            self._sources[place] = remember_options(db, source, self._asked)
            downloads.try_again(
                db,
                source.id,
                failed=bool(self._asked.get("retry_failed")),
                allow_private=bool(self._asked.get("allow_private")),
                max_bytes=self._context.settings.max_file_mb * 1_000_000,
            )
            self._look_for_files(db, source)
        self._progress.total = downloads.counts(db).waiting

    def _look_for_files(self, db: Database, source: Source) -> None:
        """What was deleted from the downloads is downloaded again."""
        last = 0
        while page := downloads.places(db, source.id, after=last, limit=LOOKED_AT):
            root = os.fsencode(self._context.project.downloads)
            gone = [image for image, path in page if not os.path.exists(os.path.join(root, path))]
            if gone:
                downloads.lose(db, gone)
            last = page[-1][0]

    def _way(self, source: Source) -> Way:
        if source.kind != "bucket":
            secrets = self._secrets
            return Way(source, lambda url: Request(secrets.get((source.id, url), url)))
        from core.sources.bucket import open_bucket

        bucket = open_bucket(
            os.fsdecode(source.root),
            self._context.environment,
            endpoint=str(source.options.get("endpoint", "")),
            anonymous=bool(source.options.get("anonymous")),
        )
        return Way(source, bucket.locate, bucket)

    async def _open(self, db: Database, way: Way, session: Session, pace: Pace) -> None:
        """A bucket is looked at before anything is asked of it; unlike a web server it is made for many requests."""
        if way.bucket is None:
            return
        from core.sources.bucket import settled

        self._require_keys(db, way)
        way.use(await settled(session, way.bucket))
        pace.allow(host_of(way.bucket.endpoint), self._context.settings.downloads)

    async def _list(self, db: Database, ways: dict[int, Way], session: Session, queue: Queue) -> None:
        try:
            for way in ways.values():
                try:
                    await self._list_one(db, way, session, queue)
                except ShoeboxError as error:  # what was listed before is downloaded all the same
                    self._error = self._error or error
        finally:
            self._progress.listing = False
            queue.listed()

    async def _list_one(self, db: Database, way: Way, session: Session, queue: Queue) -> None:
        source = way.source
        limit, sample = int(source.options.get("limit", 0)), int(source.options.get("sample", 0))
        known = downloads.number(db, source.id)
        if sample:
            room = min(sample, limit or sample) - known
            if room <= 0 and source.kind != "urls":
                return
            await self._list_sample(db, way, session, max(room, 0))
            queue.look()
            return
        async for page in self._pages(db, way, session):
            room = limit - downloads.number(db, source.id) if limit else len(page.found)
            if limit and room <= 0 and source.kind != "urls":
                return
            self._tell_bad(page.bad)
            whole = self._record(db, source, page.found, room if limit else None, page.cursor)
            queue.look()
            if not whole and source.kind != "urls":
                return
            await asyncio.sleep(0)

    async def _list_sample(self, db: Database, way: Way, session: Session, room: int) -> None:
        """The whole listing first: what is evenly spaced over it is known at its end."""
        known = downloads.known(db, way.source.id)
        fresh: dict[str, Found] = {}
        async for page in self._pages(db, way, session):
            self._tell_bad(page.bad)
            self._remember_secrets(way.source, page.found)
            fresh |= {found.url: found for found in page.found if found.url not in known and found.url not in fresh}
            await asyncio.sleep(0)
        # No cursor: what the sample leaves out is still to come, should all be wanted later.
        self._record(db, way.source, evenly(list(fresh.values()), room), None, None)

    async def _pages(self, db: Database, way: Way, session: Session) -> AsyncIterator[Page]:
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
                session,
                root.removeprefix("reddit:"),
                archive=self._context.settings.reddit_archive,
                after=str(source.options.get("after", "")),
                before=str(source.options.get("before", "")),
                cursor=sources.cursor(db, source.id),
                seed=self._context.settings.seed,
            )
        else:
            from core.sources.bucket import list_bucket

            assert way.bucket is not None
            listing = list_bucket(session, way.bucket, seed=self._context.settings.seed)
        async for page in listing:
            yield page
            await self._unpaused()

    def _require_keys(self, db: Database, way: Way) -> None:
        """A job that is resumed without a client has no keys: it waits for one that brings them."""
        assert way.bucket is not None
        if way.bucket.signed and not way.source.options.get("signed"):
            sources.set_options(db, way.source.id, way.source.options | {"signed": True})
        elif way.source.options.get("signed") and not (way.bucket.signed or way.source.options.get("anonymous")):
            raise ShoeboxError(
                f"the keys of {os.fsdecode(way.source.root)} are not here",
                "run the same command again where AWS_ACCESS_KEY_ID or R2_ACCESS_KEY_ID is set",
            )

    def _record(self, db: Database, source: Source, found: list[Found], room: int | None, cursor: Any) -> bool:
        """Records what was listed, `room` of it at most; gives whether there was room for all of it.

        The cursor moves with it, and only past what was recorded.
        """
        self._remember_secrets(source, found)
        if room is not None:
            found, whole = self._within(db, source, found, room)
        else:
            whole = True
        with db.transaction():
            new = downloads.add(db, source.id, [(picture.url, picture.tag) for picture in found])
            if whole and cursor is not None:
                sources.set_cursor(db, source.id, cursor)
        self._progress.total += new
        self._progress.repeated += len(found) - new
        return whole

    def _within(self, db: Database, source: Source, found: list[Found], room: int) -> tuple[list[Found], bool]:
        if len(found) <= room:
            return found, True
        known = downloads.known(db, source.id)
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
        """Where a URL has secrets, they stay in memory: every run reads them from the list anew."""
        for picture in found:
            if picture.address and picture.address != picture.url:
                self._secrets[source.id, picture.url] = picture.address

    def _tell_bad(self, bad: list[BadLine]) -> None:
        self._progress.bad_lines += len(bad)
        self._progress.bad += [str(line) for line in bad[: MOST_TOLD - len(self._progress.bad)]]

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
