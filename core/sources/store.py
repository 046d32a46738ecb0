"""Where downloaded pictures lie: by the hash of their content, written aside, and renamed when whole."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from core.imaging.hashes import content_hasher
from core.sources.found import Stored

FOLDER = "downloads"
_PARTS = ".parts"
_SUFFIXES = {"JPEG": ".jpg", "TIFF": ".tif", "HEIF": ".heic"}
HEAD = 4096
"""First bytes that are looked at to tell what it is."""


class Part:
    """A picture on its way: a file aside, which nobody else sees."""

    def __init__(self, folder: Path, mode: int) -> None:
        self._mode = mode
        descriptor, self._name = tempfile.mkstemp(dir=folder)
        self._file = os.fdopen(descriptor, "wb", buffering=0)
        self.restart()

    def restart(self) -> None:
        """Forgets what came so far."""
        if self._file.tell():
            self._file.seek(0)
            self._file.truncate()
        self._hasher = content_hasher()
        self.size = 0
        self.head = b""
        self.validator = ""
        """What tells whether the rest, asked for later, is of the same file; empty where nothing does."""

    def write(self, data: bytes) -> None:
        """Takes the next bytes."""
        rest = memoryview(data)
        while rest:
            rest = rest[self._file.write(rest) :]
        self._hasher.update(data)
        self.size += len(data)
        if len(self.head) < HEAD:
            self.head += data[: HEAD - len(self.head)]

    def discard(self) -> None:
        """Removes the file; a second call does nothing."""
        self._file.close()
        Path(self._name).unlink(missing_ok=True)

    def keep(self, root: Path, kind: str) -> Stored:
        """Puts the whole file in its place: `kind` is its format, which gives the suffix. Blocks for the disk.

        Nothing of the name comes from the remote side. Where the same content lies there already, that stays.
        """
        name = self._hasher.hexdigest() + _SUFFIXES.get(kind, f".{kind.lower()}")
        path = os.path.join(name[:2], name[2:4], name)
        place = root / path
        if not place.exists():
            os.fsync(self._file.fileno())
            os.fchmod(self._file.fileno(), self._mode)
            place.parent.mkdir(parents=True, exist_ok=True)
            Path(self._name).replace(place)
        self.discard()
        found = place.stat()
        return Stored(os.fsencode(path), found.st_size, found.st_mtime_ns)


class Store:
    """The downloads of a project. One process at a time writes it: the worker."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._parts = root / _PARTS
        self._mode = 0o666 & ~_umask()
        self._parts.mkdir(parents=True, exist_ok=True)
        for left in self._parts.iterdir():  # of a process that was killed
            left.unlink()

    def part(self) -> Part:
        """A new picture on its way."""
        return Part(self._parts, self._mode)


def _umask() -> int:
    """The process's umask; Linux tells it without changing it for a moment."""
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("Umask:"):
                return int(line.split()[1], 8)
    except OSError:
        pass
    return 0o022
