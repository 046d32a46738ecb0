"""Looking at an annotation: classes at left, the pictures of the one under the cursor, and the rounds of a run.

What lands from a job never moves what the user looks at: cursors go by class and by picture.
"""

from __future__ import annotations

from typing import Any, ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.events import DescendantFocus
from textual.timer import Timer
from textual.widgets import ContentSwitcher, Static

from tui.annotation import (
    AnnotationView,
    ClassPicture,
    Effect,
    EncoderChoice,
    as_text,
)
from tui.figures import count
from tui.screens.annotate_reader import AnnotateReader
from tui.screens.cluster_browser import SETTLE_SECONDS
from tui.widgets.class_entry import ClassEntry
from tui.widgets.class_list import ClassList
from tui.widgets.cluster_list import name_cut, plain
from tui.widgets.likely_view import LikelyView
from tui.widgets.panel import Panel
from tui.widgets.picture_grid import PictureGrid
from tui.widgets.picture_zoom import PictureZoom
from tui.widgets.rounds_view import Rounds, RoundsView

STATE = "annotate"
CLASSES, ROUNDS, RESULTS, REVIEW = "classes", "rounds", "results", "review"
"""The views of the screen: each is a part of its body."""
ENOUGH = 30
"""Corrections that make of an estimate a calibrated probability, about."""


