"""A folder for every cluster: where each picture goes, and putting it there."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from core.catalog.clusterings import Member
from core.errors import PictureError, ShoeboxError
from core.export.contents import Contents
from core.export.names import UniqueNames, cluster_folder, safe_name

UNCLUSTERED_FOLDER = "unclustered"
_BLOCK = 1 << 20
_MIN_DIGITS = 2

_Mode = Callable[[bytes, Path], None]


@dataclass(frozen=True, slots=True)
class Placement:
    """A picture, where it lies (an absolute path), and its place in the export (a relative one)."""

    member: Member
    origin: bytes
    folder: str
    name: str

    @property
    def place(self) -> str:
        """The path in the export, with slashes."""
        return f"{self.folder}/{self.name}"


@dataclass(frozen=True, slots=True)
class Skipped:
    """A picture that could not be taken along, and why."""

    member: Member
    reason: str


@dataclass(frozen=True, slots=True)
class Placed:
    """What was put into folders: the place of each picture by image id, and what was left out."""

    files: dict[int, str] = field(default_factory=dict)
    skipped: list[Skipped] = field(default_factory=list)


def plan_folders(contents: Contents, *, previews_only: bool = False, unclustered: bool = False) -> list[Placement]:
    """Where each picture goes. The same contents give the same names: equal ones are numbered in order of path."""
    digits = max(_MIN_DIGITS, *(len(str(number)) for number in contents.numbers), 0)
    placements: list[Placement] = []
    for group in contents.groups:
        chosen = [group.members[place] for place in group.previews] if previews_only else group.members
        placements += _in_folder(contents, cluster_folder(group.number, group.name, digits), chosen)
    if unclustered:
        placements += _in_folder(contents, UNCLUSTERED_FOLDER, contents.unclustered)
    return placements


def sizes_of(placements: Iterable[Placement]) -> list[int]:
    """The size in bytes of each picture that is still there."""
    sizes = []
    for placement in placements:
        with contextlib.suppress(OSError):
            sizes.append(os.stat(placement.origin).st_size)
    return sizes


def place_pictures(
    folder: Path,
    placements: Sequence[Placement],
    mode: str,
    *,
    progress: Callable[[int, int], None],
    checkpoint: Callable[[], None],
) -> Placed:
    """Puts pictures into `folder` by `mode` (copy, hardlink or symlink).

    A picture that is gone or cannot be read is left out, with the reason. Raises ShoeboxError where the file
    system takes no such link, OSError where it takes no more.
    """
    put = _MODES[mode]
    made: set[str] = set()
    placed = Placed()
    for done, placement in enumerate(placements):
        checkpoint()
        progress(done, len(placements))
        if placement.folder not in made:
            (folder / placement.folder).mkdir(parents=True)
            made.add(placement.folder)
        try:
            put(placement.origin, folder / placement.folder / placement.name)
            placed.files[placement.member.image] = placement.place
        except PictureError as error:
            placed.skipped.append(Skipped(placement.member, error.what))
    progress(len(placements), len(placements))
    return placed


def _in_folder(contents: Contents, folder: str, members: Iterable[Member]) -> list[Placement]:
    names = UniqueNames()
    return [
        Placement(m, contents.origin_of(m), folder, names.take(safe_name(os.path.basename(m.path))))
        for m in sorted(members, key=lambda m: (contents.source_of(m), m.path))
    ]


def _copy(origin: bytes, target: Path) -> None:
    # By hand: an error of reading is the picture's, an error of writing ends the export.
    with _opened(origin) as source:
        try:
            with open(target, "xb") as copy:
                while block := _read(source):
                    copy.write(block)
        except PictureError:
            target.unlink()
            raise
        found = os.fstat(source.fileno())
    with contextlib.suppress(OSError):  # some file systems keep no times
        os.utime(target, ns=(found.st_atime_ns, found.st_mtime_ns))


def _hardlink(origin: bytes, target: Path) -> None:
    _require_file(origin)
    try:
        os.link(os.path.realpath(origin), target)  # of the file itself, where the picture is a symbolic link
    except FileNotFoundError as error:
        raise PictureError("it is gone") from error
    except OSError as error:
        if error.errno == errno.EXDEV:
            raise ShoeboxError(
                "hard links cannot cross from one file system to another",
                "use --mode copy or symlink, or an --output on the disk of the pictures",
            ) from error
        if error.errno in (errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP, errno.ENOSYS):
            raise _no_links("hard", error) from error
        raise


def _symlink(origin: bytes, target: Path) -> None:
    _require_file(origin)
    try:
        target.symlink_to(os.fsdecode(origin))
    except OSError as error:
        if error.errno in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS):
            raise _no_links("symbolic", error) from error
        raise


_MODES: dict[str, _Mode] = {"copy": _copy, "hardlink": _hardlink, "symlink": _symlink}


def _opened(origin: bytes) -> BinaryIO:
    _require_file(origin)
    try:
        return open(origin, "rb", buffering=0)
    except OSError as error:
        raise _unreadable(error) from error


def _read(source: BinaryIO) -> bytes:
    try:
        return source.read(_BLOCK)
    except OSError as error:
        raise _unreadable(error) from error


def _require_file(origin: bytes) -> None:
    try:
        found = os.stat(origin)
    except OSError as error:
        raise _unreadable(error) from error
    if not stat.S_ISREG(found.st_mode):
        raise PictureError("it is no file any more")  # a pipe, say, would be waited for without end


def _unreadable(error: OSError) -> PictureError:
    gone = error.errno in (errno.ENOENT, errno.ENOTDIR)
    return PictureError("it is gone" if gone else f"cannot be read ({error.strerror})")


def _no_links(kind: str, error: OSError) -> ShoeboxError:
    return ShoeboxError(f"{kind} links cannot be made here ({error.strerror})", "use --mode copy")
