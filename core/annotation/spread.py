"""Pictures seen evenly in all directions, so that what sets classes apart is not lost in what sets pictures apart.

The pictures of one class differ most in directions that say nothing of the class: light, framing, background. Divided
by their spread in each direction (whitening), the mean of a class is the discriminant of Fisher (1936): where pictures
hold no groups it falls back on the words that chose them, and does not drift to whatever varies most. Covariances are
shrunk as Ledoit and Wolf (2004) do, as there are often fewer pictures than dimensions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.clustering.vectors import Floats, Vectors, chunks, sample_rows, unit_rows

SAMPLE = 20_000  # pictures; a covariance does not become better by more
_LEAST = 1e-6  # of the mean variance

Square = NDArray[np.float64]


@dataclass(frozen=True)
class Spread:
    """The mean [D] of unit rows; covariances [D, D] of all, and of neighbours around each other; their shrinkage."""

    mean: Floats
    overall: Square
    nearby: Square
    shrinkage: float

    @staticmethod
    def of(vectors: Vectors, weights: Any, *, seed: int = 0) -> Spread:
        """Measured on at most SAMPLE of `vectors` [N, D], with the neighbours that `weights` [N, N] has for these."""
        from sklearn.covariance import ledoit_wolf_shrinkage

        rows = np.sort(sample_rows(len(vectors), SAMPLE, seed))
        points = unit_rows(vectors, rows).astype(np.float32)
        mean = points.mean(axis=0)
        points = points - mean
        overall = (points.T @ points).astype(np.float64) / len(points)
        shrinkage = float(ledoit_wolf_shrinkage(points, assume_centered=True)) if len(points) > 1 else 1.0
        links = weights[rows].tocoo()
        nearby, total = np.zeros_like(overall), max(1, links.nnz)
        for part in chunks(links.nnz):
            apart = points[links.row[part]] + mean - unit_rows(vectors, links.col[part])
            nearby += apart.T @ apart
        return Spread(mean, overall, nearby / (2 * total), shrinkage)

    def whitened(self, vectors: Vectors, nearby: float) -> Floats:
        """Unit rows [N, D], float32, by the two covariances mixed, `nearby` (0 to 1) of it that of neighbours.

        That of all evens out what the groups themselves spread; it parts classes that are alike. That of neighbours
        keeps groups apart as they are, and is the safer where only a few of the classes are there.
        """
        mixed = (1 - nearby) * self.overall + nearby * self.nearby
        variance = max(float(np.trace(mixed)) / len(mixed), 1e-12)
        values, axes = np.linalg.eigh((1 - self.shrinkage) * mixed + self.shrinkage * variance * np.eye(len(mixed)))
        turn = (axes / np.sqrt(np.maximum(values, _LEAST * variance))).astype(np.float32)
        found = np.empty(vectors.shape, np.float32)
        for rows in chunks(len(vectors)):
            part = (unit_rows(vectors, rows) - self.mean) @ turn
            found[rows] = part / np.maximum(np.linalg.norm(part, axis=1, keepdims=True), 1e-12)
        return found
