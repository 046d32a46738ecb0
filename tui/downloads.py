"""Says what will be downloaded, before it is."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from core.catalog import downloads, sources
from core.catalog.paths import shown
from core.errors import ShoeboxError, UsageError
from core.sources.places import REMOTE, Place
from tui import options
from tui.figures import count

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.project import Project
    from core.sources.forecast import Forecast
    from tui.stages import Request


def announce(request: Request, project: Project, environment: Mapping[str, str]) -> None:
    """A line on stderr for every source that is downloaded: how many pictures, and roughly how much.

    Raises UsageError for options that do not fit: before any work.
    """
    from core.sources.forecast import foresee

    with project.database() as db:
        remote = [source for source in sources.all_sources(db) if source.kind in REMOTE]
        known = downloads.counts(db)
    if request.quiet:
        return
    for source in remote:
        asked = source.options | request.source
        place = Place(source.kind, os.fsdecode(source.root), "")  # type: ignore[arg-type]  # one of REMOTE
        try:
            forecast = foresee(place, asked, environment)
        except UsageError:
            raise
        except ShoeboxError:  # what is here can be worked on all the same, and the job says it in the end
            continue
        options.error(f"{shown(source.root)}: {said(forecast, source.kind, asked)}")
        for line in forecast.bad:
            options.error(f"  {line}")
        if forecast.bad_lines > len(forecast.bad):
            options.error(f"  and {forecast.bad_lines - len(forecast.bad):,} more such lines")
    if remote and known.known:
        options.error(f"known so far: {count(known.known, 'URL')}, {known.done:,} of them here")


def said(forecast: Forecast, kind: str, asked: Mapping[str, Any]) -> str:
    """A forecast in words."""
    if forecast.pictures is None:
        parts = ["how many pictures there are is not known beforehand"]
        bounds = [f"{name} {asked[name]}" for name in ("after", "before") if asked.get(name)]
        parts += [f"posts {' and '.join(bounds)}"] if bounds else []
    else:
        least = "more than " if forecast.more else ""
        noun = "URL" if kind == "urls" else "picture"
        parts = [least + count(forecast.pictures, noun)]
        if forecast.size:
            parts.append(f"{forecast.size / 1e6:,.1f} MB")
    if forecast.repeated:
        parts.append(f"{forecast.repeated:,} listed twice")
    if forecast.bad_lines:
        parts.append(f"{count(forecast.bad_lines, 'line')} passed over")
    parts += [_taken(forecast, name, int(asked[name])) for name in ("sample", "limit") if asked.get(name)]
    return ", ".join(parts)


def _taken(forecast: Forecast, name: str, number: int) -> str:
    words = f"a sample of {number:,}" if name == "sample" else f"at most {number:,}"
    if forecast.pictures and forecast.size and not forecast.more and number < forecast.pictures:
        words += f" (about {forecast.size / 1e6 * number / forecast.pictures:,.1f} MB)"
    return words
