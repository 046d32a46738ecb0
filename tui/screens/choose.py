"""A small window to choose one value, explained; or to type another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option as Row

from core.errors import ShoeboxError
from tui.sorting import Option
from tui.widgets.vim_list import VimList


class ChooseScreen(ModalScreen[str | None]):
    """Gives the value chosen, None where nothing was."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Close", id="choose.close"),
        Binding("slash", "type", "Type", key_display="/", id="choose.type"),
    ]
    DEFAULT_CSS = """
    ChooseScreen #choose { width: 90%; max-width: 96; height: auto; max-height: 90%; border: round $accent;
        background: $surface; padding: 0 1; }
    ChooseScreen VimList { height: auto; max-height: 14; border: none; background: $surface; text-wrap: wrap; }
    ChooseScreen VimList:focus { border: none; }
    ChooseScreen Input { height: 1; border: none; background: $panel; margin: 1 0 0 0; }
    ChooseScreen Static { height: auto; color: $text-muted; }
    """

    def __init__(
        self, title: str, options: Sequence[Option], present: str, check: Callable[[str], object], hint: str = ""
    ) -> None:
        super().__init__()
        self._title, self._options, self._present, self._check, self._hint = title, options, present, check, hint

    def compose(self) -> ComposeResult:
        """Its parts."""
        with Vertical(id="choose") as box:
            box.border_title = self._title
            box.border_subtitle = "enter takes it · / types another · esc"
            rows = [Row(_prompt(option), id=str(number)) for number, option in enumerate(self._options)]
            yield VimList(*rows)
            yield Input(placeholder=self._hint or "or type another")
            yield Static("", id="wrong")

    def on_mount(self) -> None:
        """Begins."""
        values = [value for value, _, _ in self._options]
        choices = self.query_one(VimList)
        choices.highlighted = values.index(self._present) if self._present in values else 0
        choices.focus()

    def action_type(self) -> None:
        """Goes to the field."""
        self.query_one(Input).focus()

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self._take(self._options[event.option_index][0])

    @on(Input.Submitted)
    def _typed(self, event: Input.Submitted) -> None:
        if event.value.strip():
            self._take(event.value.strip())

    def _take(self, value: str) -> None:
        try:
            self._check(value)
        except ShoeboxError as error:
            self.query_one("#wrong", Static).update(Content(str(error)))
        else:
            self.dismiss(value)


class ConfirmScreen(ModalScreen[bool]):
    """Asks before something that takes a while or costs something."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,enter", "dismiss(True)", "Yes", id="confirm.yes"),
        Binding("n,escape", "dismiss(False)", "No", id="confirm.no"),
    ]
    DEFAULT_CSS = """
    ConfirmScreen Static { width: auto; max-width: 76; height: auto; border: round $accent; background: $surface;
        padding: 1 2; }
    """

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title, self._text = title, text

    def compose(self) -> ComposeResult:
        """Its parts."""
        box = Static(Content(self._text))
        box.border_title = Content(self._title)
        box.border_subtitle = Content.from_markup(
            "[@click=screen.dismiss(True)]y yes[/] · [@click=screen.dismiss(False)]n no[/]"
        )
        yield box


def _prompt(option: Option) -> Content:
    _, label, words = option
    return Content.assemble((f"{label}\n", "bold"), (f"  {words}", "dim"))
