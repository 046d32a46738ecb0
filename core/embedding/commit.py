"""The last stage: what came out of the pipeline becomes rows of the vector file and of the catalog."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeVar

from core.catalog import encoders, images
from core.embedding.contents import Contents
from core.embedding.pipeline import Encoded
from core.embedding.reading import Failed, Known

if TYPE_CHECKING:
    from core.catalog.database import Database
    from core.catalog.encoders import EncoderRecord
    from core.catalog.thumbnails import ThumbnailStore
    from core.catalog.vectors import VectorFile

T = TypeVar("T")
CHUNK = 500
"""Pictures recorded in one transaction, so that it stays under 20 ms."""


class Committer:
    """Writes outcomes, each whole or not at all. For the one thread that owns its connections."""

    def __init__(
        self,
        db: Database,
        vectors: VectorFile,
        thumbnails: ThumbnailStore,
        encoder: EncoderRecord,
        contents: Contents,
    ) -> None:
        self._db = db
        self._vectors = vectors
        self._thumbnails = thumbnails
        self._encoder = encoder
        self._contents = contents
        self._rows = encoder.rows

    def encoded(self, batch: Encoded) -> tuple[list[int], int]:
        """Commits a batch; gives the id of a picture for each of its contents, and how many others share them.

        Vectors reach the disk before the catalog counts them: a crash in between leaves nothing but rows behind
        the count. The batch is in one transaction, so it is there whole or not at all. The others follow it: a
        placeholder may lie in a folder a hundred thousand times.
        """
        contents = [picture.content for picture in batch.pictures]
        self._thumbnails.put([(picture.content, picture.thumbnail) for picture in batch.pictures])
        self._vectors.append(batch.vectors, self._rows)
        image_ids = [self._contents.settle(content, embedded=True) for content in contents]
        with self._db.transaction():
            images.add_contents(self._db, [(p.content, p.width, p.height, p.format) for p in batch.pictures])
            encoders.add_embeddings(self._db, self._encoder.id, contents, self._rows)
            firsts = images.mark_ready(self._db, [(ids[0], c) for ids, c in zip(image_ids, contents, strict=True)])
        self._rows += len(contents)
        twins = [Known(i, c) for ids, c in zip(image_ids, contents, strict=True) for i in ids[1:]]
        self.known(twins)
        return firsts, len(twins)

    def known(self, pictures: list[Known]) -> None:
        """Records pictures whose content was embedded before."""
        for chunk in _chunks([(picture.image_id, picture.content) for picture in pictures]):
            with self._db.transaction():
                images.mark_ready(self._db, chunk)

    def failed(self, failures: list[Failed]) -> None:
        """Records why pictures cannot be used."""
        for chunk in _chunks([(i, failure.reason) for failure in failures for i in failure.image_ids]):
            with self._db.transaction():
                images.mark_failed(self._db, chunk)


def _chunks(rows: list[T]) -> Iterator[list[T]]:
    for start in range(0, len(rows), CHUNK):
        yield rows[start : start + CHUNK]
