"""Whose the rows of an encoder's vectors are: from a row to the pictures of its content, and back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.catalog.clusterings import Member
from core.catalog.database import Database

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CHUNK = 1000
"""Rows asked for in one statement."""
_OF_USE = "i.missing = 0 AND i.trashed = 0 AND i.status = 'ready'"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A picture among the rows: what tells which of several alike is the best. `area` is in pixels."""

    image: int
    row: int
    hash: bytes
    area: int
    size: int
    mtime_ns: int
    source: int
    path: bytes


def pictures_at(db: Database, encoder_id: int, rows: Iterable[int]) -> dict[int, list[int]]:
    """For each of these rows the pictures with its content, by path; a row whose pictures are all gone is left out."""
    wanted = list(rows)
    found: dict[int, list[int]] = {}
    for start in range(0, len(wanted), CHUNK):
        # CROSS JOIN keeps this order: a few rows first, then what hangs on them.
        for row, image in db.execute(
            "SELECT e.row, i.id FROM json_each(?) j CROSS JOIN embeddings e ON e.encoder = ? AND e.row = j.value"
            f" CROSS JOIN images i ON i.hash = e.hash AND {_OF_USE} ORDER BY i.source, i.path",
            (json.dumps(wanted[start : start + CHUNK]), encoder_id),
        ):
            found.setdefault(row, []).append(image)
    return found


def members_at(db: Database, image_ids: Sequence[int], *, gone: bool = False) -> dict[int, Member]:
    """These pictures as members of nothing (their score is 0); missing and trashed ones only with `gone`."""
    rows = db.execute(
        "SELECT i.id, i.source, i.path, 0.0, i.hash, c.width, c.height FROM json_each(?) j"
        " CROSS JOIN images i ON i.id = j.value JOIN contents c ON c.hash = i.hash"
        + ("" if gone else f" WHERE {_OF_USE}"),
        (json.dumps(list(image_ids)),),
    )
    return {row[0]: Member(*row) for row in rows}


def row_of(db: Database, encoder_id: int, content: bytes) -> int | None:
    """The row that holds a content, or None."""
    found = db.value("SELECT row FROM embeddings WHERE encoder = ? AND hash = ?", (encoder_id, content))
    return None if found is None else int(found)


def row_of_image(db: Database, encoder_id: int, image: int) -> int | None:
    """The row that holds a picture's content, or None."""
    found = db.value(
        "SELECT e.row FROM images i JOIN embeddings e ON e.encoder = ? AND e.hash = i.hash WHERE i.id = ?",
        (encoder_id, image),
    )
    return None if found is None else int(found)


def rows_of_class(db: Database, encoder_id: int, run: int, class_id: int | None) -> NDArray[np.int64]:
    """The rows of the pictures that a run of annotation, as it stands now, has in a class (None: in none of them)."""
    import numpy as np

    found = db.execute(
        "SELECT DISTINCT e.row FROM annotations a CROSS JOIN images i ON i.id = a.image"
        " CROSS JOIN embeddings e ON e.encoder = ? AND e.hash = i.hash"
        f" WHERE a.run = ? AND a.class IS ? AND {_OF_USE} ORDER BY e.row",
        (encoder_id, run, class_id),
    )
    return np.fromiter((row[0] for row in found), np.int64)


def rows_of_cluster(db: Database, encoder_id: int, clustering: int, number: int | None) -> NDArray[np.int64]:
    """The rows of a cluster's pictures (None: of the unclustered), ascending, each once."""
    import numpy as np

    found = db.execute(
        "SELECT DISTINCT e.row FROM assignments a CROSS JOIN images i ON i.id = a.image"
        " CROSS JOIN embeddings e ON e.encoder = ? AND e.hash = i.hash"
        f" WHERE a.clustering = ? AND a.cluster IS ? AND {_OF_USE} ORDER BY e.row",
        (encoder_id, clustering, number),
    )
    return np.fromiter((row[0] for row in found), dtype=np.int64)


def candidates_at(db: Database, encoder_id: int, rows: Sequence[int]) -> list[Candidate]:
    """The pictures at these rows that are there to be seen."""
    found: list[Candidate] = []
    for start in range(0, len(rows), CHUNK):
        found += (
            Candidate(*row)
            for row in db.execute(
                "SELECT i.id, e.row, i.hash, c.width * c.height, i.size, i.mtime_ns, i.source, i.path"
                " FROM json_each(?) j CROSS JOIN embeddings e ON e.encoder = ? AND e.row = j.value"
                f" CROSS JOIN images i ON i.hash = e.hash AND {_OF_USE} CROSS JOIN contents c ON c.hash = i.hash",
                (json.dumps(list(rows[start : start + CHUNK])), encoder_id),
            )
        )
    return found
