"""The first stage: a file becomes pixels for the encoder and a thumbnail, or a reason why not."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.embedding.contents import Claim, Contents
from core.errors import PictureError
from core.imaging.decode import Picture, decode
from core.imaging.gate import MemoryGate
from core.imaging.hashes import content_hash
from core.imaging.read import read_picture_file
from core.imaging.thumbnails import make_thumbnail

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from core.catalog.images import Image
    from core.encoders.preprocess import Preprocessing
    from core.settings import Settings


@dataclass(frozen=True, slots=True)
class ContentFacts:
    """What is kept of a content beside its vector."""

    content: bytes
    width: int
    height: int
    format: str
    thumbnail: bytes


@dataclass(frozen=True, slots=True)
class Prepared:
    """A picture ready for the encoder: uint8 pixels [height, width, 3] as its preprocessing cuts them."""

    facts: ContentFacts
    pixels: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Known:
    """A picture whose content has an embedding already."""

    image_id: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Failed:
    """Pictures that cannot be used: all of them have the content that failed."""

    image_ids: list[int]
    reason: str


class Reader:
    """Reads pictures for one encoder. Called by several threads at once."""

    def __init__(
        self,
        roots: dict[int, bytes],
        preprocessing: Preprocessing,
        contents: Contents,
        settings: Settings,
        gate: MemoryGate,
    ) -> None:
        self._roots = roots
        self._preprocessing = preprocessing
        self._contents = contents
        self._settings = settings
        self._gate = gate

    def read(self, image: Image) -> Prepared | Known | Failed | None:
        """What became of one file; None for the twin of a content that is on its way."""
        try:
            path = os.path.join(self._roots[image.source], image.path)
            data = read_picture_file(path, self._settings.max_file_mb * 1_000_000)
        except PictureError as error:
            return Failed([image.id], str(error))
        content = content_hash(data)
        match self._contents.claim(content, image.id):
            case Claim.EMBEDDED:
                return Known(image.id, content)
            case Claim.ON_ITS_WAY:
                return None
        try:
            return self._prepared(content, data)
        except PictureError as error:
            return Failed(self._contents.settle(content, embedded=False), str(error))

    def refuse(self, picture: ContentFacts, reason: str) -> Failed:
        """The failure of a picture that was prepared, and of its twins."""
        return Failed(self._contents.settle(picture.content, embedded=False), reason)

    def _prepared(self, content: bytes, data: bytes) -> Prepared:
        picture: Picture = decode(
            data,
            min_side=max(self._preprocessing.decode_min_side, self._settings.thumbnail_side),
            max_pixels=self._settings.max_pixels,
            gate=self._gate,
        )
        thumbnail = make_thumbnail(picture.image, self._settings.thumbnail_side)
        return Prepared(
            ContentFacts(content, picture.width, picture.height, picture.format, thumbnail),
            self._preprocessing.prepare(picture.image, (picture.width, picture.height)),
        )
