"""What the screens ask of a project: plain answers to quick questions. For threads, not for the loop."""

from __future__ import annotations

import os
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from core.catalog import clusterings, encoders, images, sources
from core.catalog.clusterings import ClusteringRecord
from core.catalog.database import Database
from core.catalog.paths import shown
from core.project import Project

UNCLUSTERED = 0
"""The number under which the unclustered are listed; clusters count from 1."""
TRASH = -1
"""The number under which the trash is listed."""
CHUNK = 8192
"""Vectors compared at a time: 16 MB of float32 at 512 dimensions."""
_OF_USE = "i.missing = 0 AND i.trashed = 0 AND i.status = 'ready'"


@dataclass(frozen=True, slots=True)
class ClusterRow:
    """A line of the list of clusters: a cluster, the unclustered or the trash."""

    number: int
    name: str | None
    size: int
    cohesion: float | None = None
    changed: bool = False
    frozen: bool = False
    tags: tuple[str, ...] = ()
    representative: int = 0

    @property
    def is_cluster(self) -> bool:
        """Whether it can be named, ticked, merged and saved."""
        return self.number > 0

    @property
    def title(self) -> str:
        """What it is called on screen."""
        if self.number == UNCLUSTERED:
            return "unclustered"
        return "trash" if self.number == TRASH else self.name or ""


class Within(Protocol):
    """What a picture is looked at in: a clustering, or what stands for one (id 0: none)."""

    @property
    def id(self) -> int:
        """The clustering."""

    @property
    def encoder(self) -> int:
        """The encoder by whose vectors pictures are alike."""


@dataclass(frozen=True)
class Overview:
    """The last clustering and its clusters, as they stand."""

    clustering: ClusteringRecord
    rows: tuple[ClusterRow, ...]
    encoder: str


@dataclass(frozen=True, slots=True)
class Picture:
    """What is shown of one picture among many. `score` is its cosine to the centre of its cluster."""

    image: int
    hash: bytes
    path: bytes
    size: int
    width: int | None
    height: int | None
    score: float | None

    @property
    def name(self) -> str:
        """The file's name, fit to show."""
        return shown(os.path.basename(self.path))


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known of one picture. `file` is where it lies now."""

    picture: Picture
    file: bytes
    format: str | None
    cluster: int | None
    cluster_name: str | None
    trashed: bool
    missing: bool


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A picture that is like another; `same` where the content is the very same."""

    picture: Picture
    cosine: float
    same: bool


def overview(db: Database) -> Overview | None:
    """The clusters of the last clustering, largest first, then the unclustered and the trash if there are any."""
    latest = clusterings.latest(db)
    if latest is None:
        return None
    rows = [
        ClusterRow(
            c.number,
            c.name,
            c.size,
            c.cohesion,
            c.changed,
            c.frozen,
            tuple(c.tags),
            c.representative,
        )
        for c in clusterings.clusters_of(db, latest.id)
    ]
    unclustered = db.value(  # CROSS JOIN: by the few assignments, not by the many images
        "SELECT count(*) FROM assignments a CROSS JOIN images i ON i.id = a.image"
        f" WHERE a.clustering = ? AND a.cluster IS NULL AND {_OF_USE}",
        (latest.id,),
    )
    for number, size in ((UNCLUSTERED, unclustered), (TRASH, images.counts(db).trashed)):
        if size:
            rows.append(ClusterRow(number, None, size))
    return Overview(latest, tuple(rows), encoders.get(db, latest.encoder).spec)


def picture_ids(db: Database, clustering: int, number: int) -> array[int]:
    """The pictures of a cluster, nearest the centre first; those of the trash by path. Eight bytes each."""
    if number == TRASH:
        rows = db.execute("SELECT id FROM images WHERE missing = 0 AND trashed = 1 ORDER BY source, path")
    else:
        rows = db.execute(
            "SELECT a.image FROM assignments a CROSS JOIN images i ON i.id = a.image"
            f" WHERE a.clustering = ? AND a.cluster IS ? AND {_OF_USE} ORDER BY a.score DESC, a.image",
            (clustering, number or None),
        )
    return array("q", (row[0] for row in rows))


