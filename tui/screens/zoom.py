"""One picture, large, with its facts and what is like it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option
from textual.worker import get_current_worker

from core.catalog import curation, edits
from core.catalog.paths import shown
from core.errors import ShoeboxError
from tui import reading
from tui.facts import short_path
from tui.pictures import described
from tui.reading import Facts, Neighbour, Within
from tui.widgets.cluster_list import name_cut, plain
from tui.widgets.key_line import KeyLine
from tui.widgets.picture_zoom import PictureZoom
from tui.widgets.vim_list import VimList

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tui.app import ShoeboxApp
    from tui.pictures import Pictures
    from tui.screens.editing import EditingScreen

NEIGHBOURS = 12


class ZoomScreen(ModalScreen[int]):
    """Walks through the pictures of a cluster, one at a time, and decides on each; gives the one it was left at."""

    CSS_PATH = "modals.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012 - as Textual has it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,z,q", "close", "Close", id="zoom.close"),
        Binding("right,l,n", "step(1)", "Next", id="zoom.next"),
        Binding("left,h,p", "step(-1)", "Before", id="zoom.before"),
        Binding("j", "neighbour(1)", "Down the list", show=False, id="zoom.down"),
        Binding("k", "neighbour(-1)", "Up the list", show=False, id="zoom.up"),
        Binding("b", "back", "Back from a neighbour", show=False, id="zoom.back"),
        Binding("m", "mark", "Mark", id="zoom.mark"),
        Binding("x", "trash", "Trash", id="zoom.trash", tooltip="into the trash, and on; there: out of it"),
        Binding("M", "move", "Move", id="zoom.move", tooltip="to another cluster, and on"),
        Binding("u", "undo", "Undo", id="zoom.undo", tooltip="the last decision, and back to its picture"),
        Binding("L", "like", "More like it", id="zoom.like", tooltip="search by this picture"),
        Binding("y", "copy", "Copy path", id="zoom.copy"),
        Binding("question_mark", "app.help", "Help", show=False, id="app.help", tooltip="the keys that work here"),
    ]

    def __init__(
        self,
        editor: EditingScreen,
        pictures: Pictures,
        position: int,
        clustering: Within,
        marks: set[int],
        *,
        move: Callable[[Sequence[int], Callable[[str], None]], None] | None = None,
    ) -> None:
        """`editor` does the edits. `move` asks where pictures go, and says what it did once they are there."""
        super().__init__()
        self._editor = editor
        self._ask_where = move
        self._pictures = pictures
        self._position = position
        self._clustering = clustering
        self._marks = marks
        self._trail: list[int] = []
        self._decisions: list[int] = []
        """The positions at which something was decided, for undo."""
        self._facts: Facts | None = None

    @property
    def shoebox(self) -> ShoeboxApp:
        """The app, by its own type."""
        return self.app  # type: ignore[return-value]

    @property
    def image(self) -> int:
        """The picture that is shown: a neighbour that was gone to, or the one at the position."""
        return self._trail[-1] if self._trail else self._pictures.ids[self._position]

    def compose(self) -> ComposeResult:
        """The picture, and beside it what is known."""
        with Horizontal(id="zoom"):
            yield PictureZoom(self.shoebox.terminal, self.shoebox.thumbnail)
            with Vertical(id="zoom-side"):
                yield Static("", id="zoom-facts")
                yield Static("most like it", id="neighbours-title")
                yield VimList(id="neighbours", markup=False)
        yield KeyLine()

    def on_mount(self) -> None:
        """The first picture."""
        self._go()

    def action_close(self) -> None:
        """Back to the grid, at the picture one has come to."""
        self.dismiss(self._pictures.ids[self._position])

    def action_step(self, by: int) -> None:
        """The next picture of the cluster, or the one before."""
        position = max(0, min(self._position + by, len(self._pictures) - 1))
        if position != self._position or self._trail:
            self._position, self._trail = position, []
            self._go()

    def action_neighbour(self, by: int) -> None:
        """Moves in the list of neighbours."""
        options = self.query_one(OptionList)
        (options.action_cursor_down if by > 0 else options.action_cursor_up)()

    def action_back(self) -> None:
        """Back to where one came from by a neighbour."""
        if self._trail:
            self._trail.pop()
            self._go()

    def action_mark(self) -> None:
        """Marks the picture, or takes its mark away."""
        self._marks ^= {self.image}
        self._show_facts()

    def action_like(self) -> None:
        """Searches by the picture that is shown."""
        image = self.image
        self.action_close()
        self.shoebox.search_like(image)

    def action_trash(self) -> None:
        """Throws the picture out and goes on; one that is in the trash comes out of it."""
        if self._facts is None:
            return
        image, trashed = self.image, self._facts.trashed
        do, said = (curation.restore, "restored") if trashed else (curation.trash, "in the trash (T), u brings it back")
        self._editor.edit(lambda db: do(db, [image]), lambda _: self._decided(image, said))

    def action_move(self) -> None:
        """Asks where the picture belongs, and goes on."""
        if self._ask_where is not None:
            image = self.image
            self._ask_where([image], lambda said: self._decided(image, said))

    def action_undo(self) -> None:
        """Takes the last edit back."""

        def then(said: str | None) -> None:
            self.notify(f"undone: {said}" if said else "nothing to be undone", timeout=3, markup=False)
            if said and self._decisions:
                self._position, self._trail = self._decisions.pop(), []
            self._go()

        self._editor.edit(lambda db: edits.undo(db, of=self._editor.EDITS), then)

    def _decided(self, image: int, said: str) -> None:
        """Goes on, where the user has not by now."""
        self.notify(said, timeout=3, markup=False)
        self._decisions.append(self._position)
        if not self.is_attached or image != self.image:
            return
        if self._trail or self._position + 1 >= len(self._pictures):
            self._go()
        else:
            self.action_step(1)

    def action_copy(self) -> None:
        """Has the terminal copy the path."""
        if self._facts is not None:
            path = shown(self._facts.file)
            self.app.copy_to_clipboard(path)
            self.notify(f"copied {path}", markup=False, timeout=3)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Goes to a neighbour."""
        if event.option_id is not None:
            self._trail.append(int(event.option_id))
            self._go()

    def _go(self) -> None:
        self._facts = None
        if self.is_attached:
            self._read(self.image)

    @work(thread=True, exclusive=True, group="zoom", exit_on_error=False)
    def _read(self, image: int) -> None:
        """The facts first, which are quick, then the neighbours."""
        project, worker = self.shoebox.project, get_current_worker()
        assert project is not None
        try:
            with project.database() as db:
                facts = reading.facts(project, db, self._clustering.id, image)
                if worker.is_cancelled:
                    return
                self.app.call_from_thread(self._take_facts, image, facts)
                if facts is None:
                    return
                found = reading.neighbours(project, db, self._clustering, image, NEIGHBOURS)
                if not worker.is_cancelled:
                    self.app.call_from_thread(self._take_neighbours, image, found)
        except (ShoeboxError, OSError) as error:
            self.app.call_from_thread(self.shoebox.report, error)

    def _take_facts(self, image: int, facts: Facts | None) -> None:
        if image != self.image or not self.is_attached:
            return
        self._facts = facts
        self.query_one(OptionList).clear_options()
        if facts is not None:
            self.query_one(PictureZoom).show(facts.file, facts.picture.hash)
        self._show_facts()

    def _take_neighbours(self, image: int, found: list[Neighbour]) -> None:
        if image != self.image or not self.is_attached:
            return
        options = self.query_one(OptionList)
        room = options.size.width - options.scrollbar_size_vertical
        options.set_options(Option(_neighbour_line(n, room), id=str(n.picture.image)) for n in found)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Not everywhere are there clusters to move to."""
        return self._ask_where is not None if action == "move" else True

    def _show_facts(self) -> None:
        self.query_one("#zoom-facts", Static).update(self._facts_text())

    def _facts_text(self) -> Text:
        facts = self._facts
        if facts is None:
            return Text("this picture is gone", style="dim")
        picture = facts.picture
        lines = [plain(picture.name), plain(short_path(os.path.dirname(facts.file))) + "/"]
        lines.append(described(picture) + (f" · {facts.format}" if facts.format else ""))
        if facts.trashed:
            lines.append("in the trash")
        elif facts.cluster is None:
            lines.append("unclustered")
        else:
            name = plain(facts.cluster_name or "")
            lines.append(f"cluster {facts.cluster} {name}".rstrip())
        if picture.score is not None:
            lines.append(f"similarity {picture.score:.3f}")
        where = "a neighbour (b: back)" if self._trail else f"{self._position + 1:,} of {len(self._pictures):,}"
        lines.append(where + (" · marked" if self.image in self._marks else ""))
        text = Text("\n".join(lines), overflow="fold")
        text.stylize("bold", 0, len(lines[0]))
        return text


def _neighbour_line(neighbour: Neighbour, width: int) -> str:
    kind = " same" if neighbour.same else " twin" if neighbour.cosine >= 0.98 else ""
    cosine = f"{neighbour.cosine:.3f}  "
    return f"{cosine}{name_cut(neighbour.picture.name, max(width - len(cosine) - len(kind), 8))}{kind}"
