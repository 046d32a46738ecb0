"""The thumbnails of the project that is open, for any thread."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from core.errors import ShoeboxError

if TYPE_CHECKING:
    from core.catalog.thumbnails import ThumbnailStore
    from core.project import Project
    from core.settings import Settings


class Thumbnails:
    """A store belongs to the thread that opened it: each thread gets its own."""

    def __init__(self, project: Project, settings: Settings) -> None:
        self._project = project
        self._settings = settings
        self._local = threading.local()

    def get(self, content: bytes) -> bytes | None:
        """The preview of a content as JPEG, None where there is none or the store cannot be used."""
        try:
            store: ThumbnailStore | None = getattr(self._local, "store", None)
            if store is None:
                store = self._local.store = self._project.thumbnails(self._settings)
            return store.get(content)
        except ShoeboxError:
            return None
