"""How pictures are sorted: encoder, device and clustering, chosen before it begins."""

from __future__ import annotations

import dataclasses
import os

from textual import on, work
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tui.facts import short_path
from tui.screens.base import ShoeboxScreen
from tui.screens.choose import ChooseScreen
from tui.sorting import NAMES, Wishes, explained, options_for, unless_chosen, weights_words
from tui.widgets.vim_list import VimList


class WishList(VimList):
    """Encoder, device and clustering."""


class WishScreen(ShoeboxScreen):
    """Has a list of wishes, and a line that explains."""

    def __init__(self) -> None:
        super().__init__()
        self.wishes = Wishes()
        self.weights = ("", False)
        """What is said of the encoder's weights, and whether they are to be downloaded."""
        self._weights_file = ""

    def refresh_from_catalog(self) -> None:
        """The project, or its last encoder, may be another: the wishes follow unless they were chosen."""
        self.take_wishes()

    def take_wishes(self) -> None:
        """As they were left, or as the settings have them."""
        kept = self.shoebox.state.get("wishes")
        wishes = Wishes.of(self.shoebox.settings, self.facts.encoder, kept if isinstance(kept, dict) else {})
        if wishes != self.wishes or not self.weights[0] or self._file_of(wishes.encoder) != self._weights_file:
            self.wishes = wishes
            self._show_wishes()

    def _show_wishes(self) -> None:
        self._weights_file = self._file_of(self.wishes.encoder)
        rows = self.query_one(WishList)
        before = rows.highlighted
        rows.set_options(
            [Option(Content.assemble((f"{title:<12}", "dim"), self._shown_wish(name))) for name, title in NAMES.items()]
        )
        rows.highlighted = before or 0
        self._look_for_weights(self.wishes.encoder, self._weights_file)

    def _file_of(self, spec: str) -> str:
        """The file that an encoder's weights are read from: by the settings, or as the project was embedded."""
        settings, facts = self.shoebox.settings, self.facts
        if settings.weights:
            return settings.weights if spec == unless_chosen(settings, facts.encoder) else ""
        return facts.weights if spec == facts.encoder and not settings.encoder else ""

    @work(thread=True, exclusive=True, group="weights", exit_on_error=False)
    def _look_for_weights(self, spec: str, file: str) -> None:
        words = weights_words(spec, file)
        self.app.call_from_thread(self._show_weights, spec, file, words)

    def _show_weights(self, spec: str, file: str, weights: tuple[str, bool]) -> None:
        if (spec, file) == (self.wishes.encoder, self._weights_file):  # and not what was asked before
            self.weights = weights
            self._explain_wish(self.query_one(WishList).highlighted or 0)

    @on(OptionList.OptionHighlighted, "#wishes")
    def _wish_moved(self, event: OptionList.OptionHighlighted) -> None:
        self._explain_wish(event.option_index)

    @on(OptionList.OptionSelected, "#wishes")
    def _wish_chosen(self, event: OptionList.OptionSelected) -> None:
        name = list(NAMES)[event.option_index]
        hint = "or type one: open_clip:MODEL/TAG, timm:MODEL.TAG" if name == "encoder" else "or type another"
        check = lambda value: self.wishes.with_value(name, value)  # noqa: E731
        self.app.push_screen(
            ChooseScreen(NAMES[name], options_for(name), getattr(self.wishes, name), check, hint),
            lambda value: self.wish(name, value),
        )

    def wish(self, name: str, value: str | None) -> None:
        """Sets one of them."""
        if value is not None:
            self.wishes = self.wishes.with_value(name, value)
            self.shoebox.state["wishes"] = dataclasses.asdict(self.wishes)
            self._show_wishes()

    def _explain_wish(self, row: int) -> None:
        name = list(NAMES)[row]
        own = name == "encoder" and bool(self._weights_file)
        words = "weights of your own, from this file" if own else explained(name, getattr(self.wishes, name))
        self.explain(f"{NAMES[name]} {self._shown_wish(name)}: {words}")

    def _shown_wish(self, name: str) -> str:
        """A wish as it is shown: weights from a file go by the file's name."""
        if name == "encoder" and self._weights_file:
            return short_path(os.fsencode(os.path.basename(self._weights_file)))
        return _short(getattr(self.wishes, name))

    def explain(self, words: str) -> None:
        """Says something below the list, after what is to be said of the weights."""
        self.query_one("#explained", Static).update(
            Content.assemble((self.weights[0], "bold" if self.weights[1] else ""), "\n", words)
        )


def _short(spec: str) -> str:
    """An encoder's name without its library."""
    return spec.removeprefix("open_clip:").removeprefix("timm:")
