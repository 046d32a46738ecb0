"""Clusters the pictures of a project: reads their vectors, groups them, and records the run.

A run groups all pictures, but for those of frozen clusters; or, if it is told within what, those alone. What it does
not group keeps its clusters, by `regroup.py`.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from core.catalog import clusterings, edits, encoders, images
from core.catalog.clusterings import NewCluster
from core.clustering.matching import MINIMUM, Match, match_clusters
from core.clustering.methods import Clustering, Progress, cluster
from core.clustering.regroup import Kept, keep_frozen, keep_rest, remeasured
from core.errors import CancelledError, ShoeboxError, UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from core.catalog.clusterings import ClusteringRecord
    from core.catalog.database import Database
    from core.catalog.encoders import EncoderRecord
    from core.clustering.settings import ClusterSettings
    from core.clustering.vectors import Vectors
    from core.project import Project

Within = dict[str, Any]
"""{"cluster": number}: split that cluster; {"images": [ids]}: group these pictures anew, apart from all others."""
SPLIT_INTO = 2


def cluster_project(
    project: Project,
    record: EncoderRecord,
    settings: ClusterSettings,
    *,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> int:
    """Clusters every picture that has an embedding of this encoder, trash left out; gives the run's id.

    Numbers, names, tags and marks carry over from the last run by shared members. Frozen clusters keep their
    members: the number of clusters and the sizes asked for are about the rest. Raises UsageError for settings that
    cannot be met, ShoeboxError where nothing is embedded, or a frozen cluster was edited meanwhile.
    """
    with project.database() as db:
        last = clusterings.latest(db)
        image_ids, vectors = _embedded(project, db, record)
        kept = keep_frozen(db, last)
        free = np.array([image not in kept.members for image in image_ids.tolist()], dtype=bool)
        if not free.any():
            raise ShoeboxError("every picture is in a frozen cluster", "unfreeze one, then cluster again")
        found = cluster(vectors[free] if kept.members else vectors, settings, progress=progress, cancelled=cancelled)
        route = "; ".join((found.said, *found.notes, *kept.said(int(free.sum()))))

        def unchanged() -> None:
            _refuse_cancelled(cancelled)
            if keep_frozen(db, clusterings.latest(db)).members != kept.members:
                raise ShoeboxError("frozen clusters were edited while the others were grouped", "cluster again")

        return clusterings.record(
            db,
            encoder=record.id,
            method=found.method,
            route=route,
            settings=dataclasses.asdict(settings) | {"choice": _choice(found)},
            seed=settings.seed,
            seconds=round(found.seconds, 3),
            continues=last.id if last else None,
            check=unchanged,
            **_merged(db, last, kept, found, image_ids, vectors, free, settings),
        )


def recluster(
    project: Project,
    settings: ClusterSettings,
    within: Within,
    *,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> int:
    """Groups some pictures of the last run anew, apart from all others; gives the id of the run this makes.

    The run is the last one, but for these pictures and the clusters they leave. A cluster is split in
    SPLIT_INTO where `settings` ask for no number. Raises UsageError for pictures that cannot be grouped so,
    ShoeboxError where anything was edited meanwhile.
    """
    with project.database() as db:
        last = clusterings.latest(db)
        if last is None:
            raise ShoeboxError("nothing is clustered yet", "shoebox cluster does that")
        position = edits.position(db)
        image_ids, vectors = _embedded(project, db, encoders.get(db, last.encoder))
        placed = clusterings.placed(db, last.id)
        chosen = _chosen(placed, within)
        free = np.array([image in chosen for image in image_ids.tolist()], dtype=bool)
        count = int(free.sum())
        if count < 2:
            raise UsageError(f"{count or 'no'} picture cannot be grouped", "mark at least 2 that are embedded")
        if "cluster" in within and settings.clusters is None and settings.method != "density":
            settings = dataclasses.replace(settings, clusters=SPLIT_INTO)
        found = cluster(vectors[free], settings, progress=progress, cancelled=cancelled)
        kept = keep_rest(db, last, placed, set(image_ids[free].tolist()))
        what = f"cluster {within['cluster']} split" if "cluster" in within else f"{count:,} pictures grouped anew"
        said = f"{what} into {found.clusters}"

        def unchanged() -> None:
            _refuse_cancelled(cancelled)
            if edits.position(db) != position:
                raise ShoeboxError("the clusters were edited while these pictures were grouped", "do it again")

        return clusterings.record(
            db,
            encoder=last.encoder,
            method=last.method,
            route="; ".join((f"{said} by {found.said}", *found.notes, f"the rest as in clustering {last.id}")),
            settings=last.settings,
            seed=last.seed,
            seconds=round(found.seconds, 3),
            said=said,
            continues=last.id,
            check=unchanged,
            **_merged(db, last, kept, found, image_ids, vectors, free, settings),
        )


def _refuse_cancelled(cancelled: Callable[[], bool] | None) -> None:
    """The last look before a run is there for all to see."""
    if cancelled is not None and cancelled():
        raise CancelledError("clustering was cancelled")


def _embedded(project: Project, db: Database, record: EncoderRecord) -> tuple[NDArray[np.int64], Vectors]:
    """The pictures that can be grouped, and beside them their vectors."""
    # By image id, which is the order of paths: embedding commits in whatever order decoding ends.
    image_ids, rows = encoders.embedded_images(db, record.id)
    if not image_ids:
        raise _nothing_embedded(db, record)
    record = encoders.get(db, record.id)  # it may have grown since the caller looked
    return np.array(image_ids), project.vector_file(record).read(record.rows)[rows]


def _nothing_embedded(db: Database, record: EncoderRecord) -> ShoeboxError:
    """Why there is nothing to group, and what to do."""
    if waiting := images.count_to_embed(db, record.id):
        what = "1 picture" if waiting == 1 else f"{waiting:,} pictures"
        return ShoeboxError(
            f"{what} changed or came since this project was embedded, and none is as it was",
            "shoebox embed PATH, then again; what is the same inside is only read, not computed again",
        )
    counts = images.counts(db)
    if counts.failed:
        return ShoeboxError("no picture could be embedded", "shoebox info PATH --failed says what failed")
    where = "in the trash" if counts.trashed else "gone"
    return ShoeboxError(f"every picture is {where}", "restore some, or add some and embed them")


def _chosen(placed: dict[int, tuple[int | None, float]], within: Within) -> set[int]:
    """The pictures to group anew."""
    if "cluster" not in within:
        return placed.keys() & set(within["images"])
    number = int(within["cluster"])
    chosen = {image for image, (cluster, _) in placed.items() if cluster == number}
    if not chosen:
        raise UsageError(f"there is no cluster {number}", "look at the clusters as they are now")
    return chosen


def _merged(
    db: Database,
    last: ClusteringRecord | None,
    kept: Kept,
    found: Clustering,
    image_ids: NDArray[np.int64],
    vectors: Vectors,
    free: NDArray[np.bool_],
    settings: ClusterSettings,
) -> dict[str, Any]:
    """What was found and what was kept, as one run: its clusters, assignments, silhouette, and heirs of names."""
    grouped = image_ids[free]
    old = clusterings.to_carry_over(db, last.id) if last else {}
    match = _matched(db, last, kept, found, grouped)
    clusters = [_new_cluster(found, match, old, grouped, index) for index in range(found.clusters)]
    numbers = [None if label < 0 else int(match.numbers[label]) for label in found.labels]
    assignments = list(zip(grouped.tolist(), numbers, found.scores.tolist(), strict=True))
    silhouette = found.silhouette.overall
    if kept.members:
        clusters, others, silhouette = remeasured(kept, clusters, assignments, image_ids, vectors, settings)
        assignments += others
    heirs = _heirs(clusterings.assigned(db, last.id), assignments) if last else []
    return {"clusters": clusters, "assignments": assignments, "silhouette": _finite(silhouette), "heirs": heirs}


def _matched(
    db: Database, last: ClusteringRecord | None, kept: Kept, found: Clustering, image_ids: NDArray[np.int64]
) -> Match:
    """Which cluster of the last run, among those not kept, each new one continues."""
    before = {
        image: -1 if number is None or number in kept.clusters else number
        for image, number in (clusterings.assigned(db, last.id) if last else ())
        if image not in kept.members
    }
    present = set(image_ids.tolist())
    gone = [image for image in before if image not in present]
    return match_clusters(
        np.array([before.get(image, -1) for image in (*image_ids.tolist(), *gone)], dtype=np.int64),
        np.concatenate([found.labels, np.full(len(gone), -1, np.int32)]),
        found.clusters,
        next_number=clusterings.highest_number(db) + 1,
    )


def _new_cluster(
    found: Clustering, match: Match, old: dict[int, NewCluster], image_ids: NDArray[np.int64], index: int
) -> NewCluster:
    number = int(match.numbers[index])
    before = old.get(number) if match.kept[index] else None
    return NewCluster(
        number=number,
        name=before.name if before else None,
        size=int(found.sizes[index]),
        representative=int(image_ids[found.representatives[index]]),
        cohesion=float(found.cohesion[index]),
        silhouette=_finite(found.silhouette.per_cluster[index]),
        changed=bool(match.changed[index]),
        previews=image_ids[found.previews[index]].tolist(),
        centre=found.centres[index].astype("<f2").tobytes(),
        frozen=bool(before and before.frozen),
        tags=before.tags if before else (),
        name_state=before.name_state if before else None,
        proposal=before.proposal if before else None,
    )


def _heirs(
    old: Iterable[tuple[int, int | None]], new: Iterable[tuple[int, int | None, float]]
) -> list[tuple[int, int]]:
    """The clusters of the last run that do not go on in the new one, and which has the most of each: (old, new).

    `old` and `new` are the members of the two runs. A cluster that is scattered has no heir.
    """
    number_of = {image: number for image, number, _ in new}
    there = set(number_of.values())
    sizes: Counter[int] = Counter()
    went: Counter[tuple[int, int]] = Counter()
    for image, before in old:
        if before is not None and before not in there:
            sizes[before] += 1
            if (now := number_of.get(image)) is not None:
                went[before, now] += 1
    return [pair for pair, count in went.most_common() if count >= MINIMUM * sizes[pair[0]]]


def _choice(found: Clustering) -> dict[str, Any] | None:
    return None if found.choice is None else dataclasses.asdict(found.choice)


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
