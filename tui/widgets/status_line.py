"""The line above the keys: pictures, encoder, and the job that runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text
from textual.widget import Widget

from core.catalog.jobs import Job
from tui.facts import Facts
from tui.figures import count, dollars, duration

if TYPE_CHECKING:
    from tui.app import ShoeboxApp


class StatusLine(Widget):
    """One line. What does not fit is cut with a mark."""

    DEFAULT_CSS = "StatusLine { height: 1; background: $surface; color: $text-muted; padding: 0 1; }"

    _drawn: Text | None = None

    def catch_up(self) -> None:
        """Draws anew if it has anything else to say: a job tells of itself several times a second."""
        if self._words() != self._drawn:
            self.refresh()

    def render(self) -> Text:
        """Draws it."""
        self._drawn = self._words()
        return self._drawn

    def _words(self) -> Text:
        app: ShoeboxApp = self.app  # type: ignore[assignment]
        if app.leader:
            return Text("go to: press the number of a screen, esc to stay", no_wrap=True, overflow="ellipsis")
        left = Text(facts_words(app.facts), no_wrap=True, overflow="ellipsis")
        right = Text(job_words(app.job)) if app.job is not None else Text("")
        room = self.size.width - right.cell_len - (2 if right else 0)
        left.truncate(max(room, 0), overflow="ellipsis", pad=bool(right))
        if right:
            left.append("  ")
        return left + right


def facts_words(facts: Facts) -> str:
    """A project in one line."""
    if not facts.images:
        return facts.encoder_label or "nothing embedded yet"
    parts = [count(facts.images, "picture"), f"{facts.embedded:,} embedded"]
    if facts.failed:
        parts.append(f"{facts.failed:,} failed")
    if facts.clusters:
        parts.append(count(facts.clusters, "cluster"))
    parts.append(facts.encoder_label)
    return " · ".join(part for part in parts if part)


def job_words(job: Job) -> str:
    """A job in a few words."""
    kind = job.kind.replace("_", " ")
    if job.ended:
        how = {"done": "done", "failed": "failed", "cancelled": "cancelled"}[job.state]
        return f"{kind} {how}"
    if job.cancel:
        return f"{kind}: cancelling …"
    if job.paused:
        return f"{kind}: paused"
    return f"{_how_far(job)}{_spent(job.progress)}"


def _spent(data: dict[str, Any]) -> str:
    """What a language model was asked so far, and what that took."""
    if not data.get("calls"):
        return ""
    cost = data.get("cost")
    return f" · {count(data['calls'], 'call')}" + ("" if cost is None else f" · {dollars(cost)}")


def _how_far(job: Job) -> str:
    data = job.progress
    stage = str(data.get("stage", "waiting" if job.state == "queued" else "starting"))
    if data.get("total"):
        share = (data.get("done", 0) + data.get("failed", 0)) / data["total"]
        eta = data.get("eta_seconds")
        return f"{stage} {share:.0%}" + (f", {duration(eta)} left" if eta else "")
    if "share" in data:
        return f"{stage} {data['share']:.0%}"
    return stage
