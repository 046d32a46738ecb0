"""Follows a job from a plain command: a progress bar on stderr, Ctrl-C to cancel."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from core.errors import CancelledError, ShoeboxError, UsageError
from tui.figures import device_line, duration

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from core.catalog.jobs import Job
    from core.jobs.client import Client


def follow(client: Client, job_id: int, *, quiet: bool) -> dict[str, Any]:
    """Waits for a job and gives its result.

    The first Ctrl-C asks the job to stop, the second ends the worker, the third waits for neither. Raises the
    error that the job ended with.
    """
    bar = None if quiet else _progress_bar()
    with bar or nullcontext():
        job = _wait(client, job_id, _Shown(bar) if bar else None)
    if job.state == "done":
        return job.result
    if job.state == "cancelled":
        raise CancelledError("cancelled", "what was done so far is kept: the same command goes on from there")
    if job.result.get("exit_code") == UsageError.exit_code:
        raise UsageError(job.error or "failed")
    raise ShoeboxError(job.error or "failed")


def _wait(client: Client, job_id: int, shown: _Shown | None) -> Job:
    interrupts = 0
    while True:
        try:  # around all of it: who presses Ctrl-C twice interrupts the cancelling
            if interrupts == 1:
                client.cancel(job_id)
            elif interrupts == 2:
                client.stop_worker()
            for job in client.watch(job_id):
                if shown is not None:
                    shown.update(job)
            return job
        except KeyboardInterrupt:
            interrupts += 1
            if interrupts > 2:
                raise


def _progress_bar() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
    from rich.table import Column

    return Progress(
        TextColumn("[bold]{task.fields[stage]}", table_column=Column(no_wrap=True, min_width=10)),
        BarColumn(bar_width=16),
        TaskProgressColumn(table_column=Column(no_wrap=True, min_width=4)),
        # What matters least comes last: it is the end that a narrow terminal cuts.
        TextColumn("{task.fields[detail]}", table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1)),
        console=Console(stderr=True),
        transient=True,
        expand=True,
    )


class _Shown:
    """What the bar shows of a job. Every stage begins it anew."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._task: TaskID = bar.add_task("", total=None, stage="waiting", detail="")

    def update(self, job: Job) -> None:
        """Puts a job's progress into words."""
        data = job.progress
        stage = data.get("stage", job.state if job.state == "queued" else "starting")
        done, total, detail = _figures(stage, data)
        if job.cancel and not job.ended:
            detail = "cancelling ..."
        elif job.paused:
            detail = "paused"
        self._bar.update(self._task, stage=stage, completed=done, total=total, detail=_plain(detail))


def _figures(stage: str, data: dict[str, Any]) -> tuple[float, float | None, str]:
    """What is done, of what, and the rest in words."""
    if stage == "scanning":
        return 0, None, f"{data['found']:,} pictures found"
    if stage == "embedding":
        return data["done"] + data["failed"], data["total"], _embedding(data)
    if stage == "fetching":
        return data["done"] + data["failed"] + data["refused"], data["total"] or None, fetching(data)
    if stage == "downloading":
        done, total = data.get("done") or 0, data.get("total") or None
        size = f" of {total / 1e6:,.0f}" if total else ""
        return done, total, f"{data.get('what', '')} {done / 1e6:,.0f}{size} MB"
    if "share" in data:
        return data["share"], 1, data.get("message", "")
    return data.get("done", 0), data.get("total") or None, data.get("message", "")


def fetching(data: dict[str, Any]) -> str:
    """How far downloads are."""
    more = "+" if data["listing"] else ""
    parts = [f"{data['done']:,}/{data['total']:,}{more}"]
    if missed := data["failed"] + data["refused"]:
        parts.append(f"{missed:,} failed")
    parts.append(f"{data['megabytes']:,.0f} MB, {data['pictures_per_second']:,.0f}/s")
    return ", ".join(parts)


def _embedding(data: dict[str, Any]) -> str:
    parts = [f"{data['done']:,}/{data['total']:,}"]
    if coming := data.get("downloads"):
        parts.append(f"downloads {fetching(coming)}")
    if data["failed"]:
        parts.append(f"{data['failed']:,} failed")
    parts.append(f"{data['images_per_second']:,.0f} pictures/s")
    if data["eta_seconds"] is not None:
        parts.append(f"{duration(data['eta_seconds'])} left")
    if data["bottleneck"]:
        parts.append(f"waiting on {data['bottleneck']}")
    parts.extend(device_line(d) for d in data["devices"])
    return ", ".join(parts)


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(text)
