"""What is typed: keys that came while the terminal was being probed, and bytes that are no text."""

from __future__ import annotations

import codecs
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textual.app import App

    from tui.graphics.terminal import Terminal


def replay_keys(app: App[Any], terminal: Terminal) -> None:
    """Gives the app what was typed during the probe. To be called once it takes keys (`on_ready`)."""
    if not terminal.typed:
        return
    from textual import events
    from textual._xterm_parser import XTermParser

    parser = XTermParser()
    text = terminal.typed.decode("utf-8", "replace")
    for message in (*parser.feed(text), *parser.feed("")):
        if isinstance(message, events.Key):
            app.post_message(message)


def take_any_bytes() -> None:
    """Has Textual read what is no UTF-8 as a sign of its own. It would end the app, and a pasted file name may be so.

    To be called before the app runs.
    """
    from textual.drivers import linux_driver

    def forgiving(encoding: str) -> Any:
        return partial(codecs.getincrementaldecoder(encoding), "replace")

    linux_driver.getincrementaldecoder = forgiving  # type: ignore[attr-defined]
