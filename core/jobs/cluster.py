"""The job `cluster`: groups what is embedded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from core.catalog import clusterings
from core.catalog.encoders import EncoderRecord
from core.clustering.settings import ClusterSettings
from core.errors import ShoeboxError
from core.jobs.context import JobContext
from core.jobs.embed import chosen_encoder, recorded_encoder, scan_sources
from core.jobs.name import measure_known
from core.jobs.picked import unpack


def cluster_job(context: JobContext, params: dict[str, Any]) -> dict[str, Any]:
    """Clusters the project by `params["clustering"]` (the fields of ClusterSettings); gives the run's id.

    With `params["within"]`, {"cluster": number} or {"images": ids} (a list, or what `pack` made of one), only those
    pictures of the last run are grouped anew, with its encoder. Of a cluster `parts` tells what became of it:
    (number, pictures), the largest first.
    """
    settings = ClusterSettings(**params["clustering"])
    if params.get("scan"):
        scan_sources(context)
    if "within" not in params:
        return cluster_pictures(context, embedded_with(context), settings)
    from core.clustering.run import recluster

    within = params["within"]
    if isinstance(within.get("images"), str):
        within = {"images": unpack(within["images"])}
    progress, known = _reporter(context), _sizes(context)
    run = recluster(context.project, settings, within, progress=progress, cancelled=context.cancelled)
    measure_known(context)
    if "cluster" not in within:
        return {"clustering": run}
    parts = [(n, size) for n, size in _sizes(context, run).items() if n == within["cluster"] or n not in known]
    return {"clustering": run, "parts": parts}


def _sizes(context: JobContext, run: int | None = None) -> dict[int, int]:
    """The clusters of a run, or of the last one, by number, largest first."""
    with context.project.database() as db:
        found = clusterings.latest(db) if run is None else clusterings.get(db, run)
        return {c.number: c.size for c in clusterings.clusters_of(db, found.id)} if found else {}


def cluster_pictures(context: JobContext, record: EncoderRecord, settings: ClusterSettings) -> dict[str, Any]:
    """Clusters what this encoder has embedded; gives the run's id."""
    from core.clustering.run import cluster_project

    progress = _reporter(context)
    clustering = cluster_project(context.project, record, settings, progress=progress, cancelled=context.cancelled)
    measure_known(context)
    return {"clustering": clustering}


def _reporter(context: JobContext) -> Callable[[str, float], None]:
    def progress(words: str, share: float) -> None:
        context.checkpoint()
        context.progress({"stage": "clustering", "message": words, "share": share})

    return progress


def embedded_with(context: JobContext) -> EncoderRecord:
    """The record of the encoder that the settings name, or of the project's last.

    Raises ShoeboxError where the project was not embedded with it.
    """
    record = recorded_encoder(context.project, context.settings)
    if record is None:
        spec = chosen_encoder(context.project, context.settings)
        raise ShoeboxError(f"the pictures are not embedded with {spec}", "shoebox embed does that")
    return record
