"""Keys typed while the terminal was being probed, handed to the app as if they came now."""

from __future__ import annotations

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
