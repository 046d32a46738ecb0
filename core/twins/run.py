"""Finds the near-twins of a project, and keeps the last findings beside its catalog."""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from core.catalog import encoders, rows
from core.clustering.vectors import Tick, no_tick, unit_rows
from core.errors import ShoeboxError, UsageError
from core.twins.groups import twin_groups
from core.twins.keep import DEFAULT, best_first, parse_rule, said
from core.twins.pairs import EXACT

if TYPE_CHECKING:
    from pathlib import Path

    from core.catalog.encoders import EncoderRecord
    from core.catalog.rows import Candidate
    from core.clustering.vectors import Vectors
    from core.project import Project

THRESHOLD = 0.97
LOWEST = 0.8
"""Below, pictures are of one kind, no twins: that is what clusters are for."""
FILE_NAME = "twins.json"


@dataclass(frozen=True)
class TwinGroup:
    """Image ids: the one to keep, and the rest, nearest first, each with its cosine to it (1 for a copy)."""

    keep: int
    rest: list[int]
    scores: list[float]
    copies: int
    """How many of the rest have the very same content."""


@dataclass(frozen=True)
class Twins:
    """What was found, the largest groups first. `pictures` were looked at, `rest` of them could go."""

    threshold: float
    keep: str
    encoder: str
    route: str
    pictures: int
    rest: int
    seconds: float
    groups: list[TwinGroup]


def find_twins(
    project: Project,
    record: EncoderRecord,
    *,
    threshold: float = THRESHOLD,
    keep: str = DEFAULT,
    seed: int = 0,
    tick: Tick = no_tick,
) -> Twins:
    """Groups pictures, trash left out, whose cosines are all `threshold` or more; copies are together in any case.

    `keep` is a rule of core.twins.keep. The findings are written to the project (`read_twins`). Raises UsageError for
    a threshold or rule that makes no sense, ShoeboxError where nothing is embedded or the disk takes no more.
    """
    if not LOWEST <= threshold <= 1:
        raise UsageError(f"a threshold of {threshold:g} finds no twins", f"choose one from {LOWEST} to 1, such as 0.97")
    rule = parse_rule(keep)
    began = time.monotonic()
    with project.database() as db:
        image_ids, found = encoders.embedded_images(db, record.id)
        if not found:
            raise ShoeboxError("no picture is embedded", "shoebox embed does that")
        vectors = project.vector_file(record).read(encoders.get(db, record.id).rows)
        contents, number = np.unique(np.array(found, dtype=np.int64), return_counts=True)
        groups = twin_groups(vectors, contents, threshold, seed=seed, tick=tick) if threshold < 1 else []
        grouped = {row for group in groups for row in group}
        groups += [[row] for row in contents[number > 1].tolist() if row not in grouped]
        tick("choosing the best", 0.0)
        pictures = _pictures(rows.candidates_at(db, record.id, [row for group in groups for row in group]))
    chosen = [[picture for row in group for picture in pictures.get(row, ())] for group in groups]
    twins = [_group(best_first(group, rule), vectors) for group in chosen if len(group) > 1]
    twins.sort(key=lambda group: -len(group.rest))
    result = Twins(
        threshold=threshold,
        keep=said(rule),
        encoder=record.label,
        route="every pair compared" if len(contents) <= EXACT else "compared by pivot lists",
        pictures=len(image_ids),
        rest=sum(len(group.rest) for group in twins),
        seconds=round(time.monotonic() - began, 3),
        groups=twins,
    )
    _write(project.directory / FILE_NAME, asdict(result))
    return result


def read_twins(project: Project) -> Twins | None:
    """The last findings, or None. Pictures in it may be in the trash or gone by now."""
    try:
        with open(project.directory / FILE_NAME, encoding="utf-8") as file:
            data = json.load(file)
        return Twins(**data | {"groups": [TwinGroup(**group) for group in data["groups"]]})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _pictures(candidates: list[Candidate]) -> dict[int, list[Candidate]]:
    found: dict[int, list[Candidate]] = {}
    for candidate in candidates:
        found.setdefault(candidate.row, []).append(candidate)
    return found


def _group(best: list[Candidate], vectors: Vectors) -> TwinGroup:
    kept, rest = best[0], best[1:]
    points = unit_rows(vectors, np.array([picture.row for picture in best]))
    scores = np.minimum(points[1:] @ points[0], 1).astype(float)
    scores[[picture.row == kept.row for picture in rest]] = 1.0
    order = np.argsort(-scores, kind="stable")
    return TwinGroup(
        keep=kept.image,
        rest=[rest[place].image for place in order],
        scores=[round(float(scores[place]), 5) for place in order],
        copies=sum(picture.row == kept.row for picture in rest),
    )


def _write(path: Path, data: dict[str, Any]) -> None:
    """Aside and renamed: a reader finds the old findings or the new ones."""
    aside = path.with_name(f".{path.name}.partial")
    try:
        with open(aside, "w", encoding="utf-8") as file:
            json.dump(data, file)
        aside.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            aside.unlink()
        raise ShoeboxError(f"cannot write {path} ({error.strerror})", "free some space and run again") from error
