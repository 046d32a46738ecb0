"""The small pictures that leave the machine: pixels only, no file name, no metadata."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.catalog import images, sources
from core.errors import PictureError
from core.imaging.decode import decode
from core.imaging.read import read_picture_file
from core.imaging.sheets import contact_sheet
from core.imaging.thumbnails import make_thumbnail

if TYPE_CHECKING:
    from core.catalog.database import Database
    from core.naming.language.sampling import Sample
    from core.project import Project
    from core.settings import Settings

SHEET_SIDE = 256
SMALL_SHEET_SIDE = 128


class Pictures:
    """Gives small JPEGs: the stored thumbnails, or made anew where one is gone. Belongs to one thread."""

    def __init__(self, project: Project, db: Database, settings: Settings) -> None:
        self._project = project
        self._db = db
        self._settings = settings
        self._store = project.thumbnails(settings)
        self._roots = {source.id: project.root_of(source) for source in sources.all_sources(db)}

    def jpeg(self, sample: Sample) -> bytes:
        """The small JPEG of a picture. Raises PictureError where the picture can no longer be had."""
        return self._store.get(sample.content) or self._made(sample.image)

    def sheet(self, samples: Sequence[Sample], side: int = SHEET_SIDE) -> bytes:
        """A contact sheet of those that can be had; empty where none can."""
        found: list[bytes] = []
        for sample in samples:
            try:
                found.append(self.jpeg(sample))
            except PictureError:
                continue
        return contact_sheet(found, side=side) if found else b""

    def close(self) -> None:
        """Closes the store."""
        self._store.close()

    def _made(self, image: int) -> bytes:
        found = images.get(self._db, image)
        settings = self._settings
        data = read_picture_file(self._roots[found.source] + b"/" + found.path, settings.max_file_mb * 1_000_000)
        picture = decode(data, min_side=settings.thumbnail_side, max_pixels=settings.max_pixels)
        return make_thumbnail(picture.image, settings.thumbnail_side)
