"""Errors that say what happened and what to do about it.

Everything a user may meet derives from ShoeboxError: one line, no traceback. Anything else that
escapes is a defect; the command line logs it and names the log.
"""

from __future__ import annotations


class ShoeboxError(Exception):
    """What happened (`what`) and what the user can do next (`todo`, may be empty)."""

    exit_code = 1

    def __init__(self, what: str, todo: str = "") -> None:
        super().__init__(what, todo)
        self.what = what
        self.todo = todo

    def __str__(self) -> str:
        return f"{self.what}: {self.todo}" if self.todo else self.what


class UsageError(ShoeboxError):
    """The request itself cannot be carried out as put (impossible numbers, unknown names)."""

    exit_code = 2


class CancelledError(ShoeboxError):
    """The user, or a client on the user's behalf, cancelled the work."""

    exit_code = 130


class PictureError(ShoeboxError):
    """One picture cannot be used. The reason goes into the catalog; it never stops a run."""
