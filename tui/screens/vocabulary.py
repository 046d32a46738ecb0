"""Names from a vocabulary: which words, and for which clusters. Nothing leaves the machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Label, Select

from core.errors import ShoeboxError, UsageError
from core.naming.words import SOURCES, load_vocabulary

FILE = "file"
VOCABULARIES = (
    ("what suits the encoder", "auto"),
    ("scenes: 800 plain words", "scenes"),
    ("lemmas: 20,000 of ImageNet", "lemmas"),
    ("all: scenes and lemmas", "all"),
    ("pocket: what the pocket model knows", "pocket"),
    ("a file of words, one a line", FILE),
)


@dataclass(frozen=True, slots=True)
class Whom:
    """Which clusters are to be named; None: all whose name is not the user's."""

    title: str
    clusters: tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class ByVocabulary:
    """What was asked: one of SOURCES or a file, and the clusters."""

    vocabulary: str
    clusters: tuple[int, ...] | None


class VocabularyScreen(ModalScreen[ByVocabulary | None]):
    """Gives what was asked, or None. A file is read once before any work."""

    CSS_PATH = "modals.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Close", id="vocabulary.close"),
        Binding("ctrl+s", "apply", "Name them", id="vocabulary.apply"),
    ]

    def __init__(self, present: str, whom: list[Whom]) -> None:
        super().__init__()
        self._file = "" if present in SOURCES else present
        self._present = FILE if self._file else present
        self._whom = whom

    def compose(self) -> ComposeResult:
        """A form of one screen."""
        with Vertical(classes="modal"):
            yield Label("Names from a vocabulary", classes="modal-title")
            with Horizontal(classes="field tight"):
                yield Label("words")
                yield Select(VOCABULARIES, value=self._present, allow_blank=False, compact=True, id="words")
            with Horizontal(classes="field tight"):
                yield Label("file")
                yield Input(self._file, placeholder="with the last choice above", compact=True, id="file")
            with Horizontal(classes="field tight"):
                yield Label("clusters")
                yield whom_select(self._whom)
            yield Label("Your encoder ranks the words; nothing leaves this machine.", id="outcome")
            yield Label("", classes="wrong", markup=False)
            with Horizontal(classes="buttons"):
                yield Button("Name them", variant="primary", compact=True, id="apply")
                yield Button("Cancel", compact=True, id="cancel")

    def on_mount(self) -> None:
        """Enter alone begins: nothing has to be filled in."""
        self.query_one("#apply").focus()

    @on(Input.Submitted)
    @on(Button.Pressed, "#apply")
    def action_apply(self) -> None:
        """Closes with what was asked, or says what is wrong with it."""
        try:
            vocabulary = self._vocabulary()
        except ShoeboxError as error:
            self.query_one(".wrong", Label).update(str(error))
        else:
            self.dismiss(ByVocabulary(vocabulary, whom_of(self, self._whom)))

    @on(Button.Pressed, "#cancel")
    def _cancel(self) -> None:
        self.dismiss(None)

    @on(Input.Changed, "#file")
    def _file_given(self, event: Input.Changed) -> None:
        if event.value.strip():
            self.query_one("#words", Select).value = FILE

    def _vocabulary(self) -> str:
        chosen = str(self.query_one("#words", Select).value)
        if chosen != FILE:
            return chosen
        typed = self.query_one("#file", Input).value.strip()
        if not typed:
            raise UsageError("no file is named", "write the path of a file of words, one a line")
        file = str(Path(typed).expanduser().absolute())
        load_vocabulary(file, pocket=False)
        return file


def whom_select(whom: list[Whom]) -> Select[int]:
    """The choice of clusters."""
    options = [(each.title, number) for number, each in enumerate(whom)]
    return Select(options, value=0, allow_blank=False, compact=True, id="whom")


def whom_of(screen: ModalScreen[Any], whom: list[Whom]) -> tuple[int, ...] | None:
    """The clusters chosen."""
    index = screen.query_one("#whom", Select).value
    return whom[index if isinstance(index, int) else 0].clusters
