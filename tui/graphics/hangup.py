"""The terminal goes away: its window was closed, or the connection dropped."""

from __future__ import annotations

import asyncio
import select
import signal
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textual.app import App

LOOK_SECONDS = 1.0
_GONE = select.POLLHUP | select.POLLERR | select.POLLNVAL


def leave_on_hangup(app: App[Any]) -> None:
    """Has the app leave as if it were told to, once nobody is at the other end. To be called in its loop.

    Textual's reader would go round without end where no signal comes: after `nohup` or `disown`, or where the
    terminal is not the session's own.
    """
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, app.exit)
    app.set_interval(LOOK_SECONDS, lambda: app.exit() if _hung_up() else None)


def _hung_up() -> bool:
    poll = select.poll()
    poll.register(sys.__stdin__ or 0, 0)  # what is asked for beside these comes unasked
    return any(event & _GONE for _, event in poll.poll(0))
