"""What a run of annotation is asked: the classes as they are typed, the prompts that come of them, and the method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input, Label, Select, SelectionList, Static, TextArea
from textual.worker import get_current_worker

from core.annotation.classes import ClassList, parse_classes
from core.catalog.classes import Prompts
from core.errors import ShoeboxError, UsageError
from tui.annotation import EncoderChoice, check_head, head_in, prompts_shown
from tui.figures import count
from tui.widgets.class_words import (
    METHODS,
    OWN,
    PLACEHOLDER,
    PROMPTS,
    WHAT_METHODS_DO,
    encoder_words,
    prompt_words,
)
from tui.widgets.panel import Panel
from tui.widgets.tick_list import TickList

if TYPE_CHECKING:
    from core.annotation.head_file import SavedHead

SETTLE_SECONDS = 0.15
"""After the last key the prompts are made anew."""
_BESIDE_ENCODER = 17
"""Columns of an encoder's line that are taken: the words before it, its box, and room around."""


@dataclass(frozen=True)
class Wanted:
    """What is asked of a run. `head`: the file of a trained one, None for the words; `embed`: whether an encoder has
    pictures to read first.
    """

    classes: ClassList
    prompts: Prompts
    method: str
    threshold: float | None
    head: str | None
    encoders: tuple[dict[str, str], ...]
    embed: bool


