"""Where an export goes: a new folder outside every source, written aside and renamed when whole."""

from __future__ import annotations

import contextlib
import datetime
import errno
import fcntl
import itertools
import os
import re
import secrets
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.catalog.paths import shown
from core.errors import ShoeboxError, UsageError
from core.export.marker import is_marked, write_marker
from core.export.names import MAX_BYTES, safe_name
from core.project import Project

RESERVE_BYTES = 16_000_000
"""Left free on the disk, whatever else is written."""
_BLOCK = 4096
_OTHERS = "choose another folder with --output DIR"
_ASIDE = re.compile(r"\..+\.partial-[0-9a-f]{8}", re.DOTALL)


@dataclass
class NewFolder:
    """`folder` is what to write into; `final` what it became once whole."""

    folder: Path
    final: Path | None = None


def choose_target(output: str | None, working_directory: str, roots: Sequence[bytes], *, name: bytes) -> Path:
    """The folder to be made, absolute: `output`, or `NAME-DATE`.

    The default lies in the working directory, or in the nearest folder above it that no source holds. Raises
    UsageError where `output` lies in a source, by whatever link, or holds anything: a program that reads what it asked
    for would find what was there before.
    """
    if output is not None:
        target = Path(os.path.normpath(os.path.join(working_directory, output)))
        root = _holding_root(target, roots)
        if root is not None:
            raise UsageError(
                f"{shown(os.fsencode(target))} lies in {shown(root)}, where the pictures are",
                f"nothing is written there: {_OTHERS}",
            )
        if not _is_free(target):
            raise UsageError(f"{shown(os.fsencode(target))} is there already", f"nothing is written over: {_OTHERS}")
        return target
    here = Path(os.path.normpath(working_directory))
    ending = f"-{datetime.date.today().isoformat()}"
    dated = safe_name(name, fallback="pictures", max_bytes=MAX_BYTES - len(ending)) + ending
    for folder in (here, *here.parents):
        if _holding_root(folder / dated, roots) is None:
            return folder / dated
    raise UsageError("every folder here is a source of pictures", _OTHERS)


@contextlib.contextmanager
def new_folder(target: Path, project: Project, sizes: Sequence[int]) -> Iterator[NewFolder]:
    """A folder to write files of these `sizes` in bytes into, which becomes `target` when the block ends well.

    Where `target` holds anything by then it becomes `target-2` and so on: nothing is ever overwritten. A block that
    ends in an error leaves nothing of it; what an export left that was killed goes with the next one beside it. Too
    little space is told before any work, an OSError, a full disk say, as it comes: both as a ShoeboxError.
    """
    new: NewFolder | None = None
    _clear_leftovers(target.parent, project)
    _check_space(target, sizes)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        new = NewFolder(_make_aside(target))
        with _held(new.folder):  # first: whoever sees a marker without the lock may take the folder away
            write_marker(new.folder, project)
            yield new
            _settle(new.folder)
            new.final = _rename_to_free_name(new.folder, target)
            with contextlib.suppress(OSError):  # it is there, whatever the disk says of its name
                _sync(target.parent)
    except OSError as error:
        raise ShoeboxError(
            f"cannot write the export {shown(os.fsencode(target))} ({error.strerror or error})",
            f"nothing of it was left; free some space or mend the permissions, or {_OTHERS}",
        ) from error
    finally:
        if new is not None and new.final is None:
            shutil.rmtree(new.folder, ignore_errors=True)


def _check_space(target: Path, sizes: Sequence[int]) -> None:
    """Raises ShoeboxError, with the numbers, where files of these sizes in bytes do not fit beside `target`."""
    needed = sum(-(-size // _BLOCK) * _BLOCK for size in sizes) + RESERVE_BYTES
    free = shutil.disk_usage(_existing_parent(target)).free
    if needed > free:
        raise ShoeboxError(
            f"the export takes {_megabytes(needed)} and {_megabytes(free)} are free in {_existing_parent(target)}",
            "free some space, choose another disk with --output DIR, or use --mode hardlink or symlink",
        )


def _make_aside(target: Path) -> Path:
    ending = f".partial-{secrets.token_hex(4)}"
    aside = target.parent / f".{_shortened(target.name, MAX_BYTES - len(ending) - 1)}{ending}"
    aside.mkdir()
    return aside


@contextlib.contextmanager
def _held(folder: Path) -> Iterator[bool]:
    """Holds the lock of a folder, which goes with the process; gives False where it is another's, or there are none."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
        else:
            yield True
    finally:
        os.close(opened)


def _clear_leftovers(parent: Path, project: Project) -> None:
    """Removes what exports of this project left in `parent` when they were killed: nobody holds their locks."""
    with contextlib.suppress(OSError):  # a folder may be written to, and not listed
        for entry in list(os.scandir(parent)):
            if _ASIDE.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False) and is_marked(Path(entry), project):
                with _held(Path(entry)) as dead:
                    if dead:
                        shutil.rmtree(entry, ignore_errors=True)


def _settle(folder: Path) -> None:
    """Has the lists and the folders reach the disk, so that a power cut leaves no whole name on half an export.

    Copies of pictures are left to the system: one wait for each would take longer than the copying.
    """
    for entry in os.scandir(folder):
        if entry.is_file(follow_symlinks=False):
            _sync(entry)
    for below, _, _ in os.walk(folder, topdown=False):
        _sync(below)


def _sync(path: str | os.PathLike[str]) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EBADF, errno.ENOTSUP):  # some have none, for folders at least
            raise
    finally:
        os.close(opened)


def _rename_to_free_name(aside: Path, target: Path) -> Path:
    for number in itertools.count(1):
        candidate = target.parent / (target.name if number == 1 else _numbered(target.name, number))
        if not _is_free(candidate):
            continue
        try:
            aside.rename(candidate)
        except OSError as error:
            # Somebody took the name between the two.
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR):
                raise
        else:
            break
    return candidate


def _is_free(path: Path) -> bool:
    """Whether there is nothing, or a folder with nothing in it."""
    if not os.path.lexists(path):
        return True
    return path.is_dir() and not path.is_symlink() and next(os.scandir(path), None) is None


def _numbered(name: str, number: int) -> str:
    ending = f"-{number}"
    return _shortened(name, MAX_BYTES - len(ending)) + ending


def _shortened(name: str, room: int) -> str:
    encoded = os.fsencode(name)
    return name if len(encoded) <= room else encoded[:room].decode("utf-8", "ignore")


def _holding_root(path: Path, roots: Sequence[bytes]) -> bytes | None:
    """The root that holds `path` or is it, if any. Compared by inode: links, mounts and case do not hide it."""
    inodes = {}
    for root in roots:
        with contextlib.suppress(OSError):
            found = os.stat(root)
            inodes[found.st_dev, found.st_ino] = root
    real = os.path.realpath(path)
    while True:
        with contextlib.suppress(OSError):
            found = os.stat(real)
            if (found.st_dev, found.st_ino) in inodes:
                return inodes[found.st_dev, found.st_ino]
        if real == os.path.dirname(real):
            return None
        real = os.path.dirname(real)


def _existing_parent(path: Path) -> Path:
    return next(folder for folder in path.parents if os.path.exists(folder))


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"
