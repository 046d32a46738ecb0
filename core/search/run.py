"""Searches a project: the pictures nearest to words, to pictures, or to both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Literal

import numpy as np

from core.catalog import annotation, clusterings, rows
from core.errors import ShoeboxError, UsageError
from core.search.scan import Floats, best_first, cosines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from core.catalog.database import Database
    from core.catalog.encoders import EncoderRecord
    from core.project import Project
    from core.search.query import Term

MOST = 5000
"""Results at most: what a screen can hold, and a job's row."""
UNCLUSTERED = "unclustered"
NO_CLASS = "none"
"""Names for what is in no cluster, and in no class."""
Scale = Literal["cosine", "deviations"]


@dataclass(frozen=True)
class Wanted:
    """What is looked for: a direction [D] of words, one of pictures, or both. See `of_words` and `of_pictures`."""

    words: Floats | None = None
    pictures: Floats | None = None


@dataclass(frozen=True)
class Hit:
    """A content that was found: its pictures (copies of each other, by path) and its score."""

    images: list[int]
    score: float


@dataclass(frozen=True)
class Found:
    """The best, best first. `searched` counts contents. `scale`: what the scores are, see `search`."""

    hits: list[Hit]
    searched: int
    scale: Scale


def of_words(terms: Sequence[Term], vectors: Floats) -> Floats:
    """The direction [D] whose product with a picture is the weighted mean of its cosines to the prompts [n, D]."""
    weights = np.array([term.weight for term in terms], np.float32)
    mean: Floats = weights @ vectors / np.abs(weights).sum()
    return mean


def of_pictures(vectors: Floats) -> Floats:
    """The direction [D] whose product with a picture is the mean of its cosines to these [n, D]."""
    mean: Floats = vectors.mean(axis=0)
    return mean


def search(
    project: Project,
    record: EncoderRecord,
    wanted: Wanted,
    *,
    cluster: str | None = None,
    class_name: str | None = None,
    most: int = 100,
    checkpoint: Callable[[], None] = lambda: None,
) -> Found:
    """The `most` pictures that fit best, trash and missing ones left out, copies together.

    A score is the (weighted mean) cosine. Words and pictures together are measured each on its own scale, for words
    are nearer to all pictures or farther from them than pictures are: then a score is the mean of the two, in
    standard deviations above what is usual here. `cluster`: only inside that one of the last clustering: its number,
    its name, or `unclustered`. `class_name`: only inside this class of the last annotation; `none`: in none of them.
    Raises UsageError where there is no such cluster or class.
    """
    if not 1 <= most <= MOST:
        raise UsageError(f"{most} results cannot be given", f"ask for 1 to {MOST:,}")
    with project.database() as db:
        kept = [_rows_inside(db, record.id, cluster)] if cluster is not None else []
        kept += [_rows_in_class(db, record.id, class_name)] if class_name is not None else []
        inside: NDArray[np.int64] | None = reduce(np.intersect1d, kept) if kept else None
        scores, scale = _scores(project, record, wanted, inside, checkpoint)
        hits: list[Hit] = []
        for places in best_first(scores, most + most // 4):
            _take(db, record.id, hits, scores[places], places if inside is None else inside[places], most)
            checkpoint()
            if len(hits) == most:
                break
    return Found(hits, len(scores), scale)


def _scores(
    project: Project,
    record: EncoderRecord,
    wanted: Wanted,
    inside: NDArray[np.int64] | None,
    checkpoint: Callable[[], None],
) -> tuple[Floats, Scale]:
    queries = [query for query in (wanted.words, wanted.pictures) if query is not None]
    vectors = project.vector_file(record).read(record.rows)
    found = cosines(vectors, np.stack(queries), inside, checkpoint=checkpoint)
    if len(queries) == 1 or not len(found):
        return found[:, 0], "cosine"
    spread = found.std(axis=0)
    return ((found - found.mean(axis=0)) / np.where(spread > 0, spread, 1)).mean(axis=1), "deviations"


def _take(db: Database, encoder_id: int, hits: list[Hit], scores: Floats, found: NDArray[np.int64], most: int) -> None:
    """Adds what is there of these rows, until there are `most`."""
    for start in range(0, len(found), rows.CHUNK):
        part = found[start : start + rows.CHUNK].tolist()
        pictures = rows.pictures_at(db, encoder_id, part)
        for row, score in zip(part, scores[start : start + rows.CHUNK].tolist(), strict=True):
            if len(hits) == most:
                return
            if row in pictures:
                hits.append(Hit(pictures[row], score))


def _rows_inside(db: Database, encoder_id: int, cluster: str) -> NDArray[np.int64]:
    latest = clusterings.latest(db)
    if latest is None:
        raise ShoeboxError("nothing is clustered yet", "shoebox cluster does that")
    if cluster == UNCLUSTERED:
        return rows.rows_of_cluster(db, encoder_id, latest.id, None)
    named = clusterings.called(db, latest.id, cluster)
    inside = [rows.rows_of_cluster(db, encoder_id, latest.id, number) for number in named]
    return np.unique(np.concatenate(inside))


def _rows_in_class(db: Database, encoder_id: int, name: str) -> NDArray[np.int64]:
    run = annotation.latest(db)
    if run is None:
        raise ShoeboxError("nothing is annotated yet", "shoebox annotate does that")
    by_name = {(known.name or NO_CLASS).casefold(): known.id for known in annotation.counts(db, run)}
    if name.casefold() not in by_name:
        raise UsageError(f"there is no class {name}", "name one of the last annotation: shoebox info lists them")
    return rows.rows_of_class(db, encoder_id, run.id, by_name[name.casefold()])
