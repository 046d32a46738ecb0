"""What the Embed screen shows beside figures: pictures just in, clusters forming, failures. For threads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.catalog import clusterings, downloads, encoders, images, jobs
from core.catalog.paths import shown

if TYPE_CHECKING:
    from core.catalog.database import Database
    from core.catalog.jobs import Job

MOST_FAILURES = 1000
"""Failures listed; `shoebox info --failed` prints all."""


@dataclass(frozen=True, slots=True)
class Known:
    """A picture by its id: its content, where it is known, and its path."""

    image: int
    hash: bytes | None
    path: str


@dataclass(frozen=True, slots=True)
class Forming:
    """A cluster as it forms, with pictures of it."""

    number: int
    size: int
    pictures: tuple[Known, ...]


@dataclass(frozen=True, slots=True)
class Live:
    """One look at an embedding that goes on."""

    recent: tuple[Known, ...] = ()
    failures: tuple[tuple[str, str], ...] = ()
    """Path and reason, the newest first."""
    forming: tuple[Forming, ...] = ()
    """By number: the lines stay where they are."""


def read_live(db: Database, progress: dict[str, Any], *, previews: int, recent_at_least: int) -> Live:
    """What an embedding's progress names, with `previews` pictures of each forming cluster.

    Where it names no recent pictures (another stage, or it has ended), the last of the catalog stand for them.
    """
    recent = tuple(int(image) for image in progress.get("recent", ())) or _last_ready(db, recent_at_least)
    failures = [(int(image), str(reason)) for image, reason in progress.get("failures", ())]
    encoder = encoders.last(db)
    snapshot = (clusterings.live(db, encoder.id) if encoder else None) or {"clusters": []}
    clusters = sorted(snapshot["clusters"], key=lambda cluster: cluster["number"])
    chosen = {c["number"]: tuple(c["previews"][:previews]) for c in clusters}
    wanted = {*recent, *(image for image, _ in failures), *(i for ids in chosen.values() for i in ids)}
    known = known_pictures(db, sorted(wanted))
    return Live(
        tuple(known[i] for i in recent if i in known),
        tuple((known[i].path if i in known else f"picture {i}", reason) for i, reason in failures),
        tuple(
            Forming(c["number"], c["size"], tuple(known[i] for i in chosen[c["number"]] if i in known))
            for c in clusters
        ),
    )


def _last_ready(db: Database, limit: int) -> tuple[int, ...]:
    rows = db.execute("SELECT id FROM images WHERE +status = 'ready' ORDER BY id DESC LIMIT ?", (limit,))
    return tuple(row["id"] for row in rows)


def known_pictures(db: Database, image_ids: Sequence[int]) -> dict[int, Known]:
    """Pictures by their ids, those that there are."""
    marks = ",".join("?" * len(image_ids))
    rows = db.execute(f"SELECT id, hash, path FROM images WHERE id IN ({marks})", image_ids)
    return {row["id"]: Known(row["id"], row["hash"], shown(row["path"])) for row in rows}


def read_failures(db: Database) -> list[tuple[str, str]]:
    """Every picture that failed, and every URL that did not come, up to MOST_FAILURES, with its reason."""
    missed = [(url.url, f"{url.reason}: {url.error}" if url.error else url.reason) for url in downloads.failures(db)]
    return [*((shown(image.path), image.error or "") for image in images.failed(db)), *missed][:MOST_FAILURES]


def last_embedding(db: Database) -> Job | None:
    """The job that embeds now, or did so last."""
    bulk = [
        job
        for job in (*jobs.unfinished(db), *jobs.recent(db, without="search"))
        if job.kind in ("embed", "run", "download", "embed_annotate")
    ]
    return next((job for job in bulk if not job.ended), bulk[0] if bulk else None)