class ClassEntry(Horizontal):
    """The form. It holds what is typed, and nothing of it is recorded before a run is asked for."""

    DEFAULT_CSS = """
    ClassEntry {
        #typing { width: 2fr; }
        #typing TextArea { border: none; padding: 0; height: 1fr; background: $background; scrollbar-size-vertical: 1; }
        #typing TextArea:focus { border: none; }
        #notes { height: auto; color: $warning; }
        #asking { width: 3fr; }
        .field { height: 1; }
        .field Label { width: 11; color: $text-muted; }
        .field Input, .field Select { width: 1fr; }
        #method-words { height: auto; color: $text-muted; padding-left: 11; }
        TickList { height: auto; max-height: 6; border: none; padding: 0; background: $background; width: 1fr; }
        TickList:focus { border: none; background-tint: transparent; }
        #encoder-row { height: auto; margin-top: 1; }
        #encoder-row Label { width: 11; color: $text-muted; }
        .wrong { color: $error; height: auto; }
        #prompt-scroll { height: 1fr; margin-top: 1; border-top: solid $panel; scrollbar-size-vertical: 1; }
        #prompts { height: auto; }
    }
    """

    class Changed(Message):
        """Something else is asked."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._choices: list[EncoderChoice] = []
        self._recorded = ""
        self._settling: Timer | None = None
        self._loaded: tuple[str | None, SavedHead | ShoeboxError | None] = (None, None)
        """The head that was read last, and its file."""

    def compose(self) -> ComposeResult:
        """The text at left, all else at right."""
        with Panel(id="typing", classes="panel") as typing:
            typing.border_title, typing.border_subtitle = "classes, one a line", "esc leaves the text"
            yield TextArea(placeholder=PLACEHOLDER, id="text", compact=True, highlight_cursor_line=False)
            yield Static("", id="notes", markup=False)
        with Panel(id="asking", classes="panel") as asking:
            asking.border_title = "how"
            with Horizontal(classes="field"):
                yield Label("prompts")
                yield Select(PROMPTS, value="auto", allow_blank=False, compact=True, id="set")
            with Horizontal(classes="field", id="own-row"):
                yield Label("your own")
                yield Input(placeholder="a drawing of a {}; a sketch of a {}", compact=True, id="own")
            with Horizontal(classes="field"):
                yield Label("method")
                yield Select(METHODS, value="auto", allow_blank=False, compact=True, id="method")
            yield Static("", id="method-words", markup=False)
            with Horizontal(classes="field"):
                yield Label("none from")
                yield Input(placeholder="0 to 1; empty: each has a class", compact=True, id="threshold")
            with Horizontal(classes="field"):
                yield Label("head")
                yield Input(placeholder="a file that H saved, or nothing", compact=True, id="head")
            with Horizontal(id="encoder-row"):
                yield Label("encoders")
                yield TickList[int](id="encoders", compact=True)
            yield Static("", classes="wrong", markup=False)
            with VerticalScroll(id="prompt-scroll", can_focus=False):
                yield Static("", id="prompts", markup=False)

    def on_mount(self) -> None:
        """Begins."""
        self.query_one("#own-row").display = False
        self._say()

    # What is typed

    @property
    def text(self) -> str:
        """The classes as they are typed."""
        return self.query_one(TextArea).text

    @property
    def is_edited(self) -> bool:
        """Whether the text is another than that of the classes in force."""
        return self.text.strip() != self._recorded.strip()

    def type_in(self, text: str) -> None:
        """Puts classes in place of those that are typed; the user may still undo it (ctrl+z)."""
        area = self.query_one(TextArea)
        area.replace(text, (0, 0), area.document.end)

    def take_recorded(self, text: str, prompts: Prompts) -> None:
        """Follows the classes in force, unless the user is typing others."""
        edited, first = self.is_edited, not self._recorded
        self._recorded = text
        if not edited and self.text.strip() != text.strip():
            self.query_one(TextArea).text = text
        if first or not edited:
            self._show_prompts_of(prompts)

    def _show_prompts_of(self, prompts: Prompts) -> None:
        templates = isinstance(prompts, list) or prompts not in [value for _, value in PROMPTS]
        self.query_one("#set", Select).value = OWN if templates else prompts
        if templates:
            self.query_one("#own", Input).value = prompts if isinstance(prompts, str) else "; ".join(prompts)

    def take_settings(self, method: str, threshold: float | None, head: str | None) -> None:
        """What the last run was asked."""
        if method in WHAT_METHODS_DO:
            self.query_one("#method", Select).value = method
        self.query_one("#threshold", Input).value = "" if threshold is None else f"{threshold:g}"
        self.query_one("#head", Input).value = head or ""

    def take_encoders(self, choices: Sequence[EncoderChoice], used: Sequence[dict[str, str]] = ()) -> None:
        """Shows these encoders; those chosen stay chosen. At first they are those of the last run, or the first."""
        if list(choices) == self._choices:
            return
        before = [self._choices[n].label for n in self.query_one(SelectionList).selected]
        self._choices = list(choices)
        chosen = before or [c.label for c in choices if c.given in used] or [c.label for c in choices if c.words][:1]
        self._list_encoders(chosen)
        self._say()

    def _list_encoders(self, chosen: Sequence[str]) -> None:
        listed = self.query_one(SelectionList)
        room = self.query_one("#encoder-row").size.width - _BESIDE_ENCODER
        with self.prevent(SelectionList.SelectedChanged):
            listed.clear_options()
            listed.add_options(
                [(encoder_words(choice, room), at, choice.label in chosen) for at, choice in enumerate(self._choices)]
            )

    def on_resize(self) -> None:
        """The names of encoders take the room there is."""
        listed = self.query_one(SelectionList)
        before = listed.highlighted
        self._list_encoders([self._choices[at].label for at in listed.selected])
        listed.highlighted = before

    # What is asked

    def wanted(self) -> Wanted:
        """What is asked of a run. Raises UsageError where something is missing or wrong."""
        listed = parse_classes(self.text)
        chosen = [self._choices[at] for at in sorted(self.query_one(SelectionList).selected)]
        if not chosen:
            raise UsageError("no encoder is chosen", "tick one: tab goes there, space ticks")
        mute = [choice.label for choice in chosen if not choice.words]
        if mute:
            raise UsageError(f"{mute[0]} knows no words", "choose an encoder with text, such as a CLIP")
        return Wanted(
            listed,
            self._prompts(),
            str(self.query_one("#method", Select).value),
            self._threshold(),
            self._head(listed, chosen),
            tuple(choice.given for choice in chosen),
            any(choice.embedded < choice.images or not choice.images for choice in chosen),
        )

    def _prompts(self) -> Prompts:
        chosen = str(self.query_one("#set", Select).value)
        if chosen != OWN:
            return chosen
        own = [part.strip() for part in self.query_one("#own", Input).value.split(";") if part.strip()]
        if not own:
            raise UsageError("no sentence of your own is typed", "write one with {} in place of the name")
        return own

    def _threshold(self) -> float | None:
        text = self.query_one("#threshold", Input).value.strip()
        try:
            value = float(text) if text else None
        except ValueError:
            value = -1.0
        if value is not None and not 0 <= value <= 1:
            raise UsageError(f"{text} is no score of none", "give a number from 0 to 1, or leave it empty")
        return value

    def _head(self, listed: ClassList, chosen: Sequence[EncoderChoice]) -> str | None:
        path, head = self._head_path(), self._loaded_head()
        if path and len(chosen) > 1:
            raise UsageError("a head is of one encoder, and there are several", "tick one, or leave the head out")
        if head is not None:
            check_head(head, listed, chosen[0])
        return path

    def _head_path(self) -> str | None:
        text = self.query_one("#head", Input).value.strip()
        return str(Path(text).expanduser().absolute()) if text else None

    def _loaded_head(self) -> SavedHead | None:
        """The head that is asked for, once it was read; None for none. Raises ShoeboxError where the file has none."""
        path, head = self._loaded
        if path != self._head_path():
            return None
        if isinstance(head, ShoeboxError):
            raise head
        return head

    @work(thread=True, exclusive=True, group="head", exit_on_error=False)
    def _load_head(self, path: str) -> None:
        found = head_in(path)
        if self.is_attached:
            self.app.call_from_thread(self._take_head, path, found)

    def _take_head(self, path: str, found: SavedHead | ShoeboxError) -> None:
        self._loaded = path, found
        if not isinstance(found, ShoeboxError) and not self.text.strip() and path == self._head_path():
            self.type_in("\n".join(found.classes))
        self._say()

    # What is said of it

    @on(TextArea.Changed)
    @on(TextArea.SelectionChanged)
    @on(Input.Changed)
    @on(Select.Changed)
    @on(SelectionList.SelectedChanged)
    def _typed(self) -> None:
        if self._settling is not None:
            self._settling.stop()
        self._settling = self.set_timer(SETTLE_SECONDS, self._say)

    def _say(self) -> None:
        if not self.is_mounted:
            return
        self.query_one("#own-row").display = self.query_one("#set", Select).value == OWN
        self.query_one("#method-words", Static).update(WHAT_METHODS_DO[str(self.query_one("#method", Select).value)])
        wrong, notes, title = "", "", "classes, one a line"
        path = self._head_path()
        if path is not None and path != self._loaded[0]:
            self._load_head(path)
        try:
            head = self._loaded_head()
            if self.text.strip():
                listed = parse_classes(self.text)
                notes = "\n".join(listed.notes)
                title = count(len(listed.classes), "class", "classes")
                self._make_prompts(listed, self._prompts(), head, self.query_one(TextArea).cursor_location[0])
                self.wanted()
            else:
                self.query_one("#prompts", Static).update("The sentences that pictures are compared with appear here.")
        except ShoeboxError as error:
            wrong = str(error)
        for selector, words in (("#notes", notes), (".wrong", wrong)):
            line = self.query_one(selector, Static)
            line.display = bool(words)
            line.update(words)
        typing = self.query_one("#typing")
        if typing.border_title != title:
            typing.border_title = title
        self.post_message(self.Changed())

    @work(thread=True, exclusive=True, group="prompts", exit_on_error=False)
    def _make_prompts(self, listed: ClassList, prompts: Prompts, head: SavedHead | None, line: int) -> None:
        worker = get_current_worker()
        try:
            named, found = prompts_shown(listed, prompts, head)
        except ShoeboxError as error:
            words = Text(str(error))
        else:
            words = prompt_words(named, found, self._name_at(line))
        if not worker.is_cancelled and self.is_attached:
            self.app.call_from_thread(self.query_one("#prompts", Static).update, words)

    def _name_at(self, line: int) -> str:
        """The class of the line that is typed at; empty where it has none."""
        lines = self.text.splitlines()
        try:
            return parse_classes(lines[line]).names[0] if line < len(lines) else ""
        except UsageError:
            return ""
