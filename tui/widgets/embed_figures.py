"""How far an embedding is, in figures: bar, rate, time left, devices, and what it waits on."""

from __future__ import annotations

import textwrap
import time
from collections import deque
from typing import Any, ClassVar

from rich.text import Text
from textual.widget import Widget

from core.catalog.jobs import Job
from tui.facts import Facts
from tui.figures import count, duration
from tui.widgets.bars import bar, sparkline
from tui.widgets.ink import ink

RATES = 60
"""Rates remembered, one a second."""
MOST_DEVICES = 4
_IN_HAND = {
    "loading": "it stops as soon as the encoder is loaded",
    "downloading": "it stops with the next piece of the download",
    "clustering": "it stops after this step of the clustering",
}
"""What a stage finishes before it stops, where that may take a while."""


class EmbedFigures(Widget):
    """Draws one job. Without a job it says what to do."""

    DEFAULT_CSS = """
    EmbedFigures { height: auto; min-height: 3; }
    EmbedFigures > .embed-figures--bar { color: $primary; }
    EmbedFigures > .embed-figures--quiet { color: $text-muted; }
    EmbedFigures > .embed-figures--bad { color: $error; }
    EmbedFigures > .embed-figures--good { color: $success; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"embed-figures--{kind}" for kind in ("bar", "quiet", "bad", "good")}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._job: Job | None = None
        self._rates: deque[float] = deque(maxlen=RATES)
        self._rated = 0.0
        self._lines = 0

    def on_mount(self) -> None:
        """Begins: where nothing is counted, at least the time is."""
        self.set_interval(1, self._tick)

    def _tick(self) -> None:
        job = self._job
        if job is not None and not job.ended and job.progress.get("stage") != "embedding" and self.screen.is_active:
            self.refresh()

    def show(self, job: Job | None) -> None:
        """Draws a job as it stands now."""
        if job is not None and self._job is not None and job.id != self._job.id:
            self._rates.clear()
        self._job = job
        rate = None if job is None or job.ended else job.progress.get("images_per_second")
        if rate is not None and time.monotonic() - self._rated >= 1:
            self._rated = time.monotonic()
            self._rates.append(rate)
        lines = self._text(max(self.size.width, 40)).plain.count("\n") + 1
        self.refresh(layout=lines != self._lines)
        self._lines = lines

    def render(self) -> Text:
        """Draws it."""
        return self._text(self.size.width)

    def _text(self, width: int) -> Text:
        facts: Facts = self.app.facts  # type: ignore[attr-defined]
        if self._job is None:
            words = "nothing was embedded yet: choose a folder on the Source screen (g 1)"
            return Text(words, no_wrap=True, overflow="ellipsis")
        styles = {kind: ink(self, f"embed-figures--{kind}") for kind in ("bar", "quiet", "bad", "good")}
        lines = lines_of(self._job, facts, list(self._rates), width, styles)
        for line in lines:
            line.no_wrap, line.overflow = True, "ellipsis"
            line.truncate(width, overflow="ellipsis")
        return Text("\n").join(lines)


def lines_of(job: Job, facts: Facts, rates: list[float], width: int, styles: dict[str, Any]) -> list[Text]:
    """A job in lines of `width` cells."""
    data = job.progress
    if job.ended:
        return _ended(job, facts, width, styles)
    lines = [_first(job, rates, width, styles)]
    if data.get("stage") == "embedding":
        lines.append(Text(_what(data), styles["quiet"]))
        if "downloads" in data:
            lines.append(_coming(data["downloads"], width, styles))
        lines += [_device(device, data, width, first=n == 0) for n, device in enumerate(data["devices"][:MOST_DEVICES])]
        if len(data["devices"]) > MOST_DEVICES:
            lines.append(Text(f"and {len(data['devices']) - MOST_DEVICES} devices more", styles["quiet"]))
    elif data.get("stage") == "fetching":
        lines.append(
            Text(_missed(data) or "what is here is embedded as soon as the first picture came", styles["quiet"])
        )
    elif data.get("message"):
        lines.append(Text(str(data["message"]), styles["quiet"]))
    if held := _held(job):
        lines.append(Text(held, styles["bad"]))
    return lines


def _first(job: Job, rates: list[float], width: int, styles: dict[str, Any]) -> Text:
    """The bar, with what there is to count."""
    data = job.progress
    stage = str(data.get("stage", "waiting its turn" if job.state == "queued" else "starting"))
    share, words = _fetched(data) if stage == "fetching" else _counted(data)
    if share is None:
        return Text(" · ".join(part for part in (stage, words, _elapsed(data)) if part))
    tail = f"  {words}"
    if stage == "embedding":
        curve = sparkline(rates, max(min(width - 74, 40), 0))
        tail += f"  {curve + ' ' if curve else ''}{data['images_per_second']:,.0f} img/s"
        if data["eta_seconds"] is not None:
            tail += f"  ETA {duration(data['eta_seconds'])}"
    else:
        tail = f" {stage}" + tail + (f"  {spent}" if (spent := _elapsed(data)) else "")
    room = max(width - len(tail), 8)
    return Text.assemble((bar(share, room), styles["bar"]), tail)


def _counted(data: dict[str, Any]) -> tuple[float | None, str]:
    """The share that is done, None where nothing tells, and the count in words."""
    stage = data.get("stage")
    if stage == "scanning":
        return None, f"{count(data.get('found', 0), 'picture')} found"
    if stage == "embedding":
        seen = data["done"] + data["failed"]
        share = seen / data["total"] if data["total"] else 1.0
        return share, f"{seen:,} / {data['total']:,}  {share:.0%}"
    if stage == "downloading":
        return _downloaded(str(data.get("what", "")), data.get("done") or 0, data.get("total"))
    if "share" in data:
        return float(data["share"]), f"{data['share']:.0%}"
    if data.get("total"):
        return data.get("done", 0) / data["total"], f"{data.get('done', 0):,} / {data['total']:,}"
    return None, ""


def _downloaded(what: str, done: float, total: float | None) -> tuple[float | None, str]:
    if not total:
        return None, f"{what} {done / 1e6:,.0f} MB so far"
    return done / total, f"{what} {done / 1e6:,.0f} of {total / 1e6:,.0f} MB"


def _brought(came: dict[str, Any]) -> str:
    """What the downloads of a job came to."""
    words = f" · {came['downloaded']:,} downloaded, {came['megabytes']:,.1f} MB"
    reasons = came["in_all"]["reasons"]
    if reasons:
        words += ", " + ", ".join(f"{number:,} {reason}" for reason, number in reasons.items()) + " (f; r tries again)"
    return words


def _fetched(data: dict[str, Any]) -> tuple[float | None, str]:
    """How far the downloads are: done and missed of those known; + while more are being listed."""
    seen = data["done"] + data["failed"] + data["refused"]
    more = "+" if data["listing"] else ""
    words = f"{seen:,} / {data['total']:,}{more}  {data['megabytes']:,.1f} MB  {data['pictures_per_second']:,.1f}/s"
    return (seen / data["total"] if data["total"] else None), words


def _missed(data: dict[str, Any]) -> str:
    """What did not come, by reason."""
    parts = [f"{number:,} {reason}" for reason, number in data["reasons"].items()]
    return f"{' · '.join(parts)} (f)" if parts else ""


def _coming(data: dict[str, Any], width: int, styles: dict[str, Any]) -> Text:
    """The downloads beside an embedding, in a line."""
    share, words = _fetched(data)
    over = not data["listing"] and (share is None or share >= 1)
    state = "downloaded" if over else "downloading"
    missed = _missed(data)
    tail = f"  {words}" + (f"  {missed}" if missed else "")
    room = max(min(width // 4, width - len(state) - len(tail) - 1), 8)
    return Text.assemble(f"{state} ", (bar(share or 0.0, room), styles["bar"]), tail)


def _elapsed(data: dict[str, Any]) -> str:
    """For how long the stage goes on, where nothing else tells that something does."""
    return duration(max(time.time() - data["since"], 0)) if "since" in data else ""


def _what(data: dict[str, Any]) -> str:
    parts = [data["encoder"], data["precision"], f"batch {data['batch_size']}"]
    words = " · ".join(part for part in parts if part)
    extra = [f"{data[name]:,} {name}" for name in ("unchanged", "reused") if data[name]]
    if data["failed"]:
        extra.append(f"{data['failed']:,} failed (f)")
    return words + ("   " + " · ".join(extra) if extra else "")


def _device(device: dict[str, Any], data: dict[str, Any], width: int, *, first: bool) -> Text:
    """A device, and on the first line the machine and what everything waits on."""
    parts = [str(device["name"])]
    bars = 10 if width >= 100 else 0
    if device["utilisation"] is not None:
        parts.append(f"util {_meter(device['utilisation'], bars)}")
    if device["memory_used"] is not None and device["memory_total"]:
        parts.append(f"mem {device['memory_used'] / 1e9:.1f} / {device['memory_total'] / 1e9:.0f} GB")
    if first and data["cpu"] is not None:
        parts.append(f"CPU {_meter(data['cpu'], bars)}")
    if first and data["bottleneck"]:
        parts.append(f"waiting on: {data['bottleneck']}")
    over = sum(len(part) for part in parts) + 3 * (len(parts) - 1) - width
    if over > 0:  # of all this the name can best be shortened
        parts[0] = parts[0][: max(len(parts[0]) - over - 1, 8)] + "…"
    return Text("   ".join(parts))


def _meter(share: float, width: int) -> str:
    return f"{bar(share, width) + ' ' if width else ''}{share:.0%}"


def _held(job: Job) -> str:
    if job.cancel:
        return f"cancelling: {_IN_HAND.get(str(job.progress.get('stage')), 'what is in hand is finished')}"
    if job.paused:
        return "paused: p goes on"
    return f"the worker died; this is attempt {job.attempts}" if job.attempts > 1 else ""


def _ended(job: Job, facts: Facts, width: int, styles: dict[str, Any]) -> list[Text]:
    """How a job ended, and what to do now."""
    if job.state == "failed":
        return [
            Text("failed", styles["bad"]),
            *(Text(line) for line in textwrap.wrap(job.error or "", width)),  # what to do stands at its end
            Text("e tries again; what was done is kept", styles["quiet"]),
        ]
    holds = f"{facts.embedded:,} of {count(facts.images, 'picture')} embedded"
    if facts.failed:
        holds += f", {facts.failed:,} failed (f)"
    if job.state == "cancelled":
        return [
            Text("cancelled: everything done so far is kept", styles["bad"]),
            Text(holds),
            Text("e goes on from there", styles["quiet"]),
        ]
    result = job.result
    head = f"done: {count(result.get('done', 0), 'picture')} embedded"
    if result.get("done") and result.get("seconds"):
        rate = (result["done"] + result.get("failed", 0)) / max(result["seconds"], 0.01)
        head += f" in {duration(result['seconds'])}, {rate:,.0f} img/s"
    if came := result.get("downloads"):
        holds += _brought(came)
    if facts.clusters:
        holds += f" · {count(facts.clusters, 'cluster')}: g 3"
    todo = Text("e looks for new and changed pictures", styles["quiet"])
    away = result.get("scan", {}).get("unreachable", ())
    left = [Text(f"left as it was: {source['reason']}", styles["bad"]) for source in away]
    return [Text(head, styles["good"]), *left, Text(holds), todo]
