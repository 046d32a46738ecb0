"""Where pictures may come from, as a user types it; and the folders around a path."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

from core.catalog.paths import shown
from core.errors import ShoeboxError
from core.sources.folder import FoundFile, walk
from core.sources.places import LIST_SUFFIX, list_files, names_remote

MOST_FOLDERS = 2000
"""Folders listed of one folder; to the others one types the way."""
MOST_COUNTED = 200_000
"""Pictures counted below a folder before it is said that there are more."""


@dataclass(frozen=True, slots=True)
class Listing:
    """The folders in a folder, in order, and how many there are in all."""

    path: bytes
    folders: tuple[bytes, ...]
    more: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True)
class Count:
    """Pictures below a folder, `size` bytes in all. `complete` is False where counting was ended before its end."""

    pictures: int
    size: int
    complete: bool
    first: tuple[bytes, ...]
    """Paths of a few of them, spread over what was seen."""
    error: str = ""
    lists: bool = False
    """Whether there are lists of URLs, should there be no picture."""


def names_source(text: str, base: bytes = b"") -> str:
    """What is typed, where it names something that is downloaded: a list's absolute path, or as it stands; else "".

    Lists are files here; folders of lists are found as folders.
    """
    text = text.strip()
    if names_remote(text) or text.startswith(("http://", "https://")):
        return text
    path = expanded(text, base)
    return os.fsdecode(path) if text.lower().endswith(LIST_SUFFIX) and os.path.isfile(path) else ""


def expanded(text: str, base: bytes = b"") -> bytes:
    """The path that is typed: ~ opened, relative to `base`, without a slash at the end."""
    path = os.path.expanduser(os.fsencode(text))  # noqa: PTH111 - bytes
    return os.path.normpath(os.path.join(base or os.fsencode(os.getcwd()), path))


def list_folders(path: bytes) -> Listing:
    """The folders in `path`, without hidden ones and shoebox's own."""
    try:
        with os.scandir(path) as entries:
            names = [e.name for e in entries if not e.name.startswith(b".") and _is_folder(e)]
    except OSError as error:
        return Listing(path, (), error=error.strerror or str(error))
    names = sorted((n for n in names if not n.endswith(b".shoebox")), key=bytes.lower)
    return Listing(path, tuple(names[:MOST_FOLDERS]), more=max(len(names) - MOST_FOLDERS, 0))


def completion(text: str) -> str | None:
    """The typed path made longer by what all folders that begin so have in common; None where that is nothing."""
    folder, _, start = text.rpartition("/")
    if not text or names_remote(text) or (text.startswith("~") and "/" not in text):
        return None
    listing = list_folders(expanded(folder + "/"))
    names = [shown(n) for n in listing.folders if n.startswith(os.fsencode(start))]
    if not names:
        return None
    common = os.path.commonprefix(names)  # noqa: RUF071 - of names, not paths
    whole = (folder + "/" if "/" in text else "") + common + ("/" if len(names) == 1 else "")
    return whole if whole != text else None


def count_pictures(
    path: bytes, *, stop: Callable[[], bool], tell: Callable[[Count], None] = lambda _: None, shown_first: int = 6
) -> Count:
    """Counts the pictures below a folder, as a scan would find them; `tell` hears of it now and then."""
    first: list[bytes] = []
    number = size = 0
    told = time.monotonic()
    try:
        for found in walk(path):
            if not isinstance(found, FoundFile):
                continue
            number += 1
            size += found.size
            if len(first) < shown_first:
                first.append(os.path.join(path, found.path))
            if number >= MOST_COUNTED or stop():
                return Count(number, size, False, tuple(first))
            if number % 256 == 0 and time.monotonic() - told > 0.25:
                told = time.monotonic()
                tell(Count(number, size, False, tuple(first)))
    except ShoeboxError as error:
        return Count(number, size, False, tuple(first), error=error.what)
    return Count(number, size, True, tuple(first), lists=not number and bool(list_files(os.fsdecode(path))))


def _is_folder(entry: os.DirEntry[bytes]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False
