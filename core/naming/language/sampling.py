"""The clusters to be named, with the pictures that the model is shown of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.catalog import clusterings, encoders, sources
from core.clustering.representatives import measure_centres
from core.errors import ShoeboxError, UsageError
from core.naming.samples import samples

if TYPE_CHECKING:
    from core.catalog.clusterings import Cluster, ClusteringRecord
    from core.catalog.database import Database
    from core.clustering.vectors import Vectors
    from core.project import Project

ON_A_SHEET = 9
NEIGHBOURS = 4


@dataclass(frozen=True, slots=True)
class Sample:
    """A picture that is shown to the model."""

    image: int
    content: bytes
    url: str
    """Where it can be had by anybody; empty for a file of the user's."""


@dataclass(frozen=True, slots=True)
class Sampled:
    """A cluster with its samples, those nearest the centre first, and the clusters most like it."""

    cluster: Cluster
    labelled: tuple[Sample, ...]
    sheet: tuple[Sample, ...]
    neighbours: tuple[int, ...]

    @property
    def number(self) -> int:
        """The cluster's number."""
        return self.cluster.number

    @property
    def shown(self) -> tuple[int, ...]:
        """The ids of all pictures that the model learns from."""
        return tuple(dict.fromkeys(s.image for s in (*self.labelled, *self.sheet)))


def sampled_clusters(
    project: Project,
    db: Database,
    run: ClusteringRecord,
    *,
    numbers: Sequence[int] | None,
    per_cluster: int,
    seed: int,
) -> list[Sampled]:
    """The clusters `numbers` of a run (None: all), largest first. Same seed, same samples.

    Raises UsageError for a number there is not, ShoeboxError where the clusters have no pictures left.
    """
    found = clusterings.clusters_of(db, run.id)
    unknown = sorted(set(numbers or ()) - {c.number for c in found})
    if unknown:
        there = ", ".join(str(c.number) for c in sorted(found, key=lambda c: c.number))
        raise UsageError(f"there is no cluster {unknown[0]}", f"there are {there}")
    members, labels, vectors = _members(project, db, run, found)
    if not len(members):
        raise ShoeboxError("the clusters hold no pictures", "shoebox cluster makes new ones")
    present = np.unique(labels)
    centres = measure_centres(vectors, np.searchsorted(present, labels).astype(np.int32), len(present)).directions
    likeness = centres @ centres.T
    np.fill_diagonal(likeness, -np.inf)
    result: list[Sampled] = []
    for place, cluster in enumerate(found):
        if place not in present or (numbers is not None and cluster.number not in numbers):
            continue
        row = int(np.searchsorted(present, place))
        mine = np.flatnonzero(labels == place)
        count = max(per_cluster, ON_A_SHEET)
        shown, _ = samples(vectors[mine], centres[row], count, seed)
        chosen = [members[mine[index]] for index in shown]
        near = [present[other] for other in np.argsort(-likeness[row])[: min(NEIGHBOURS, len(present) - 1)]]
        result.append(
            Sampled(
                cluster,
                labelled=tuple(chosen[place] for place in _evenly(len(chosen), per_cluster)),
                sheet=tuple(chosen[place] for place in _evenly(len(chosen), ON_A_SHEET)),
                neighbours=tuple(found[other].number for other in near),
            )
        )
    return result


def _members(
    project: Project, db: Database, run: ClusteringRecord, found: Sequence[Cluster]
) -> tuple[list[Sample], np.ndarray[tuple[int], np.dtype[np.int32]], Vectors]:
    """Every picture of the clusters by id, beside it the place of its cluster in `found`, and its vector."""
    place_of = {cluster.number: place for place, cluster in enumerate(found)}
    remote = {source.id for source in sources.all_sources(db) if source.kind != "folder"}
    rows = db.execute(
        "SELECT i.id, i.hash, i.source, i.path, a.cluster, e.row FROM assignments a JOIN images i ON i.id = a.image"
        " JOIN embeddings e ON e.encoder = ? AND e.hash = i.hash WHERE a.clustering = ? AND a.cluster IS NOT NULL"
        " AND i.missing = 0 AND i.trashed = 0 AND i.status = 'ready' ORDER BY i.id",
        (run.encoder, run.id),
    ).fetchall()
    rows = [row for row in rows if row["cluster"] in place_of]
    members = [Sample(r["id"], r["hash"], _url(r["path"]) if r["source"] in remote else "") for r in rows]
    labels = np.array([place_of[r["cluster"]] for r in rows], dtype=np.int32)
    record = encoders.get(db, run.encoder)
    vectors = project.vector_file(record).read(record.rows)[[r["row"] for r in rows]]
    return members, labels, vectors


def _url(path: bytes) -> str:
    text = path.decode("utf-8", "replace")
    return text if text.startswith(("https://", "http://")) and text.isprintable() else ""


def _evenly(count: int, wanted: int) -> list[int]:
    """Places of `wanted` of `count`, evenly spread over them, the first among them."""
    if wanted >= count:
        return list(range(count))
    return [place * count // wanted for place in range(wanted)]
