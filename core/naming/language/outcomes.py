"""How a question can end without an answer, and how a call can."""

from __future__ import annotations

from core.errors import ShoeboxError


class ServerError(ShoeboxError):
    """The server cannot be worked with. It ends the run; what was done is kept."""


class NoVisionError(Exception):
    """The model takes no pictures."""


class OverflowedError(Exception):
    """The question is longer than the model can take."""


class UnansweredError(Exception):
    """One question has no answer. Its text says why; `final`: asking again would not help."""

    def __init__(self, reason: str, *, final: bool) -> None:
        super().__init__(reason)
        self.final = final


class BrokenError(Exception):
    """A call came to nothing that may do so the next time."""


class HeldError(Exception):
    """The server asks to wait; `seconds` None: it does not say how long."""

    def __init__(self, seconds: float | None) -> None:
        super().__init__()
        self.seconds = seconds


class OtherwiseError(Exception):
    """To be asked again at once, in another form."""
