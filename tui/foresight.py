"""What a source that is downloaded will come to, in words: looked at beside the screen, for it may take a while."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.catalog import downloads, sources
from core.catalog.database import Database
from core.errors import ShoeboxError
from core.project import reopen
from core.sources.places import Place, beside, parse_place
from tui.figures import count


@dataclass(frozen=True, slots=True)
class Foresight:
    """`words` on a source by its text; `options` as the project remembers them; `wrong`: it cannot be read."""

    text: str
    kind: str
    words: str
    keeps: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    wrong: bool = False
    last: bool = True


def look_ahead(
    text: str,
    directory: Path | None,
    asked: Mapping[str, Any],
    environment: Mapping[str, str],
    tell: Callable[[Foresight], object],
) -> None:
    """Begins to look, in a thread that nobody waits for, and tells of what it sees.

    `directory`: the project that is open; `asked`: options, in place of those that are remembered.
    """
    args = (text, directory, dict(asked), dict(environment), tell)
    threading.Thread(target=_look, args=args, name="foresight", daemon=True).start()


def _look(
    text: str,
    directory: Path | None,
    asked: dict[str, Any],
    environment: dict[str, str],
    tell: Callable[[Foresight], object],
) -> None:
    from core.sources.forecast import foresee
    from tui.downloads import said

    try:
        place = parse_place(text)
    except ShoeboxError as error:
        tell(Foresight(text, "", str(error), wrong=True))
        return
    keeps, options, known = _remembered(place, directory)
    options |= asked
    tell(Foresight(text, place.kind, "looking how many there are …", keeps, options, last=False))
    try:
        forecast = foresee(place, options, environment)
        words = said(forecast, place.kind, options)
    except ShoeboxError as error:
        words = str(error)
    except OSError as error:
        words = f"{text}: {error.strerror or error}"
    tell(Foresight(text, place.kind, " · ".join(part for part in (words, known) if part), keeps, options))


def _remembered(place: Place, directory: Path | None) -> tuple[str, dict[str, Any], str]:
    """Where its project lies, the options in it, and what of it is here; for a place that is new only the first."""
    wanted = (place.kind, os.fsencode(place.root))
    for folder in (directory, beside(place)):
        if folder is None or not folder.is_dir():
            continue
        try:
            with Database(reopen(folder).catalog_path, read_only=True) as db:
                found = [s for s in sources.all_sources(db) if (s.kind, s.root) == wanted]
                counts = downloads.counts(db)
        except Exception:  # a catalog of another version, or damaged: who opens it is told
            continue
        if found:
            known = f"known so far: {count(counts.known, 'URL')}, {counts.done:,} of them here" if counts.known else ""
            return str(folder), dict(found[0].options), known
    return str(beside(place)), {}, ""
