"""What the watcher of a project tells the app, and the app its screens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from core.catalog.jobs import Job
    from tui.facts import Facts


class JobChanged(Message, bubble=False):
    """A job is further than it was, or it began, was held, or ended."""

    def __init__(self, job: Job) -> None:
        super().__init__()
        self.job = job


class FactsChanged(Message, bubble=False):
    """The catalog changed; `facts` are what every screen shows of it."""

    def __init__(self, facts: Facts) -> None:
        super().__init__()
        self.facts = facts


class Trouble(Message, bubble=False):
    """Something that the user should know went wrong beside the screen."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


News = JobChanged | FactsChanged | Trouble
