"""Reading an annotation in threads: classes and counts, and the pictures of one class, page by page."""

from __future__ import annotations

from array import array

from textual import work

from core.catalog import annotation, encoders
from core.catalog.database import Database
from tui.annotation import (
    AnnotationView,
    ClassPictures,
    ClassRow,
    Effect,
    EncoderChoice,
    annotation_view,
    class_pictures,
    effect,
    encoder_choices,
    run_encoders,
)
from tui.pictures import PAGE, page_of
from tui.reading import Picture
from tui.screens.editing import EditingScreen
from tui.sorting import encoder_in_force
from tui.widgets.class_list import ClassList
from tui.widgets.picture_grid import PictureGrid

_Pages = dict[int, dict[int, Picture]]


class AnnotateReader(EditingScreen):
    """Asks the catalog; subclasses take the answers, in the loop."""

    def __init__(self) -> None:
        super().__init__()
        self.view: AnnotationView | None = None
        self.effect: Effect | None = None
        self.pictures: ClassPictures | None = None
        self.marks: set[int] = set()
        self.lowest_first = True
        self._shown: tuple[int, int | None, bool] | None = None
        """The run, the class and the order of the pictures in the grid."""
        self._reading = self._again = False

    def take_view(
        self, view: AnnotationView, choices: list[EncoderChoice], used: list[dict[str, str]], found: Effect | None
    ) -> None:
        """Shows what was read."""
        raise NotImplementedError

    def say_facts(self) -> None:
        """Says what is known of the picture under the cursor."""
        raise NotImplementedError

    @property
    def class_list(self) -> ClassList:
        """The list of classes."""
        return self.query_one("#list", ClassList)

    @property
    def grid(self) -> PictureGrid:
        """The pictures of the class under the cursor."""
        return self.query_one("#grid", PictureGrid)

    @property
    def row(self) -> ClassRow | None:
        """The class under the cursor."""
        return self.class_list.row

    # The classes

    def refresh_from_catalog(self) -> None:
        """Reads the classes and what holds of the last run: once more at the end where asked for meanwhile, as it
        takes a while with very many pictures, and decisions come fast.
        """
        if self._reading:
            self._again = True
        else:
            self._reading = True
            self._read_view()

    def _was_read(self) -> None:
        self._reading = False
        if self._again:
            self._again = False
            self.refresh_from_catalog()

    @work(thread=True, group="view", exit_on_error=False)
    def _read_view(self) -> None:
        app, known = self.shoebox, self.effect
        kept = app.state.get("wishes")

        def ask(db: Database) -> tuple[AnnotationView, list[EncoderChoice], list[dict[str, str]], Effect | None]:
            view, run, last = annotation_view(db), annotation.latest(db), encoders.last(db)
            wanted = encoder_in_force(app.settings, last.spec if last else "", kept)
            if run is None:
                return view, encoder_choices(db, wanted), [], None
            same = known if known is not None and known.run == run.id else effect(db, run)
            return view, encoder_choices(db, wanted), run_encoders(db, run), same

        try:
            self.read(ask, lambda found: self.take_view(*found))
        finally:
            if self.is_attached:
                self.app.call_from_thread(self._was_read)

    # The pictures

    def want_pictures(self) -> None:
        """Has the pictures of the class under the cursor read."""
        row, view = self.row, self.view
        if view is None or view.run is None or row is None:
            self.pictures = self._shown = None
            self.grid.set_items([])
            return
        wanted = (view.run.id, row.id, self.lowest_first)
        same = self._shown is not None and self._shown[1:] == wanted[1:]
        at = self.grid.cursor if same else 0
        kept = self.pictures.ids[at] if same and self.pictures is not None and at < len(self.pictures) else 0
        self._read_pictures(view.run, wanted, kept, at)

    @work(thread=True, exclusive=True, group="pictures", exit_on_error=False)
    def _read_pictures(
        self, run: annotation.AnnotationRun, wanted: tuple[int, int | None, bool], kept: int, at: int
    ) -> None:
        def ask(db: Database) -> tuple[array[int], int, _Pages]:
            ids = array("q", annotation.image_ids(db, run, wanted[1], lowest_first=wanted[2]))
            try:
                place = ids.index(kept)
            except ValueError:
                place = max(0, min(at, len(ids) - 1))
            pages = range(max(0, place - PAGE // 2) // PAGE, (place + PAGE // 2) // PAGE + 1)
            return ids, place, {page: class_pictures(db, run, page_of(ids, page)) for page in pages}

        self.read(ask, lambda found: self._take_pictures(run, wanted, *found))

    def _take_pictures(
        self,
        run: annotation.AnnotationRun,
        wanted: tuple[int, int | None, bool],
        ids: array[int],
        at: int,
        pages: _Pages,
    ) -> None:
        row = self.row
        if row is None or (row.id, self.lowest_first) != wanted[1:]:
            return  # the cursor is elsewhere by now
        same = self._shown is not None and self._shown[1:] == wanted[1:]
        pictures = ClassPictures(ids, wanted=lambda page: self._read_page(pictures, page, run), marked=self.marks)
        for page, found in pages.items():
            pictures.put(page, found)
        if self._shown == wanted and self.pictures is not None and self._alike(pictures, pages):
            return
        self.pictures, self._shown = pictures, wanted
        self.grid.set_items(pictures, keep_cursor=same)
        self.grid.cursor = at
        self.say_facts()

    def _alike(self, other: ClassPictures, pages: _Pages) -> bool:
        """Whether the grid shows these already, to the last tick."""
        mine = self.pictures
        if mine is None or mine.ids != other.ids:
            return False
        places = [at for page in pages for at in range(page * PAGE, min((page + 1) * PAGE, len(mine)))]
        return all(mine.picture(at) == other.picture(at) for at in places)

    @work(thread=True, group="pages", exit_on_error=False)
    def _read_page(self, pictures: ClassPictures, page: int, run: annotation.AnnotationRun) -> None:
        if pictures is self.pictures:
            ask = lambda db: class_pictures(db, run, page_of(pictures.ids, page))  # noqa: E731
            self.read(ask, lambda found: self._take_page(pictures, page, found))

    def _take_page(self, pictures: ClassPictures, page: int, found: dict[int, Picture]) -> None:
        filled = pictures.put(page, found)
        if pictures is self.pictures:
            self.grid.refresh_items(filled)
            if self.grid.cursor in filled:
                self.say_facts()
