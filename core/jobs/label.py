"""The job `label`: words for sampled pictures, from a language model."""

from __future__ import annotations

from typing import Any

from core.catalog import clusterings
from core.catalog.clusterings import ClusteringRecord
from core.errors import ShoeboxError
from core.jobs.context import JobContext
from core.naming.language.watch import Watch


def label_job(context: JobContext, params: dict[str, Any]) -> dict[str, Any]:
    """Labels samples of the clusters `params["clusters"]` (None: all) of the last run; gives counts and figures.

    Where the server fails on the way, what it answered is kept, and the job fails with its reason.
    """
    from core.naming.language.run import label_clusters

    result = label_clusters(
        context.project,
        last_run(context),
        context.settings,
        context.environment,
        numbers=params.get("clusters"),
        watch=watch_of(context),
    )
    if result.error is not None:
        raise result.error
    return result.as_dict()


def last_run(context: JobContext) -> ClusteringRecord:
    """The last clustering. Raises ShoeboxError where there is none."""
    with context.project.database() as db:
        run = clusterings.latest(db)
    if run is None:
        raise ShoeboxError("nothing is clustered yet", "shoebox cluster does that")
    return run


def watch_of(context: JobContext) -> Watch:
    """How a job's work with a language model is watched, held and stopped."""
    return Watch(context.cancelled, context.control.paused.is_set, context.progress, context.created)
