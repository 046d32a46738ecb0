"""The vectors of one encoder: float16 rows of unit norm in one append-only file, memory-mapped.

The catalog holds the count of committed rows. Order of a write: rows, fsync, then the catalog's commit; a
crash in between leaves rows behind the count, and the next append lays its own over them.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import ShoeboxError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class VectorFile:
    """`dimension` float16 values a row."""

    def __init__(self, path: Path, dimension: int) -> None:
        self.path = path
        self.dimension = dimension

    @property
    def row_bytes(self) -> int:
        """The size of one row in bytes."""
        return 2 * self.dimension

    def whole_rows(self) -> int:
        """How many rows the file holds, whatever the catalog says; 0 where there is none."""
        try:
            return self.path.stat().st_size // self.row_bytes
        except FileNotFoundError:
            return 0

    def append(self, rows: NDArray[np.float32], at: int) -> None:
        """Writes rows [n, dimension] from row `at` on, and returns when they are on the disk.

        Raises ShoeboxError where the disk takes no more, or the file lacks rows before `at`.
        """
        import numpy as np

        data = np.ascontiguousarray(rows, dtype="<f2").tobytes()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            is_new = not self.path.exists()
            if is_new and at:
                raise self._cut_short(at)
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                offset = at * self.row_bytes
                if os.fstat(descriptor).st_size < offset:
                    raise self._cut_short(at)  # a hole would be read as pictures of no content
                while data:
                    written = os.pwrite(descriptor, data, offset)
                    data, offset = data[written:], offset + written
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            if is_new:
                _sync_folder(self.path.parent)
                _sync_folder(self.path.parent.parent)
        except OSError as error:
            raise ShoeboxError(
                f"cannot write vectors to {self.path} ({error.strerror})",
                "free some space or mend the permissions, and run again: what was embedded so far is kept",
            ) from error

    def read(self, rows: int) -> NDArray[np.float16]:
        """The first `rows` rows, memory-mapped and read-only: [rows, dimension].

        Raises ShoeboxError where the file is shorter than the catalog says.
        """
        import numpy as np

        if rows == 0:
            return np.empty((0, self.dimension), np.float16)
        try:
            return np.memmap(self.path, dtype="<f2", mode="r", shape=(rows, self.dimension))
        except (OSError, ValueError) as error:
            raise self._cut_short(rows) from error

    def _cut_short(self, rows: int) -> ShoeboxError:
        return ShoeboxError(
            f"the vectors {self.path} are gone or cut short: the catalog counts {rows} rows",
            "put the file back, or run shoebox embed: what is missing is embedded again",
        )


def _sync_folder(folder: Path) -> None:
    """Makes a new file's name survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
