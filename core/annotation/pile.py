"""The pictures that a run is about, as the encoders have them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.catalog import encoders
from core.errors import ShoeboxError

if TYPE_CHECKING:
    from core.catalog.database import Database
    from core.catalog.encoders import EncoderRecord
    from core.clustering.vectors import Vectors
    from core.project import Project


@dataclass(frozen=True)
class Pile:
    """The pictures that all encoders have: image ids in order, their contents, and the vectors of each encoder."""

    images: list[int]
    hashes: list[bytes]
    rows: list[list[int]]
    vectors: list[Vectors]

    @staticmethod
    def of(project: Project, db: Database, records: Sequence[EncoderRecord]) -> Pile:
        """Of the catalog as it is now. Raises ShoeboxError where no picture is embedded by all `records`."""
        records = [encoders.get(db, record.id) for record in records]  # they may have grown since the caller looked
        found = [dict(zip(*encoders.embedded_images(db, record.id), strict=True)) for record in records]
        images = [image for image in found[0] if all(image in other for other in found)]
        if not images:
            raise ShoeboxError("no picture is embedded", "shoebox embed PATH does that; shoebox info says what failed")
        contents = dict(db.execute("SELECT id, hash FROM images WHERE hash IS NOT NULL").fetchall())
        rows = [[own[image] for image in images] for own in found]
        vectors = [
            project.vector_file(record).read(record.rows)[own] for record, own in zip(records, rows, strict=True)
        ]
        return Pile(images, [contents[image] for image in images], rows, vectors)
