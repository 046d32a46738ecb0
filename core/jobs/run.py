"""The job `run`: several stages one after the other, as one piece of work."""

from __future__ import annotations

from typing import Any

from core.catalog import images, sources
from core.clustering.settings import ClusterSettings
from core.jobs.cluster import cluster_pictures, embedded_with
from core.jobs.context import JobContext
from core.jobs.embed import bring_and_embed, scan_sources, summary_of, unreachable_in
from core.sources.places import REMOTE

STAGES = ("embed", "cluster", "name", "export")


def run_stages_job(context: JobContext, params: dict[str, Any]) -> dict[str, Any]:
    """Does the stages of `params["stages"]` in their order; gives what each of them gives, in one dict."""
    stages = [stage for stage in STAGES if stage in params["stages"]]
    clustering = ClusterSettings(**params["clustering"])
    result: dict[str, Any] = {}
    if "embed" in stages:
        result["scan"] = scan_sources(context, params)
        if "cluster" in stages:
            # Before any work: more pictures than these will not come, and what cannot be made of them is refused.
            with context.project.database() as db:
                if all(source.kind not in REMOTE for source in sources.all_sources(db)):
                    clustering.resolve(images.counts(db).images)
        record, progress, brought = bring_and_embed(context, params, without=unreachable_in(result["scan"]))
        result |= summary_of(progress) | brought
    else:
        record = embedded_with(context)
    if "cluster" in stages:
        context.checkpoint()
        result |= cluster_pictures(context, record, clustering)
    if "name" in stages:
        from core.jobs.name import name_pictures

        context.checkpoint()
        result["naming"] = name_pictures(context, params.get("naming") or {})
    if "export" in stages:
        from core.jobs.export import export_clusters

        context.checkpoint()
        result |= export_clusters(context, params["export"])
    return result