class AnnotateBrowser(AnnotateReader):
    """Browses. What decides of single pictures is in `AnnotateReview`, what runs in `AnnotateScreen`."""

    STAGE = "annotate"
    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab,shift+tab", "swap", "Pane", show=False, id="annotate.pane"),
        Binding("o", "sort", "Order", id="annotate.sort", tooltip="lowest margin first, or last"),
        Binding("i", "rounds", "Rounds", id="annotate.rounds", tooltip="the run round by round"),
        Binding("right_square_bracket", "class(1)", "Next class", show=False, id="annotate.next-class"),
        Binding("left_square_bracket", "class(-1)", "Class before", show=False, id="annotate.class-before"),
        Binding("escape", "back", "Back", show=False, id="annotate.back", tooltip="out of this view"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._settling: Timer | None = None
        self._remembered: dict[str, Any] = {}
        self.to_type = ""
        """Classes to be put into the form once the screen knows those in force."""

    # The widgets

    def compose_body(self) -> ComposeResult:
        """The line on top, and the views, of which one is seen."""
        yield Static("reading the classes …", id="summary", markup=False)
        with ContentSwitcher(initial=RESULTS, id="body"):
            yield ClassEntry(id=CLASSES)
            yield RoundsView(id=ROUNDS)
            with Horizontal(id=RESULTS):
                with Panel(id="side", classes="panel") as side:
                    side.border_title, side.border_subtitle = "classes", "pictures · confidence"
                    yield ClassList(id="list")
                with Panel(id="main", classes="panel"):
                    yield Static("", id="heading", markup=False)
                    yield PictureGrid(self.shoebox.terminal, self.shoebox.thumbnail, id="grid")
                    yield Static("", id="facts", markup=False)
            with Horizontal(id=REVIEW):
                yield PictureZoom(self.shoebox.terminal, self.shoebox.thumbnail, id="large")
                with Vertical(id="deciding"):
                    yield Static("", id="what", markup=False)
                    yield LikelyView(id="likely")
                    yield Static("", id="effect", markup=False)

    @property
    def entry(self) -> ClassEntry:
        """The form of classes."""
        return self.query_one(ClassEntry)

    @property
    def showing(self) -> str:
        """The view that is seen."""
        return self.query_one("#body", ContentSwitcher).current or ""

    def on_mount(self) -> None:
        """As it was left."""
        left = self.shoebox.state.get(STATE)
        self._remembered = left if isinstance(left, dict) else {}
        self.lowest_first = self._remembered.get("lowest_first") is not False

    def switch_to(self, name: str) -> None:
        """Shows a view, with the focus where its keys are."""
        self.query_one("#body", ContentSwitcher).current = name
        if name == CLASSES:
            self.entry.query_one("#text").focus()
        elif name == RESULTS:
            self.class_list.focus()
        else:
            self.set_focus(None)
        self.say_summary()
        self.refresh_bindings()

    # Showing

    def take_view(
        self, view: AnnotationView, choices: list[EncoderChoice], used: list[dict[str, str]], found: Effect | None
    ) -> None:
        """Shows what was read."""
        before, self.view, self.effect = self.view, view, found
        self.entry.take_recorded(as_text(view.classes), view.prompts)
        self.entry.take_encoders(choices, used)
        if view.run is not None:
            self.class_list.show(view.rows)
            if before is None or before.run is None or before.run.id != view.run.id:
                why = [f"{row.name}: {row.why}" for row in view.rows if row.why]
                names = [c.name for c in view.run.classes]
                self.query_one(RoundsView).show(Rounds(names, view.run.iterations, why=why))
        if before is None:
            self.begin(view)
        self.want_pictures()
        self.say_summary()
        self._say_heading()
        self.refresh_bindings()

    def begin(self, view: AnnotationView) -> None:
        """The first view: as it was left; without a run the classes."""
        if view.run is not None:
            asked = view.run.settings
            self.entry.take_settings(asked.get("method", "auto"), asked.get("threshold"), asked.get("head"))
        at = self.class_list.line_of(self._remembered.get("class"))
        if at is not None and "class" in self._remembered:
            self.class_list.cursor = at
        self.switch_to(RESULTS if view.run is not None and not self.to_type else CLASSES)
        if self.to_type:
            self.entry.type_in(self.to_type)

    # What is said

    def say_summary(self) -> None:
        """The line on top: how it was annotated, how sure it is, what was corrected and what that tells."""
        view = self.view
        if view is None:
            return
        left, right = self.title_parts(), self._figures()
        line = self.query_one("#summary", Static)
        text = Text(" · ".join(left), overflow="ellipsis", no_wrap=True)
        while len(right) > 1 and text.cell_len + len(" · ".join(right)) + 2 > line.size.width:
            right.pop(0)  # the least of them
        end = " · ".join(right)
        text.truncate(max(line.size.width - len(end) - 2, 0), overflow="ellipsis", pad=True)
        line.update(text.append(f"  {end}"), layout=False)

    def title_parts(self) -> list[str]:
        """What is seen."""
        view = self.view
        if self.showing == ROUNDS:
            going_on = "annotate" in self.shoebox.running_stages
            return ["annotating" if going_on else "the last run, round by round"]
        if view is None or view.run is None:
            return ["classes" if self.entry.text.strip() else "name the classes, one a line"]
        if self.showing == CLASSES:
            return [
                "classes",
                "edited: ctrl+s annotates with these" if self.entry.is_edited else "as they are in force",
            ]
        return [view.run.method, count(view.run.images, "picture"), count(len(view.run.classes), "class", "classes")]

    def _figures(self) -> list[str]:
        view = self.view
        if view is None or view.run is None:
            return []
        parts = [f"{len(self.marks):,} marked"] if self.marks else []
        pictures = sum(row.pictures for row in view.rows)
        sure = sum(row.pictures * row.confidence for row in view.rows if row.confidence is not None)
        kind = "confidence" if view.run.summary.get("calibrated") else "estimated confidence"
        if pictures:
            parts.append(f"{kind} {sure / pictures:.2f}")
        parts.append(count(view.corrections, "correction"))
        if view.accuracy is not None:
            parts.append(f"accuracy {accuracy_words(view.accuracy.share, view.accuracy.low, view.accuracy.high)}")
        return parts

    def _say_heading(self) -> None:
        row, heading = self.row, self.query_one("#heading", Static)
        if row is None:
            heading.update("", layout=False)
            return
        parts = [count(row.pictures, "picture")]
        parts += [] if row.confidence is None else [f"confidence {row.confidence:.2f}"]
        parts += [f"{row.corrected:,} corrected"] if row.corrected else []
        if row.pictures:
            parts.append("least sure first" if self.lowest_first else "surest first")
        heading.styles.text_wrap = "wrap" if row.why else "nowrap"
        heading.update(Text.assemble((plain(row.name), "bold"), "   ", (row.why or " · ".join(parts), "dim")))

    def say_facts(self) -> None:
        """The line below: the picture under the cursor."""
        line, picture = self.query_one("#facts", Static), self.picture_at_cursor
        text = Text("", style="dim", overflow="ellipsis", no_wrap=True)
        if picture is not None and self.pictures is not None:
            text.append(f"{self.grid.cursor + 1:,}/{len(self.pictures):,}  ")
            tops = "  ".join(f"{plain(t.name)} {t.share:.2f}" for t in picture.top[:3])
            said = "you said so" if picture.corrected else tops
            text.append(name_cut(picture.name, max(12, line.size.width // 2)), style="not dim").append(f" · {said}")
        line.update(text, layout=False)

    @property
    def picture_at_cursor(self) -> ClassPicture | None:
        """The picture under the cursor of the grid, if it is read."""
        if self.pictures is None or not 0 <= self.grid.cursor < len(self.pictures):
            return None
        picture = self.pictures.picture(self.grid.cursor)
        return picture if isinstance(picture, ClassPicture) else None

    # What is remembered

    def remember(self) -> None:
        """Keeps what the next start of the app restores."""
        if self.view is not None and self.view.run is not None and self.row is not None:
            self._remembered = {"class": self.row.id, "lowest_first": self.lowest_first}
            self.shoebox.state[STATE] = dict(self._remembered)

    # What the user does

    @on(ClassList.Moved)
    def _class_moved(self) -> None:
        self._say_heading()
        self.remember()
        if self._settling is not None:
            self._settling.stop()
        self._settling = self.set_timer(SETTLE_SECONDS, self.want_pictures)

    @on(ClassList.Opened)
    def _list_opened(self) -> None:
        self.grid.focus()

    @on(PictureGrid.CursorMoved)
    def _picture_moved(self) -> None:
        self.say_facts()

    @on(PictureGrid.MarkToggled)
    def _mark_toggled(self, event: PictureGrid.MarkToggled) -> None:
        if event.item is not None:
            self.marks ^= {event.item.image}
            self.grid.refresh_items([event.position])
            self.say_summary()

    @on(ClassEntry.Changed)
    def _entry_changed(self) -> None:
        self.say_summary()

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        """Where there is no room for both, the list gives way to the pictures while these are walked through."""
        self._make_room()

    def on_resize(self) -> None:
        """The line on top is as long as the screen."""
        self._make_room()
        self.say_summary()

    def _make_room(self) -> None:
        self.set_class(self.has_class("-narrow") and self.grid.has_focus, "-in-pictures")

    def action_swap(self) -> None:
        """From the list to the pictures, and back; in the form to the next field."""
        if self.showing == RESULTS:
            (self.class_list if self.grid.has_focus else self.grid).focus()
        elif self.showing == CLASSES:
            self.focus_next()

    def action_class(self, by: int) -> None:
        """Another class, from wherever the focus is."""
        self.class_list.action_move(by)

    def action_sort(self) -> None:
        """The least sure first, or the surest."""
        self.lowest_first = not self.lowest_first
        self._say_heading()
        self.remember()
        self.want_pictures()

    def action_rounds(self) -> None:
        """The rounds of the run that goes on, or of the last one."""
        self.switch_to(ROUNDS)

    def action_back(self) -> None:
        """To the classes and their pictures; out of the pictures to the list."""
        if self.view is not None and self.view.run is not None:
            self.switch_to(RESULTS)
        elif self.showing == CLASSES:
            self.entry.query_one("#set").focus()
        else:
            self.switch_to(CLASSES)


def accuracy_words(share: float, low: float, high: float) -> str:
    """An estimate with its interval: 91 % (83 to 96)."""
    return f"{100 * share:.0f} % ({100 * low:.0f} to {100 * high:.0f})"
