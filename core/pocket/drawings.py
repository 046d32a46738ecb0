"""Many drawings at once, as arrays: what the model is trained and measured on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from core.pocket.draw import DIGITS, KINDS, Attributes, draw
from core.pocket.model import SIZE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

UNSEEN_SEEDS = 1_000_000_000
"""Drawings are measured on seeds from here on; training stays below."""

DIGIT_SHARE = 0.4
"""The share of digits among the drawings for training."""


class Task(NamedTuple):
    """A drawing to make: the arguments of `draw`."""

    kind: str
    seed: int
    style: str | None = None


@dataclass(frozen=True)
class Drawings:
    """Pictures (n, SIZE, SIZE, 3) of uint8, and what is true of each."""

    pixels: NDArray[np.uint8]
    attributes: list[Attributes]


def tasks(n: int, seed: int) -> list[Task]:
    """Drawings for training: `n` of them, each kind and each digit in its share, none of an unseen seed."""
    digits = round(n * DIGIT_SHARE)
    kinds = [DIGITS[i % len(DIGITS)] for i in range(digits)] + [KINDS[i % len(KINDS)] for i in range(n - digits)]
    return [Task(kind, (seed * n + i) % UNSEEN_SEEDS) for i, kind in enumerate(kinds)]


def make(wanted: Iterable[Task], processes: int = 1) -> Drawings:
    """Make drawings, by several processes if asked; the result does not depend on how many."""
    import numpy as np

    wanted = list(wanted)
    if processes == 1:
        made = [_one(task) for task in wanted]
    else:
        with get_context("spawn").Pool(processes) as pool:
            made = pool.map(_one, wanted, chunksize=500)
    pixels = np.frombuffer(bytearray().join(p for p, _ in made), np.uint8).reshape(-1, SIZE, SIZE, 3)
    return Drawings(pixels, [attributes for _, attributes in made])


def make_or_load(n: int, seed: int, processes: int, file: Path | None) -> Drawings:
    """Drawings for training, kept in `file` (if given) for the next time; a file of other drawings is replaced."""
    import numpy as np

    if file is not None and file.is_file():
        with np.load(file) as kept:
            if (int(kept["n"]), int(kept["seed"])) == (n, seed):
                return Drawings(kept["pixels"], [Attributes(*map(str, row)) for row in kept["attributes"]])
    drawings = make(tasks(n, seed), processes)
    if file is not None:
        from dataclasses import astuple

        aside = file.with_name(f".{file.name}.part")
        with open(aside, "wb") as out:
            rows = np.array([astuple(a) for a in drawings.attributes])
            np.savez(out, pixels=drawings.pixels, attributes=rows, n=n, seed=seed)
        aside.replace(file)
    return drawings


def _one(task: Task) -> tuple[bytes, Attributes]:
    image, attributes = draw(task.kind, task.seed, (SIZE, SIZE), style=task.style)
    return image.tobytes(), attributes
