"""Reading a clustering in threads: its clusters, and the pictures of one of them, page by page."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from textual import work

from tui import reading
from tui.pictures import PAGE, Pictures, page_of
from tui.reading import Overview, Picture
from tui.screens.base import ShoeboxScreen

if TYPE_CHECKING:
    from core.catalog.database import Database

_Found = tuple["array[int]", int, dict[int, dict[int, Picture]]]
"""The pictures of a cluster, where the cursor goes, and the pages around it."""


class ClusterReader(ShoeboxScreen):
    """Asks the catalog; subclasses take the answers, in the loop."""

    def __init__(self) -> None:
        super().__init__()
        self.pictures: Pictures | None = None
        """The pictures of the cluster that is shown."""

    def _take_overview(self, view: Overview | None) -> None:
        raise NotImplementedError

    def _take_pictures(
        self, clustering: int, number: int, ids: array[int], at: int, pages: dict[int, dict[int, Picture]]
    ) -> None:
        raise NotImplementedError

    def _take_page(self, pictures: Pictures, page: int, found: dict[int, Picture]) -> None:
        raise NotImplementedError

    @work(thread=True, exclusive=True, group="overview", exit_on_error=False)
    def _read_overview(self) -> None:
        self.read(reading.overview, self._take_overview)

    @work(thread=True, exclusive=True, group="pictures", exit_on_error=False)
    def _read_pictures(self, clustering: int, number: int, kept: tuple[int, int]) -> None:
        """`kept`: the picture that the cursor shall stay on, and where it is now."""

        def ask(db: Database) -> _Found:
            ids = reading.picture_ids(db, clustering, number)
            at = _place(ids, *kept)
            pages = range(max(0, at - PAGE // 2) // PAGE, (at + PAGE // 2) // PAGE + 1)
            return ids, at, {page: reading.pictures(db, clustering, page_of(ids, page)) for page in pages}

        self.read(ask, lambda found: self._take_pictures(clustering, number, *found))

    @work(thread=True, group="pages", exit_on_error=False)
    def _read_page(self, pictures: Pictures, page: int, clustering: int) -> None:
        if pictures is self.pictures:
            ask = lambda db: reading.pictures(db, clustering, page_of(pictures.ids, page))  # noqa: E731
            self.read(ask, lambda found: self._take_page(pictures, page, found))


def _place(ids: array[int], image: int, before: int) -> int:
    """Where a picture is among these; the place it had before where it is gone."""
    try:
        return ids.index(image)
    except ValueError:
        return max(0, min(before, len(ids) - 1))
