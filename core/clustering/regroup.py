"""What a run does not group anew: frozen clusters, or, when only some pictures are grouped, all the others."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.catalog import clusterings
from core.clustering.representatives import measure_centres, members, previews
from core.clustering.silhouette import silhouette

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from core.catalog.clusterings import ClusteringRecord, NewCluster
    from core.catalog.database import Database
    from core.clustering.settings import ClusterSettings
    from core.clustering.vectors import Vectors

Assignment = tuple[int, int | None, float]


@dataclass(frozen=True)
class Kept:
    """Pictures that keep their places: `members`, image id to (cluster or None, score), and those clusters.

    `touched`: the numbers of the clusters that are to be measured anew. `frozen`: whether that is why they are kept.
    """

    members: dict[int, tuple[int | None, float]]
    clusters: dict[int, NewCluster]
    touched: frozenset[int]
    frozen: bool

    def said(self, grouped: int) -> tuple[str, ...]:
        """In words, for the route of a run that grouped the others."""
        if not (self.frozen and self.clusters):
            return ()
        numbers = ", ".join(map(str, sorted(self.clusters)))
        which, have = ("clusters", "are") if len(self.clusters) > 1 else ("cluster", "is")
        return (
            f"{which} {numbers} {have} frozen and kept as before ({len(self.members):,} pictures); the number of "
            f"clusters and the sizes asked for are about the other {grouped:,}",
        )


def keep_frozen(db: Database, last: ClusteringRecord | None) -> Kept:
    """The frozen clusters of a run with all their members, trashed and missing ones too."""
    clusters = clusterings.to_carry_over(db, last.id) if last else {}
    frozen = {number: cluster for number, cluster in clusters.items() if cluster.frozen}
    if last is None or not frozen:
        return Kept({}, {}, frozenset(), frozen=True)
    return Kept(clusterings.placed(db, last.id, list(frozen)), frozen, frozenset(frozen), frozen=True)


def keep_rest(
    db: Database, last: ClusteringRecord, placed: dict[int, tuple[int | None, float]], grouped: set[int]
) -> Kept:
    """All of a run but the pictures `grouped`. A cluster that these are all of is not kept: its number is free."""
    rest = {image: place for image, place in placed.items() if image not in grouped}
    clusters = clusterings.to_carry_over(db, last.id)
    leaving: dict[int, int] = {}
    for image in grouped:
        number = placed[image][0]
        if number is not None:
            leaving[number] = leaving.get(number, 0) + 1
    clusters = {number: c for number, c in clusters.items() if leaving.get(number, 0) < c.size}
    return Kept(rest, clusters, frozenset(leaving) & clusters.keys(), frozen=False)


def remeasured(
    kept: Kept,
    new: Sequence[NewCluster],
    assignments: Sequence[Assignment],
    image_ids: NDArray[np.int64],
    vectors: Vectors,
    settings: ClusterSettings,
) -> tuple[list[NewCluster], list[Assignment], float]:
    """The clusters kept and new as one run, the assignments of what was kept, and the silhouette overall.

    The touched clusters are measured from the vectors that there are; a member without one keeps its score. The
    silhouettes of touched and new clusters are those among all clusters. `assignments` are those of the new ones;
    `vectors` [N, D] are of `image_ids` [N].
    """
    clusters = {**kept.clusters, **{c.number: c for c in new}}
    index = {number: place for place, number in enumerate(clusters)}
    number_of = {image: number for image, (number, _) in kept.members.items()}
    number_of.update((image, number) for image, number, _ in assignments)
    labels = np.array([index.get(number_of.get(i) or -1, -1) for i in image_ids.tolist()], dtype=np.int32)
    scores = {image: score for image, (_, score) in kept.members.items()}
    for number in sorted(kept.touched):
        rows = np.flatnonzero(labels == index[number])
        if not len(rows):
            del clusters[number]  # none of it is there any more
            continue
        clusters[number] = _measured(clusters[number], image_ids, vectors, rows, settings, scores)
    quality = silhouette(vectors, labels, len(index))
    for number in (*kept.touched, *(c.number for c in new)):
        if number in clusters:
            value = float(quality.per_cluster[index[number]])
            clusters[number] = dataclasses.replace(clusters[number], silhouette=value)
    # A picture in the trash may be of a cluster that is there no more.
    others = [(i, number if number in clusters else None, scores[i]) for i, (number, _) in kept.members.items()]
    return list(clusters.values()), others, quality.overall


def _measured(
    cluster: NewCluster,
    image_ids: NDArray[np.int64],
    vectors: Vectors,
    rows: NDArray[np.int64],
    settings: ClusterSettings,
    scores: dict[int, float],
) -> NewCluster:
    """The cluster as it stands with the members `rows`, whose scores are put into `scores`."""
    own, ids = vectors[rows], image_ids[rows]
    labels = np.zeros(len(rows), np.int32)
    centres = measure_centres(own, labels, 1)
    scores.update(zip(ids.tolist(), centres.scores.tolist(), strict=True))
    shown = previews(own, members(labels, centres.scores, 0), uniqueness=settings.uniqueness, count=settings.previews)
    return dataclasses.replace(
        cluster,
        size=len(rows),
        representative=int(ids[centres.representatives[0]]),
        cohesion=float(centres.cohesion[0]),
        previews=ids[shown].tolist(),
        centre=centres.directions[0].astype("<f2").tobytes(),
    )
