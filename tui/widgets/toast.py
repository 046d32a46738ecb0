"""Textual's toasts, without the one that stops the app."""

from __future__ import annotations

from textual.notifications import Notification
from textual.widgets import _toast

LEAST_SECONDS = 0.1


class LastingToast(_toast.Toast):
    """A toast whose time may be over before it is there, as when another screen comes up just then.

    Textual (8.2.8) would then set a timer to less than no time, and such a timer takes the loop for ever.
    """

    def __init__(self, notification: Notification) -> None:
        super().__init__(notification)
        self._timeout = max(self._timeout, LEAST_SECONDS)


def use_lasting_toasts() -> None:
    """Has every screen show its notifications so."""
    _toast.Toast = LastingToast  # type: ignore[misc]
