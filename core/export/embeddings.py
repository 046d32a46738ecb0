"""embeddings.npy, and the table that says which picture each row is of."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.catalog import encoders
from core.catalog.clusterings import Member
from core.catalog.database import Database
from core.catalog.paths import path_fields
from core.export.contents import Contents

if TYPE_CHECKING:
    from numpy.typing import NDArray

VECTORS_NAME = "embeddings.npy"
IDS_NAME = "embeddings.ids.csv"
COLUMNS = ("row", "path", "path_b64", "source", "cluster", "hash")
CHUNK = 4096
"""Rows read and written at a time."""

EmbeddingRow = tuple[Member, int | None, int]
"""A picture, its cluster, and its row in the project's vectors."""


def embedding_rows(db: Database, contents: Contents) -> list[EmbeddingRow]:
    """The pictures that have an embedding of the clustering's encoder, in the order of the tables."""
    members = list(_members(contents))
    rows = dict(zip(*encoders.embedded_images(db, contents.encoder.id), strict=True))
    return [(member, cluster, rows[member.image]) for member, cluster in members if member.image in rows]


def embeddings_size(count: int, dimension: int) -> int:
    """The size in bytes of embeddings.npy."""
    return 2 * count * dimension + 128


def write_embeddings(
    folder: Path,
    contents: Contents,
    vectors: NDArray[np.float16],
    rows: list[EmbeddingRow],
    *,
    progress: Callable[[int, int], None],
    checkpoint: Callable[[], None],
) -> None:
    """Writes embeddings.npy, float16 [len(rows), D] of unit norm, and embeddings.ids.csv beside it.

    `vectors` are the project's, `rows` from `embedding_rows`. Row i of the array is line i of the table, from 0
    (its column `row`): an id is a picture's path in its source, and copies of one picture have equal rows.
    """
    _write_ids(folder / IDS_NAME, contents, rows)
    # Written, not memory-mapped: a full disk is then an error, where a map would end the process (SIGBUS).
    with open(folder / VECTORS_NAME, "xb") as file:
        shape = (len(rows), contents.encoder.dimension)
        np.lib.format.write_array_header_1_0(file, {"descr": "<f2", "fortran_order": False, "shape": shape})
        for start in range(0, len(rows), CHUNK):
            checkpoint()
            progress(start, len(rows))
            chosen = [row for _, _, row in rows[start : start + CHUNK]]
            file.write(np.ascontiguousarray(vectors[chosen], dtype="<f2").tobytes())


def _write_ids(path: Path, contents: Contents, rows: list[EmbeddingRow]) -> None:
    with open(path, "x", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for index, (member, cluster, _) in enumerate(rows):
            shown: Mapping[str, str] = path_fields(member.path)
            source = contents.source_of(member)
            writer.writerow((index, shown["path"], shown.get("path_b64"), source, cluster, member.hash.hex()))


def _members(contents: Contents) -> Iterator[tuple[Member, int | None]]:
    for group in contents.groups:
        for member in group.members:
            yield member, group.number
    for member in contents.unclustered:
        yield member, None
