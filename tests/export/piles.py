"""A real project for the tests: pictures on disk, catalog, vectors and thumbnails, clustered as told."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image

from core.catalog import clusterings, encoders, images, sources
from core.catalog.clusterings import NewCluster
from core.export.run import ExportResult, export
from core.export.settings import ExportSettings
from core.imaging.hashes import content_hash
from core.imaging.thumbnails import make_thumbnail
from core.project import Project, open_project
from core.settings import Settings

DIMENSION = 8
PREVIEWS = 3

PILE: dict[bytes, int | None] = {
    b"beach/img.jpg": 1,
    b"beach/two/img.jpg": 1,
    b"forest/IMG.JPG": 1,
    b"beach/sand.png": 1,
    b"beach/caf\xe9.png": 1,  # Latin-1: no UTF-8
    b"forest/<img src=x onerror=alert(1)>.png": 2,
    b"forest/tree.png": 2,
    b"=1+1.png": 2,
    b"beach/odd.png": None,
}
NAMES = {1: "beach at dusk", 2: None}


def make_project(
    folder: Path, pile: Mapping[bytes, int | None] = PILE, names: Mapping[int, str | None] = NAMES
) -> Project:
    """Draws the pictures of `pile`, each with its cluster, into `folder` and records all that shoebox would."""
    folder.mkdir(parents=True)
    project = open_project(folder)
    drawn = {path: _draw(folder, path, seed) for seed, path in enumerate(sorted(pile))}
    with project.database() as db, closing(project.thumbnails(Settings())) as thumbnails:
        (source,) = sources.all_sources(db)
        with db.transaction():
            images.add(db, source.id, [(path, len(data), 0) for path, (data, _) in drawn.items()])
            images.add_contents(db, [(content_hash(data), *image.size, "PNG") for data, image in drawn.values()])
            ids = {row.path: row.id for row in images.listed(db, source.id)}
            images.mark_ready(db, [(ids[path], content_hash(data)) for path, (data, _) in drawn.items()])
        thumbnails.put([(content_hash(data), make_thumbnail(image)) for data, image in drawn.values()])
        _embed_and_cluster(project, {ids[path]: pile[path] for path in drawn}, names)
    return project


def run_export(project: Project, where: Path, **options: Any) -> ExportResult:
    """Exports from the folder `where`, as the command does."""
    return export(project, ExportSettings(working_directory=str(where), **options))


def files_below(folder: Path) -> dict[str, bytes]:
    """Every file below `folder` with its bytes."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def image_id(project: Project, path: bytes) -> int:
    """The id of a picture by its path."""
    with project.database() as db:
        return int(db.value("SELECT id FROM images WHERE path = ?", (path,)))


def _draw(folder: Path, path: bytes, seed: int) -> tuple[bytes, PIL.Image.Image]:
    pixels = np.random.default_rng(seed).integers(0, 255, (24, 32, 3), dtype=np.uint8)
    image = PIL.Image.fromarray(pixels)
    file = os.path.join(os.fsencode(folder), path)
    os.makedirs(os.path.dirname(file), exist_ok=True)
    with open(file, "wb") as out:
        image.save(out, "PNG")
    os.utime(file, (1_500_000_000, 1_500_000_000))
    return Path(os.fsdecode(file)).read_bytes(), image


def _embed_and_cluster(project: Project, clusters: Mapping[int, int | None], names: Mapping[int, str | None]) -> None:
    with project.database() as db:
        rng = np.random.default_rng(0)
        rows = rng.normal(size=(len(clusters), DIMENSION)).astype(np.float32)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        record = encoders.register(db, fingerprint="f" * 16, spec="pocket", options={}, dimension=DIMENSION)
        project.vector_file(record).append(rows, at=0)
        with db.transaction():
            encoders.add_embeddings(db, record.id, [_hash_of(db, image) for image in clusters], 0)
        score = {image: 1 - place / len(clusters) for place, image in enumerate(sorted(clusters))}
        members = {n: [i for i in sorted(clusters) if clusters[i] == n] for n in names}
        clusterings.record(
            db,
            encoder=record.id,
            method="balanced",
            route="balanced (the default up to 10,000 pictures)",
            settings={
                "method": "balanced",
                "clusters": len(names),
                "uniqueness": 0.15,
                "choice": {"tried": [1 / 3, 2]},
            },
            seed=7,
            silhouette=0.25,
            seconds=0.5,
            clusters=[
                NewCluster(n, names[n], len(m), m[0], 0.8, 0.3, n == 2, m[:PREVIEWS], b"\0\0" * DIMENSION)
                for n, m in members.items()
            ],
            assignments=[(image, number, score[image]) for image, number in clusters.items()],
        )


def _hash_of(db: Any, image: int) -> bytes:
    found = images.get(db, image).hash
    assert found is not None
    return found
