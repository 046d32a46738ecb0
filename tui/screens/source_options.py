"""What to take of a source, and how it is downloaded: asked before it starts, each with what it is otherwise."""

from __future__ import annotations

from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Label, Select, Static

from core.errors import ShoeboxError, UsageError

FIELDS = {
    "sample": ("sample", "all", "so many pictures, evenly spaced over all there are"),
    "limit": ("limit", "no limit", "no more downloads than this"),
    "after": ("after", "the beginning", "posts after a date (2026-01-31), or an age such as 30d"),
    "before": ("before", "now", "posts before it"),
    "endpoint": ("endpoint", "Amazon, or as AWS_ENDPOINT_URL and R2_ACCOUNT_ID say", "https://HOST of the bucket"),
    "region": ("region", "found out", "of the bucket, such as eu-west-1"),
    "anonymous": ("anonymous", "", "without keys, even if there are some"),
    "allow_private": ("private hosts", "", "download from your own network, too: asked each time"),
    "retry_failed": ("failed ones", "", "try again what failed before: asked each time"),
    "max_file_mb": ("largest file", "512", "MB; larger ones are refused"),
}
"""Of each option what it is called, what holds where nothing is said, and what it means."""
SWITCHES = ("anonymous", "allow_private", "retry_failed")
NUMBERS = ("sample", "limit", "max_file_mb")
_OF_ALL = ("allow_private", "retry_failed", "max_file_mb")
OF_KIND = {
    "folder": ("sample",),
    "urls": ("sample", "limit", *_OF_ALL),
    "reddit": ("after", "before", "limit", "sample", *_OF_ALL),
    "bucket": ("sample", "limit", "endpoint", "region", "anonymous", *_OF_ALL),
}
"""Which of them a kind of source has."""


class SourceOptionsScreen(ModalScreen[dict[str, Any] | None]):
    """Gives every option of the kind, 0 or "" where there is none; None where nothing was changed."""

    CSS_PATH = "modals.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Close", id="options.close"),
        Binding("ctrl+s", "take", "Take them", id="options.take"),
    ]
    DEFAULT_CSS = """
    SourceOptionsScreen VerticalScroll { width: 90%; max-width: 100; height: auto; max-height: 95%;
        border: round $accent; background: $surface; padding: 0 1; }
    SourceOptionsScreen .field { height: 1; }
    SourceOptionsScreen .field Label { width: 15; }
    SourceOptionsScreen .field Input, SourceOptionsScreen .field Select { width: 1fr; }
    SourceOptionsScreen .what { height: auto; color: $text-muted; padding: 0 0 0 15; }
    SourceOptionsScreen #wrong { height: auto; color: $text-error; }
    SourceOptionsScreen .buttons { height: 1; }
    """

    def __init__(self, kind: str, values: dict[str, Any]) -> None:
        super().__init__()
        self._names = OF_KIND[kind]
        self._values = values

    def compose(self) -> ComposeResult:
        """A line an option, and a line of what it means."""
        with VerticalScroll() as box:
            box.border_title = "what to take of it"
            box.border_subtitle = "enter takes it · esc"
            for name in self._names:
                title, otherwise, meaning = FIELDS[name]
                value = self._values.get(name)
                with Horizontal(classes="field"):
                    yield Label(title)
                    if name in SWITCHES:
                        choices = (("no", False), ("yes", True))
                        yield Select(choices, value=bool(value), allow_blank=False, compact=True, id=name)
                    else:
                        yield Input(str(value or ""), placeholder=otherwise, compact=True, id=name)
                yield Static(Content(meaning), classes="what")
            yield Static("", id="wrong")
            with Horizontal(classes="buttons"):
                yield Button("Take these", variant="primary", compact=True, id="take")

    def on_mount(self) -> None:
        """At the first."""
        self.query_one(f"#{self._names[0]}").focus()

    @on(Input.Submitted)
    @on(Button.Pressed, "#take")
    def action_take(self) -> None:
        """What was filled in, if it makes sense."""
        try:
            self.dismiss({name: self._value(name) for name in self._names})
        except ShoeboxError as error:
            self.query_one("#wrong", Static).update(Content(str(error)))

    def _value(self, name: str) -> Any:
        if name in SWITCHES:
            return self.query_one(f"#{name}", Select).value
        text = self.query_one(f"#{name}", Input).value.strip()
        if name in NUMBERS:
            if text and not (text.isdecimal() and text.isascii()):
                raise UsageError(f"{FIELDS[name][0]}: {text!r} is no number", "give a number, or nothing")
            return int(text or 0)
        if name in ("after", "before"):
            from core.sources.reddit import checked_time

            checked_time(text)
        return text


def options_words(kind: str, values: dict[str, Any]) -> str:
    """The options that are not as they are by themselves, in a few words."""
    said = []
    for name in OF_KIND[kind]:
        if value := values.get(name):
            title = FIELDS[name][0]
            said.append(title if name in SWITCHES else f"{title} {value:,}" if name in NUMBERS else f"{title} {value}")
    return ", ".join(said)
