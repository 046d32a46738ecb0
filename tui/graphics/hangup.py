"""The terminal goes away: its window was closed, or the connection dropped."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textual.app import App

LEAVING_SECONDS = 30.0
"""How long the app may take to leave in good order."""


def leave_on_hangup(app: App[Any]) -> None:
    """Has the app leave as if it were told to, once nobody is at the other end. To be called in its loop.

    Textual alone would stay: its reader goes round without end, and what it writes waits for a thread that died of it.
    """
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, app.exit)
    threading.Thread(target=_watch, args=(loop, app), name="hangup", daemon=True).start()


def _watch(loop: asyncio.AbstractEventLoop, app: App[Any]) -> None:
    """Waits for the end of the terminal. By a thread: the loop may be held up by a frame that nobody takes."""
    poll = select.poll()
    poll.register(0, 0)  # that nobody is there comes unasked, and nothing else does
    poll.poll()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    with contextlib.suppress(RuntimeError):  # the loop has ended already
        loop.call_soon_threadsafe(app.exit)
    time.sleep(LEAVING_SECONDS)
    os._exit(1)
