"""Deciding: a key for each likely class, and the next picture comes at once; or many marked pictures together."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from textual.binding import Binding, BindingType

from core.catalog import classes, edits
from core.catalog.database import Database
from tui.annotation import NONE, ClassRow, class_pictures
from tui.figures import count
from tui.screens.annotate_browser import REVIEW
from tui.screens.annotate_deck import AnnotateDeck
from tui.screens.ask import AskScreen
from tui.screens.pick_class import PickClassScreen, Picked
from tui.widgets.cluster_list import plain


class AnnotateReview(AnnotateDeck):
    """Browses, and corrects: one picture in review, or those marked in the grid."""

    EDITS = "annotation"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "review", "Review", id="annotate.review", tooltip="the pictures least sure, one after the other"),
        Binding("1", "decide(1)", "Decide", key_display="1-9", id="annotate.decide-1", tooltip="the likeliest class"),
        *(Binding(str(n), f"decide({n})", f"Class {n}", show=False, id=f"annotate.decide-{n}") for n in range(2, 10)),
        Binding("0", "decide(0)", "None", id="annotate.none", tooltip="none of the classes"),
        Binding("n", "new_class", "New class", id="annotate.new-class", tooltip="add a class: the picture is of it"),
        Binding("slash", "pick", "Other", key_display="/", id="annotate.pick", tooltip="any class, by its name"),
        Binding("s", "skip", "Skip", id="annotate.skip", tooltip="the next, nothing said of this one"),
        Binding("R", "refine", "Refine", id="annotate.refine", tooltip="again, with what you said"),
        Binding("right,l", "step(1)", "Next", show=False, id="annotate.step-next"),
        Binding("left,h", "step(-1)", "Before", show=False, id="annotate.step-before"),
        Binding("M", "move", "Move to", id="annotate.move", tooltip="the marked pictures, or the one at the cursor"),
        Binding("z", "zoom", "Zoom", id="annotate.zoom", tooltip="this picture large, with what else it may be"),
        Binding("x", "forget", "Take back", show=False, id="annotate.forget", tooltip="what was said of the pictures"),
        Binding("u", "undo", "Undo", id="annotate.undo"),
        Binding("ctrl+r,U", "redo", "Redo", show=False, id="annotate.redo"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._decided: list[tuple[int, int | None]] = []
        """What was decided in this review, the last at the end."""

    def action_decide(self, key: int) -> None:
        """Says which class the picture is of, and goes on."""
        if self.picture is None:
            return
        choices = self.choices
        if key == 0:
            self._decide(None)
        elif key <= len(choices):
            self._decide(choices[key - 1].id)

    def _decide(self, class_id: int | None) -> None:
        image, picture = self.image, self.picture
        if image is None or picture is None:
            return
        file = self._read[image][1]
        self._read[image] = (dataclasses.replace(picture, class_id=class_id, corrected=True), file)
        self._decided.append((image, class_id))
        self.edit(lambda db: classes.correct(db, {image: class_id}))
        self._go_on()

    def _go_on(self) -> None:
        """To the next picture that nothing was said of."""
        said = {image for image, (picture, _) in self._read.items() if picture.corrected}
        self.at += 1
        while self.of_class is None and self.at < len(self.deck) and self.deck[self.at] in said:
            self.at += 1
        if self.of_class is not None:
            self.at = min(self.at, len(self.deck) - 1)
        self._show_picture()

    def action_skip(self) -> None:
        """The next, and nothing is said of this one."""
        self._go_on()

    def action_step(self, by: int) -> None:
        """The picture before or after, whatever was said of it."""
        self.at = max(0, min(self.at + by, len(self.deck) - (0 if self.of_class is None else 1)))
        self._show_picture()

    def action_new_class(self) -> None:
        """Adds a class: the picture under review is its first."""

        def take(name: str | None) -> None:
            if name is not None and name.strip():
                self._correct_to(Picked(new=" ".join(name.split())))

        self.app.push_screen(AskScreen("New class", "", "its name: the picture is of it"), take)

    def action_pick(self) -> None:
        """Any class, by its name."""
        self._ask_class("This picture is")

    def action_move(self) -> None:
        """The marked pictures, or the one under the cursor, are of another class."""
        self._ask_class(f"{count(len(self._chosen()), 'picture')} to")

    def _ask_class(self, title: str) -> None:
        view = self.view
        if view is None:
            return
        counts = {row.id: row for row in view.rows}
        rows = [counts.get(c.id, ClassRow(c.id, c.name)) for c in view.classes]
        rows.append(counts.get(None, ClassRow(None, NONE)))
        self.app.push_screen(PickClassScreen(title, rows), self._picked)

    def _picked(self, picked: Picked | None) -> None:
        if picked is not None:
            self._correct_to(picked)

    def _chosen(self) -> list[int]:
        """The pictures that the user means: those marked, else the one that is looked at."""
        if self.showing == REVIEW:
            return [] if self.image is None else [self.image]
        if self.marks:
            return sorted(self.marks)
        return [self.picture_at_cursor.image] if self.picture_at_cursor is not None else []

    def _correct_to(self, picked: Picked) -> None:
        """Says that pictures are of a class, which may be new: in review the next comes."""
        chosen, reviewing = self._chosen(), self.showing == REVIEW
        if reviewing and not picked.new:
            self._decide(picked.id)
            return

        def work(db: Database) -> int | None:
            class_id = classes.add_class(db, picked.new).id if picked.new else picked.id
            classes.correct(db, dict.fromkeys(chosen, class_id))
            return class_id

        def then(class_id: int | None) -> None:
            if reviewing:
                self._decided += [(image, class_id) for image in chosen]
                self._read_again(chosen)
                if chosen == [self.image]:
                    self._go_on()
            else:
                self.marks.clear()
                words = NONE if class_id is None else picked.new or self._name_of(class_id)
                self.notify(f"{count(len(chosen), 'picture')}: {plain(words)}", timeout=3, markup=False)

        self.edit(work, then)

    def _name_of(self, class_id: int) -> str:
        return next((c.name for c in self.view.classes if c.id == class_id), "") if self.view is not None else ""

    def action_forget(self) -> None:
        """Takes back what was said of the pictures."""
        chosen = self._chosen()

        def then(number: int) -> None:
            self._read_again(chosen)
            words = f"took back what was said of {count(number, 'picture')}" if number else "nothing was said of it"
            self.notify(words, timeout=3)

        self.edit(lambda db: classes.forget(db, chosen), then)

    def _read_again(self, images: Sequence[int]) -> None:
        for image in images:
            self._read.pop(image, None)
        self._show_picture()

    def action_undo(self) -> None:
        """Undoes the last edit; a decision of this review is shown again."""
        last, run = self._decided[-1] if self._decided else None, self.view.run if self.view is not None else None
        if self.showing != REVIEW or last is None or run is None:
            self._time_travel(lambda db: edits.undo(db, of=self.EDITS), "undone")
            return
        image, class_id = last

        def work(db: Database) -> tuple[str | None, Any]:
            return edits.undo(db, of=self.EDITS), class_pictures(db, run, [image]).get(image)

        def then(found: tuple[str | None, Any]) -> None:
            said, picture = found
            self.notify(f"undone: {said}" if said else "nothing to be undone", timeout=3, markup=False)
            undone = picture is not None and not (picture.corrected and picture.class_id == class_id)
            if undone and image in self.deck:
                self._decided.pop()
                self.at = self.deck.index(image)
            self._read.clear()
            self._show_picture()

        self.edit(work, then)

    def _time_travel(self, step: Callable[[Database], str | None], word: str) -> None:
        def then(said: str | None) -> None:
            self.notify(f"{word}: {said}" if said else f"nothing to be {word}", timeout=3, markup=False)
            self._read.clear()
            self._show_picture()

        self.edit(step, then)
