"""How each source of a download is asked for its pictures: settled before the first of them."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from core.catalog import downloads, sources
from core.catalog.sources import Source
from core.errors import ShoeboxError
from core.sources.found import Locate, Request
from core.sources.urls import host_of

if TYPE_CHECKING:
    from core.catalog.database import Database
    from core.project import Project
    from core.settings import Settings
    from core.sources.bucket import Bucket
    from core.sources.pace import Pace
    from core.sources.session import Session

REMEMBERED = ("after", "before", "limit", "sample", "endpoint", "region", "anonymous")
"""What of a job's `params["source"]` stays with the source until something else is asked; 0 or "" takes it back."""
LOOKED_AT = 1000

Asked = Mapping[str, Any]
Secrets = dict[tuple[int, str], str]
"""By source and URL the address with its secrets: they stay in memory, every run reads them from the list anew."""


class Way:
    """How the pictures of a source are asked for."""

    def __init__(self, source: Source, locate: Locate, bucket: Bucket | None = None) -> None:
        self.source = source
        self.bucket = bucket
        self._locate = locate

    def locate(self, url: str) -> Request:
        """The request for a picture of the source."""
        return self._locate(url)

    def use(self, bucket: Bucket) -> None:
        """Another region of the same bucket."""
        self.bucket = bucket
        self._locate = bucket.locate


def remember_options(db: Database, source: Source, asked: Asked) -> Source:
    """The source with what is asked of it now in place of what was asked before."""
    given = {name: asked[name] for name in REMEMBERED if asked.get(name) is not None}
    if not given:
        return source
    options = {name: value for name, value in (source.options | given).items() if value}
    return _with_options(db, source, options)


def prepared(db: Database, project: Project, source: Source, asked: Asked, settings: Settings) -> Source:
    """The source as it is asked for now; what is worth another try is waiting again."""
    source = remember_options(db, source, asked)
    downloads.try_again(
        db,
        source.id,
        failed=bool(asked.get("retry_failed")),
        allow_private=bool(asked.get("allow_private")),
        max_bytes=settings.max_file_mb * 1_000_000,
    )
    _look_for_files(db, project, source)
    return source


def way_to(source: Source, environment: Mapping[str, str], secrets: Secrets) -> Way:
    """How the source is asked. Raises UsageError where it is not said well where a bucket is."""
    if source.kind != "bucket":
        return Way(source, lambda url: Request(secrets.get((source.id, url), url)))
    from core.sources.bucket import open_bucket

    bucket = open_bucket(
        os.fsdecode(source.root),
        environment,
        endpoint=str(source.options.get("endpoint", "")),
        region=str(source.options.get("region", "")),
        anonymous=bool(source.options.get("anonymous")),
    )
    return Way(source, bucket.locate, bucket)


async def open_way(
    db: Database, way: Way, session: Session, pace: Pace, environment: Mapping[str, str], settings: Settings
) -> None:
    """A bucket is looked at before anything is asked of it; unlike a web server it is made for many requests."""
    if way.bucket is None:
        return
    from core.sources.bucket import public_address, settled

    _require_keys(db, way)
    if public := public_address(os.fsdecode(way.source.root), environment):
        way.source = _with_options(db, way.source, way.source.options | {"public": public})
    way.use(await settled(session, way.bucket))
    pace.allow(host_of(way.bucket.endpoint), settings.downloads)


def session_for(
    ways: Mapping[int, Way], settings: Settings, environment: Mapping[str, str], *, allow_private: bool
) -> Session:
    """The connections. What the user named (endpoints, the archive) may be anywhere."""
    from urllib.parse import urlsplit

    from core.sources.session import Session

    trusted = [way.bucket.host for way in ways.values() if way.bucket is not None]
    archive = urlsplit(settings.reddit_archive)
    if any(way.source.kind == "reddit" for way in ways.values()) and archive.hostname:
        trusted.append((archive.hostname, archive.port or (443 if archive.scheme == "https" else 80)))
    return Session(
        allow_private=allow_private,
        trusted=trusted,
        connections=2 * settings.downloads + 2,
        environment=environment,
    )


def _look_for_files(db: Database, project: Project, source: Source) -> None:
    """What was deleted from the downloads is downloaded again."""
    root, last = os.fsencode(project.downloads), 0
    while page := downloads.places(db, source.id, after=last, limit=LOOKED_AT):
        gone = [image for image, path in page if not os.path.exists(os.path.join(root, path))]
        if gone:
            downloads.lose(db, gone)
        last = page[-1][0]


def _require_keys(db: Database, way: Way) -> None:
    """A job that is resumed without a client has no keys: it waits for one that brings them."""
    assert way.bucket is not None
    options = way.source.options
    if way.bucket.signed and not options.get("signed"):
        way.source = _with_options(db, way.source, options | {"signed": True})
    elif options.get("signed") and not (way.bucket.signed or options.get("anonymous")):
        raise ShoeboxError(
            f"the keys of {os.fsdecode(way.source.root)} are not here",
            "run the same command again where AWS_ACCESS_KEY_ID or R2_ACCESS_KEY_ID is set",
        )


def _with_options(db: Database, source: Source, options: dict[str, Any]) -> Source:
    sources.set_options(db, source.id, options)
    return dataclasses.replace(source, options=options)
