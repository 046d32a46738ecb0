"""The pictures of a cluster as a sequence that is there at once and read as it is looked at."""

from __future__ import annotations

import os
from array import array
from collections import OrderedDict
from collections.abc import Callable, Container, Mapping
from typing import TYPE_CHECKING

from tui.reading import Picture

if TYPE_CHECKING:
    from tui.widgets.picture_grid import GridItem

PAGE = 96
"""Pictures read at a time: a few screenfuls of previews at the most."""
KEPT_PAGES = 48


class Pictures:
    """As many items as there are ids. Where one is not read yet there is None, and `wanted` is told its page, once;
    `put` brings it. Only the pages looked at last are kept. All of it in the thread of the loop.

    With `groups`, by picture the number of its group from 0, captions say it in place of a score, and every other
    group is tinted.
    """

    def __init__(
        self,
        ids: array[int],
        *,
        wanted: Callable[[int], object],
        marked: Container[int],
        representative: int = 0,
        dimmed: bool = False,
        starred: Container[int] = (),
        groups: Mapping[int, int] | None = None,
    ) -> None:
        self.ids = ids
        self._wanted = wanted
        self._marked = marked
        self._representative = representative
        self._dimmed = dimmed
        self._starred = starred
        self._groups = groups or {}
        self._pages: OrderedDict[int, Mapping[int, Picture]] = OrderedDict()
        self._asked: set[int] = set()

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, position: int, /) -> GridItem | None:
        from tui.widgets.picture_grid import GridItem

        picture = self.picture(position)
        if picture is None:
            return None
        stem = os.path.splitext(picture.name)[0]  # in few cells the ending is what is missed least
        group = self._groups.get(picture.image)
        said = "" if picture.score is None else f"{picture.score:z.2f} "
        return GridItem(
            image=picture.image,
            hash=picture.hash,
            caption=f"{said}{stem}" if group is None else f"{group + 1}: {stem}",
            tinted=group is not None and group % 2 == 0,
            starred=picture.image == self._representative or picture.image in self._starred,
            marked=picture.image in self._marked,
            dimmed=self._dimmed,
        )

    def picture(self, position: int) -> Picture | None:
        """What is known of the picture at a position; None (and asked for) while it is not read."""
        page = position // PAGE
        held = self._pages.get(page)
        if held is not None:
            self._pages.move_to_end(page)
            return held.get(self.ids[position])
        if page not in self._asked:
            self._asked.add(page)
            self._wanted(page)
        return None

    def put(self, page: int, pictures: Mapping[int, Picture]) -> range:
        """Takes a page that was read; gives the positions that it fills."""
        self._asked.discard(page)
        self._pages[page] = pictures
        while len(self._pages) > KEPT_PAGES:
            self._pages.popitem(last=False)
        return range(page * PAGE, min((page + 1) * PAGE, len(self)))

    def like(self, ids: array[int], representative: int) -> bool:
        """Whether these are the same pictures in the same order."""
        return self.ids == ids and self._representative == representative


def page_of(ids: array[int], page: int) -> array[int]:
    """The ids that a page is made of."""
    return ids[page * PAGE : (page + 1) * PAGE]


def described(picture: Picture) -> str:
    """What a file is, in short: 4032x3024 · 3.1 MB."""
    size = picture.size
    number = f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.0f} kB" if size >= 1e3 else f"{size} B"
    return f"{picture.width}x{picture.height} · {number}" if picture.width else number
