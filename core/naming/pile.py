"""The pictures of a run of clustering as naming sees them: which cluster each is in, and its vector on demand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.catalog import encoders
from core.clustering.vectors import Floats, Vectors, unit_rows
from core.errors import ShoeboxError

if TYPE_CHECKING:
    from core.catalog.database import Database
    from core.catalog.encoders import EncoderRecord
    from core.project import Project


@dataclass(frozen=True)
class Pile:
    """The clustered pictures that are embedded with an encoder.

    `numbers` [K] are the clusters that have any; of each picture: `image_ids` [N], and `labels` [N], the place of its
    cluster in `numbers`.
    """

    clustering: int
    numbers: list[int]
    image_ids: NDArray[np.int64]
    labels: NDArray[np.int32]
    _rows: NDArray[np.int64]
    _vectors: Vectors

    def vectors(self, places: NDArray[np.int64]) -> Floats:
        """The unit vectors of the pictures at `places`."""
        return unit_rows(self._vectors, self._rows[places])

    def draw(self, each: int, seed: int, *, without: Iterable[int] = (), share: float = 1.0) -> NDArray[np.int64]:
        """Places of up to `each` pictures of every cluster, drawn by the seed: at most a `share` of it, one at least.

        The images `without` are left out, unless a cluster has no others.
        """
        if not len(self.labels):
            return np.empty(0, np.int64)
        allowed = ~np.isin(self.image_ids, np.fromiter(without, np.int64))
        left = np.bincount(self.labels[allowed], minlength=len(self.numbers))
        allowed |= left[self.labels] == 0
        sizes = np.bincount(self.labels, minlength=len(self.numbers))
        most = np.minimum(each, np.maximum(1, (sizes * share).astype(np.int64)))
        order = np.lexsort((np.random.default_rng(seed).random(len(self.labels)), self.labels))
        order = order[allowed[order]]
        starts = np.searchsorted(self.labels[order], np.arange(len(self.numbers)))
        rank = np.arange(len(order)) - starts[self.labels[order]]
        return np.sort(order[rank < most[self.labels[order]]])


def read_pile(project: Project, db: Database, clustering: int, record: EncoderRecord) -> Pile:
    """The pictures of a run that are there and embedded with this encoder, by image id.

    Raises ShoeboxError where there are none.
    """
    rows = db.execute(
        "SELECT i.id, a.cluster, e.row FROM assignments a CROSS JOIN images i ON i.id = a.image"
        " JOIN embeddings e ON e.encoder = ? AND e.hash = i.hash WHERE a.clustering = ? AND a.cluster IS NOT NULL"
        " AND i.missing = 0 AND i.trashed = 0 AND i.status = 'ready' ORDER BY i.id",
        (record.id, clustering),
    ).fetchall()
    if not rows:
        raise ShoeboxError(
            f"no clustered picture is embedded with {record.label}",
            "shoebox embed does that; or name with the encoder that they were clustered with",
        )
    table = np.array([tuple(row) for row in rows], dtype=np.int64)
    numbers, labels = np.unique(table[:, 1], return_inverse=True)
    record = encoders.get(db, record.id)
    return Pile(
        clustering,
        numbers.tolist(),
        table[:, 0],
        labels.reshape(-1).astype(np.int32),
        table[:, 2],
        project.vector_file(record).read(record.rows),
    )
