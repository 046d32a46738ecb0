"""What the user fixed of a pile: pictures of a class, and pictures of none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.annotation.scores import NONE, UNSAID
from core.clustering.vectors import Floats, Labels


@dataclass(frozen=True)
class Given:
    """The rows of a class, the class of each, and the rows of none."""

    rows: NDArray[np.int64]
    classes: NDArray[np.int64]
    none: NDArray[np.int64]

    @staticmethod
    def of(fixed: Labels | None, classes: int, count: int) -> Given:
        """From a class, NONE or UNSAID for each of `count` pictures, or from None: nothing. Raises ValueError where
        it does not fit.
        """
        if fixed is None:
            return Given(*(np.empty(0, np.int64) for _ in range(3)))
        if len(fixed) != count or fixed.max(initial=UNSAID) >= classes:
            raise ValueError("what is fixed does not fit the pictures or the classes")
        rows = np.flatnonzero(fixed >= 0)
        return Given(rows, fixed[rows].astype(np.int64), np.flatnonzero(fixed == NONE))

    def put(self, z: Floats) -> Floats:
        """`z` [N, K] with the given rows as they are given, in place; those of none are 0 throughout."""
        z[self.rows] = 0
        z[self.rows, self.classes] = 1
        z[self.none] = 0
        return z

    def labels(self, labels: Labels) -> Labels:
        """`labels` [N] with the given rows as they are given, in place."""
        labels[self.rows] = self.classes
        labels[self.none] = NONE
        return labels
