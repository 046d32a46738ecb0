"""The few facts of a project that every screen shows, read by a thread."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.catalog import annotation, clusterings, encoders, images, sources
from core.catalog.paths import shown
from core.sources.places import REMOTE

if TYPE_CHECKING:
    from core.catalog.database import Database
    from core.project import Project


@dataclass(frozen=True, slots=True)
class Facts:
    """What a project holds, in numbers."""

    place: str = ""
    """Where its pictures lie, as people write it."""
    images: int = 0
    embedded: int = 0
    failed: int = 0
    trashed: int = 0
    missing: int = 0
    encoder: str = ""
    weights: str = ""
    """The file that the encoder was read from, if it was one."""
    encoder_label: str = ""
    """The encoder as people are told of it: weights from a file go by the file's name."""
    clustering: int | None = None
    """The last run of clustering."""
    clusters: int = 0
    named: int = 0
    """Clusters that have a name."""
    annotated: int = 0
    """Pictures of the last run of annotation."""


def read_facts(project: Project, db: Database) -> Facts:
    """The facts as they are now: milliseconds at 100,000 pictures."""
    encoder = encoders.last(db)
    counts = images.counts(db)
    latest = clusterings.latest(db)
    clusters = clusterings.clusters_of(db, latest.id) if latest else []
    return Facts(
        place=place_of(project, db),
        images=counts.images,
        embedded=images.count_embedded(db, encoder.id) if encoder else 0,
        failed=counts.failed,
        trashed=counts.trashed,
        missing=counts.missing,
        encoder=encoder.spec if encoder else "",
        weights=(encoder.options.get("weights") or "") if encoder else "",
        encoder_label=encoder.label if encoder else "",
        clustering=latest.id if latest else None,
        clusters=len(clusters),
        named=sum(1 for cluster in clusters if cluster.name),
        annotated=annotation.pictures_of_latest(db),
    )


def place_of(project: Project, db: Database) -> str:
    """Where a project's pictures lie; more than one place is said."""
    roots = [s.root if s.kind in REMOTE else project.root_of(s) for s in sources.all_sources(db)]
    if not roots:
        return short_path(os.fsencode(project.directory))
    more = f" and {len(roots) - 1} more" if len(roots) > 1 else ""
    return short_path(roots[0]) + more


def short_path(path: bytes) -> str:
    """A path fit to show, with the user's home as ~."""
    home = os.fsencode(os.path.expanduser("~"))  # noqa: PTH111 - bytes
    if path == home or path.startswith(home + b"/"):
        path = b"~" + path[len(home) :]
    return shown(path)
