"""Where an export goes: a new folder outside every source, written aside and renamed when whole."""

from __future__ import annotations

import contextlib
import datetime
import errno
import itertools
import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.catalog.paths import shown
from core.errors import ShoeboxError, UsageError
from core.export.marker import write_marker
from core.export.names import MAX_BYTES, safe_name
from core.project import Project

RESERVE_BYTES = 16_000_000
"""Left free on the disk, whatever else is written."""
_BLOCK = 4096
_OTHERS = "choose another folder with --output DIR"


@dataclass
class NewFolder:
    """`folder` is what to write into; `final` what it became once whole."""

    folder: Path
    final: Path | None = None


def choose_target(output: str | None, working_directory: str, roots: Sequence[bytes], *, name: bytes) -> Path:
    """The folder to be made, absolute: `output`, or `NAME-DATE`.

    The default lies in the working directory, or in the nearest folder above it that no source holds. Raises
    UsageError where `output` lies in a source, by whatever link.
    """
    if output is not None:
        target = Path(os.path.normpath(os.path.join(working_directory, output)))
        root = _holding_root(target, roots)
        if root is not None:
            raise UsageError(
                f"{shown(os.fsencode(target))} lies in {shown(root)}, where the pictures are",
                f"nothing is written there: {_OTHERS}",
            )
        return target
    here = Path(os.path.normpath(working_directory))
    ending = f"-{datetime.date.today().isoformat()}"
    dated = safe_name(name, fallback="pictures", max_bytes=MAX_BYTES - len(ending)) + ending
    for folder in (here, *here.parents):
        if _holding_root(folder / dated, roots) is None:
            return folder / dated
    raise UsageError("every folder here is a source of pictures", _OTHERS)


def check_space(target: Path, sizes: Sequence[int]) -> None:
    """Raises ShoeboxError, with the numbers, where files of these sizes in bytes do not fit beside `target`."""
    needed = sum(-(-size // _BLOCK) * _BLOCK for size in sizes) + RESERVE_BYTES
    free = shutil.disk_usage(_existing_parent(target)).free
    if needed > free:
        raise ShoeboxError(
            f"the export takes {_megabytes(needed)} and {_megabytes(free)} are free in {_existing_parent(target)}",
            "free some space, choose another disk with --output DIR, or use --mode hardlink or symlink",
        )


@contextlib.contextmanager
def new_folder(target: Path, project: Project) -> Iterator[NewFolder]:
    """A folder to write into, which becomes `target` when the block ends well.

    Where `target` exists it becomes `target-2` and so on: nothing is ever overwritten. A block that ends in an
    error leaves nothing of it. An OSError, a full disk say, is told as a ShoeboxError.
    """
    new: NewFolder | None = None
    try:
        new = NewFolder(_make_staging(target))
        write_marker(new.folder, project)
        yield new
        new.final = _rename_to_free_name(new.folder, target)
    except OSError as error:
        raise ShoeboxError(
            f"cannot write the export {shown(os.fsencode(target))} ({error.strerror or error})",
            f"nothing of it was left; free some space or mend the permissions, or {_OTHERS}",
        ) from error
    finally:
        if new is not None and new.final is None:
            shutil.rmtree(new.folder, ignore_errors=True)


def _make_staging(target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    ending = f".partial-{secrets.token_hex(4)}"
    staging = target.parent / f".{_shortened(target.name, MAX_BYTES - len(ending) - 1)}{ending}"
    staging.mkdir()
    return staging


def _rename_to_free_name(staging: Path, target: Path) -> Path:
    for number in itertools.count(1):
        candidate = target.parent / (target.name if number == 1 else _numbered(target.name, number))
        try:
            candidate.mkdir()  # the name is ours from here on: rename alone would replace another's empty folder
            staging.rename(candidate)
        except OSError as error:
            # Not empty: somebody put something into it between the two.
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                raise
        else:
            break
    return candidate


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
