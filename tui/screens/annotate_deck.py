"""Looking at pictures one by one: each large, with its likeliest classes and what corrections came to.

What lands from a job brings other pictures behind the one under review, and never takes that one away.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from rich.text import Text
from textual import on, work
from textual.widgets import Static

from core.catalog.database import Database
from core.catalog.paths import shown
from tui import reading
from tui.annotation import KEYS, NONE, AnnotationView, ClassPicture, ClassRow, class_pictures
from tui.figures import count
from tui.screens.annotate_browser import ENOUGH, RESULTS, REVIEW, AnnotateBrowser, accuracy_words
from tui.widgets.bars import sparkline
from tui.widgets.cluster_list import name_cut, plain
from tui.widgets.likely_view import Choice, LikelyView
from tui.widgets.picture_grid import PictureGrid
from tui.widgets.picture_zoom import PictureZoom

AHEAD = 12
"""Pictures read before they are looked at."""


class AnnotateDeck(AnnotateBrowser):
    """Browses, and shows one picture of a deck: of the review queue, or of a class."""

    def __init__(self) -> None:
        super().__init__()
        self.deck: list[int] = []
        """The pictures under review, in order."""
        self.at = 0
        """The place of the one that is shown; behind the last where all were."""
        self.of_class: ClassRow | None = None
        """The class whose pictures the deck has; None for the queue."""
        self._queue: tuple[int, list[int]] | None = None
        """The run and the queue that the deck was made from."""
        self._read: dict[int, tuple[ClassPicture, bytes]] = {}
        """What was read of pictures of the deck, and where they lie."""
        self._pictured: int | None = None
        self._going_on = ""
        self._keys: tuple[int, list[int | None]] = (0, [])
        """The picture that is looked at, and the classes of its keys."""

    # The deck

    @property
    def image(self) -> int | None:
        """The picture under review."""
        return self.deck[self.at] if 0 <= self.at < len(self.deck) else None

    @property
    def picture(self) -> ClassPicture | None:
        """What is known of it, once it is read."""
        found = self._read.get(self.image) if self.image is not None else None
        return None if found is None else found[0]

    @property
    def choices(self) -> list[Choice]:
        """The classes that have a key: the likeliest, then others in force."""
        view, picture = self.view, self.picture
        if view is None or picture is None:
            return []
        names = {c.id: c.name for c in view.classes}
        said = picture.class_id if picture.corrected else -1
        found = [
            Choice(t.id, t.name, t.share, t.similarity, found=t.id == picture.found, said=t.id == said)
            for t in picture.top
            if t.id in names
        ]
        known = {choice.id for choice in found}
        found += [Choice(id_, name, said=id_ == said) for id_, name in names.items() if id_ not in known]
        image, keys = self._keys
        if image == picture.image:  # a key stays with its class while the picture is looked at, whatever lands
            found.sort(key=lambda choice: keys.index(choice.id) if choice.id in keys else KEYS)
        else:
            self._keys = (picture.image, [choice.id for choice in found[:KEYS]])
        return found[:KEYS]

    def take_view(self, view: AnnotationView, *rest: Any) -> None:
        """New queues come behind the picture that is shown."""
        before = self.view
        super().take_view(view, *rest)
        if view.run is None:
            return
        if before is None or before.run is None or before.run.id != view.run.id:
            self._read.clear()  # other figures, of the same pictures
        queue = (view.run.id, list(view.run.summary.get("queue", [])))
        if queue != self._queue and self.of_class is None:
            self._queue = queue
            gone_by = self.deck[: self.at + 1] if self.showing == REVIEW else []
            if before is None or before.run is None or before.run.id != view.run.id:
                gone_by = gone_by[-1:] if self.at < len(self.deck) else []
            self.deck = [*gone_by, *(image for image in view.open if image not in gone_by)]
            self.at = max(0, len(gone_by) - 1) if self.at < len(self.deck) else len(gone_by)
        self._show_picture()

    def action_review(self) -> None:
        """Goes to the review queue; begun again where one came to its end."""
        if self.view is None:
            return
        if self.of_class is not None or self.at >= len(self.deck):
            self.of_class, self.deck, self.at = None, list(self.view.open), 0
        self._pictured = None
        self.switch_to(REVIEW)
        self._show_picture()

    @on(PictureGrid.Opened)
    def action_zoom(self) -> None:
        """The pictures of the class, large, from the one under the cursor on."""
        if self.pictures and self.row is not None:
            self.of_class, self.deck, self.at = self.row, list(self.pictures.ids), self.grid.cursor
            self._pictured = None
            self.switch_to(REVIEW)
            self._show_picture()

    def action_back(self) -> None:
        """Out of the review, to the picture one has come to; out of the pictures; at last the marks go."""
        if self.showing == REVIEW and self.of_class is not None and self.pictures is not None:
            try:
                place = self.pictures.ids.index(self.image or 0)
            except ValueError:
                place = self.grid.cursor
            self.switch_to(RESULTS)
            self.grid.cursor = place
            self.grid.focus()
        elif self.showing == RESULTS and self.grid.has_focus:
            self.class_list.focus()
        elif self.showing == RESULTS and self.marks:
            self.marks.clear()
            self.grid.refresh_items(self.grid.visible_positions)
            self.say_summary()
        else:
            super().action_back()

    def _show_picture(self) -> None:
        """Shows the picture under review, and has those around it read."""
        if self.showing != REVIEW:
            return
        around = self.deck[max(0, self.at - 2) : self.at + AHEAD]
        if any(image not in self._read for image in around[: AHEAD // 2]):
            self._read_around([image for image in around if image not in self._read])
        found = self._read.get(self.image) if self.image is not None else None
        if found is not None and self._pictured != self.image:
            self._pictured = self.image
            self.query_one("#large", PictureZoom).show(found[1], found[0].hash)
        if self.image is None and self._pictured is not None:
            self._pictured = None
        self.query_one("#large").display = self.image is not None or bool(self.deck)
        self._say_review()

    @work(thread=True, group="around", exit_on_error=False)
    def _read_around(self, images: Sequence[int]) -> None:
        project, view = self.shoebox.project, self.view
        if project is None or view is None or view.run is None:
            return
        run = view.run

        def ask(db: Database) -> dict[int, tuple[ClassPicture, bytes]]:
            found = class_pictures(db, run, images)
            return {
                image: (picture, reading.file_of(project, db, image))
                for image, picture in found.items()
                if isinstance(picture, ClassPicture)
            }

        def take(found: dict[int, tuple[ClassPicture, bytes]]) -> None:
            if self.view is None or self.view.run is None or self.view.run.id != run.id:
                return
            before = self.image in self._read
            self._read |= found
            gone = {image for image in images if image not in found}
            if gone:  # trashed, or no longer there
                past = sum(image in gone for image in self.deck[: self.at])
                self.deck, self.at = [image for image in self.deck if image not in gone], self.at - past
            if not before or gone:
                self._show_picture()

        self.read(ask, take)

    # What is said

    def title_parts(self) -> list[str]:
        """Where one is in the deck."""
        if self.showing != REVIEW:
            return super().title_parts()
        place = "review" if self.of_class is None else plain(self.of_class.name)
        return [f"{place} {min(self.at + 1, len(self.deck)):,} / {len(self.deck):,}"]

    def _say_review(self) -> None:
        self.say_summary()
        self.refresh_bindings()
        picture, view = self.picture, self.view
        calibrated = view is not None and view.run is not None and bool(view.run.summary.get("calibrated"))
        choices, none = self.choices, None
        if picture is not None:
            said = picture.corrected and picture.class_id is None
            none = Choice(None, NONE, picture.none_score, found=picture.found is None, said=said)
        self.query_one(LikelyView).show(choices, none, estimate=not calibrated)
        self.query_one("#what", Static).update(self._what())
        self.say_effect()

    def _what(self) -> Text:
        if self.image is None:
            if self.deck:
                return Text(
                    "All were shown.\n\nR refines with what you said, and asks for others.  w makes a new queue."
                )
            return Text("There is nothing to review.\n\nw makes a queue of the pictures least sure.")
        picture = self.picture
        if picture is None:
            return Text("reading …", "dim")
        width = max(16, self.query_one("#what").size.width)
        size = f"{picture.width}x{picture.height}" if picture.width else ""
        folder = shown(os.path.dirname(picture.path))
        text = Text(name_cut(picture.name, width), "bold")
        return text.append("\n" + " · ".join(part for part in (size, plain(folder)) if part) + "\n", "not bold dim")

    def say_effect(self, going_on: str | None = None) -> None:
        """What corrections came to; above it, where a run goes on, what it is at."""
        if going_on is not None:
            self._going_on = going_on
        if self.showing == REVIEW:
            self.query_one("#effect", Static).update(self._effect_words())

    def _effect_words(self) -> Text:
        view, found = self.view, self.effect
        if view is None or view.run is None:
            return Text()
        told = int(view.run.summary.get("corrections", 0))
        text = Text("\n")
        if self._going_on:
            text.append(f"● refining: {plain(self._going_on)}\n", "bold")
        text.append(count(view.corrections, "correction"), "bold")
        since = view.corrections - told
        text.append(f", {since:,} since the run: R refines\n" if since > 0 else "\n")
        if view.accuracy is None:
            text.append("accuracy is known once a few pictures that are set aside were corrected\n", "dim")
        else:
            a = view.accuracy
            text.append("accuracy ").append(accuracy_words(a.share, a.low, a.high), "bold")
            text.append(f" by {count(a.count, 'correction')} kept aside\n")
        if found is not None and len(found.estimates) > 1:
            grown = " → ".join(f"{100 * share:.0f}" for _, share, _, _ in found.estimates[-6:])
            curve = sparkline([share for _, share, _, _ in found.estimates], 16)
            text.append(f"run by run {grown} %  {curve}\n", "dim")
        if view.corrections < ENOUGH:
            text.append(f"confidence is an estimate until about {ENOUGH} corrections\n", "dim")
        if found is not None and found.moved:
            text.append(f"\nthe last run moved {count(found.moved, 'picture')}\n")
            for before, after, number in found.ways:
                text.append(f"{number:>6,} {plain(before)} → {plain(after)}\n", "dim")
        suggested = view.run.summary.get("suggested_threshold")
        if suggested is not None:
            text.append(f"\nyour corrections suggest: none from {suggested:.2f}\n", "dim")
        return text
