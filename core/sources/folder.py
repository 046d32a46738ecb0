"""Pictures of a folder and everything below it."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass

from core.errors import ShoeboxError
from core.imaging.formats import looks_like_picture

EXPORT_MARKER = b".shoebox-export"
"""A folder that holds a file of this name was written by shoebox, and is not walked."""


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file that looks like a picture. `path` is relative to the root; size in bytes, mtime in nanoseconds."""

    path: bytes
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A folder that could not be listed, or a file not looked at: what is there is unknown, not gone.

    `path` is relative to the root; a folder's ends in a slash.
    """

    path: bytes
    reason: str


_NOT_THERE = frozenset((errno.ENOENT, errno.ENOTDIR, errno.ELOOP))
"""What a broken link says, a link that leads to itself, and a file that is gone since it was listed."""
_LATEST_NS = 2**63 - 1
"""The catalog's integers end in the year 2262; a file system's times do not."""


def walk(root: bytes) -> Iterator[FoundFile | Unreadable]:
    """Yields the pictures below `root` in the order of their paths' bytes, and there too what cannot be read.

    Skips hidden files and folders, projects and exports of shoebox. Links are followed, but every folder is
    entered once: one that a link leads to from inside `root` is found where it lies. Raises ShoeboxError where
    the root itself cannot be listed.
    """
    try:
        root_stat = os.stat(root)
        entries = list(os.scandir(root))
    except OSError as error:
        raise ShoeboxError(
            f"cannot list {os.fsdecode(root)!r} ({error.strerror})", "check the path and its permissions"
        ) from error
    real_root = os.path.join(os.path.realpath(root), b"")
    entered = {(root_stat.st_dev, root_stat.st_ino)}
    stack = [(b"", _in_order(entries))]  # a stack of its own: trees can be deeper than Python recurses
    while stack:
        folder, rest = stack[-1]
        entry, is_folder = next(rest, (None, False))
        if entry is None:
            stack.pop()
            continue
        path = os.path.join(folder, entry.name)
        try:
            found = entry.stat()
        except OSError as error:
            if error.errno not in _NOT_THERE:
                yield Unreadable(_with_slash(path, is_folder), error.strerror or str(error))
            continue
        if not is_folder:
            if stat.S_ISREG(found.st_mode):
                yield FoundFile(path, found.st_size, max(-_LATEST_NS, min(found.st_mtime_ns, _LATEST_NS)))
            continue
        inode = (found.st_dev, found.st_ino)
        if inode in entered or (entry.is_symlink() and os.path.realpath(entry.path).startswith(real_root)):
            continue
        entered.add(inode)
        try:
            entries = list(os.scandir(entry.path))
        except OSError as error:
            if error.errno not in _NOT_THERE:
                yield Unreadable(_with_slash(path, is_folder), error.strerror or str(error))
            continue
        if not any(e.name == EXPORT_MARKER for e in entries):
            stack.append((path, _in_order(entries)))


def _in_order(entries: list[os.DirEntry[bytes]]) -> Iterator[tuple[os.DirEntry[bytes], bool]]:
    """The folders and likely pictures among `entries`, each with whether it is a folder."""
    kept = []
    for entry in entries:
        if entry.name.startswith(b".") or entry.name.endswith(b".shoebox"):
            continue
        try:
            is_folder = entry.is_dir()
        except OSError:
            is_folder = not looks_like_picture(entry.name)  # the walk asks again, and says why not
        if is_folder or looks_like_picture(entry.name):
            kept.append((entry, is_folder))
    return iter(sorted(kept, key=_path_order))


def _path_order(kind: tuple[os.DirEntry[bytes], bool]) -> bytes:
    # A folder sorts as its paths do, with the slash: then the walk as a whole is in the order of path bytes.
    entry, is_folder = kind
    return _with_slash(entry.name, is_folder)


def _with_slash(path: bytes, is_folder: bool) -> bytes:
    return path + b"/" if is_folder else path
