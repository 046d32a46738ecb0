"""Downloads by the functions that the job uses."""

import asyncio
from pathlib import Path
from typing import Any

from core.sources.fetch import Fetcher
from core.sources.found import Request
from core.sources.pace import Pace
from core.sources.session import READ_SECONDS, Session
from core.sources.store import Store


def fetch_all(
    folder: Path,
    urls: list[str],
    *,
    max_bytes: int = 20_000_000,
    allow_private: bool = False,
    trusted: list[tuple[str, int]] | None = None,
    patience: float = READ_SECONDS,
) -> dict[str, Any]:
    """What became of every URL, a Stored or a Failure; all of them at once."""

    async def all_of_them():
        async with Session(allow_private=allow_private, trusted=trusted or [], patience=patience) as session:
            fetcher = Fetcher(session, Store(folder / "store"), Pace(6), max_bytes=max_bytes, attempts=3)
            return await asyncio.gather(*(fetcher.fetch(url, Request) for url in urls))

    return dict(zip(urls, asyncio.run(all_of_them()), strict=True))


def stored_files(folder: Path) -> list[Path]:
    """Every file of the store, half ones and all."""
    return [path for path in (folder / "store").rglob("*") if path.is_file()]