def pictures(db: Database, clustering: int, image_ids: Sequence[int]) -> dict[int, Picture]:
    """What is shown of these pictures, by id; the ones that are gone are left out."""
    marks = ", ".join("?" * len(image_ids))
    rows = db.execute(
        "SELECT i.id, i.hash, i.path, i.size, c.width, c.height, a.score FROM images i"
        " LEFT JOIN contents c ON c.hash = i.hash LEFT JOIN assignments a ON a.clustering = ? AND a.image = i.id"
        f" WHERE i.id IN ({marks})",
        (clustering, *image_ids),
    )
    return {row[0]: Picture(row[0], row[1] or b"", *row[2:]) for row in rows}


def facts(project: Project, db: Database, clustering: int, image_id: int) -> Facts | None:
    """All that is known of a picture; None where it is gone."""
    found = pictures(db, clustering, [image_id]).get(image_id)
    if found is None:
        return None
    image = images.get(db, image_id)
    row = db.one(
        "SELECT a.cluster, c.name FROM assignments a"
        " LEFT JOIN clusters c ON c.clustering = a.clustering AND c.number = a.cluster"
        " WHERE a.clustering = ? AND a.image = ?",
        (clustering, image_id),
    )
    number, name = (None, None) if row is None else (row[0], row[1])
    return Facts(found, file_of(project, db, image_id), image.format, number, name, image.trashed, image.missing)


def file_of(project: Project, db: Database, image_id: int) -> bytes:
    """Where a picture lies now: its absolute path."""
    image = images.get(db, image_id)
    source = next(s for s in sources.all_sources(db) if s.id == image.source)
    return os.path.join(project.root_of(source), image.path)


def neighbours(project: Project, db: Database, clustering: Within, image_id: int, count: int) -> list[Neighbour]:
    """The pictures most like one, by the cosine of their vectors, nearest first; empty where it has no vector."""
    encoder = encoders.get(db, clustering.encoder)
    own = db.one(
        "SELECT e.row, e.hash FROM images i JOIN embeddings e ON e.encoder = ? AND e.hash = i.hash WHERE i.id = ?",
        (encoder.id, image_id),
    )
    if own is None:
        return []
    nearest = _nearest_rows(project, encoder, own["row"], count + 1)
    marks = ", ".join("?" * len(nearest))
    contents = db.execute(
        f"SELECT hash, row FROM embeddings WHERE encoder = ? AND row IN ({marks})", (encoder.id, *nearest)
    )
    found: list[tuple[float, int]] = []
    for content, row in contents.fetchall():
        same_content = db.execute(f"SELECT i.id FROM images i WHERE {_OF_USE} AND i.hash = ?", (content,))
        found += [(nearest[row], other) for (other,) in same_content if other != image_id]
    found = sorted(found, key=lambda pair: (-pair[0], pair[1]))[:count]
    known = pictures(db, clustering.id, [image for _, image in found])
    return [Neighbour(known[i], cosine, known[i].hash == own["hash"]) for cosine, i in found if i in known]


def _nearest_rows(project: Project, encoder: encoders.EncoderRecord, row: int, count: int) -> dict[int, float]:
    """The rows of the vector file most like one of them, itself among them, each with its cosine."""
    import numpy as np

    vectors = project.vector_file(encoder).read(encoder.rows)
    query = vectors[row].astype(np.float32)
    cosines = np.empty(len(vectors), np.float32)
    for start in range(0, len(vectors), CHUNK):
        cosines[start : start + CHUNK] = vectors[start : start + CHUNK].astype(np.float32) @ query
    count = min(count, len(cosines))
    best = np.argpartition(-cosines, count - 1)[:count]
    return {int(at): float(cosines[at]) for at in best}
