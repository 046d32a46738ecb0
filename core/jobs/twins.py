"""The job `twins`: finds pictures so alike that one of each group is enough."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from core.jobs.cluster import embedded_with
from core.jobs.context import JobContext
from core.jobs.embed import scan_sources


def twins_job(context: JobContext, params: dict[str, Any]) -> dict[str, Any]:
    """Finds near-twins by `params["threshold"]` and the rule `params["keep"]`; gives how many.

    Which they are is read by core.twins.run.read_twins: of a million pictures they are more than a job's row holds.
    """
    from core.twins.run import find_twins

    def tick(words: str, share: float) -> None:
        context.checkpoint()
        context.progress({"stage": "twins", "message": words, "share": share})

    if params.get("scan"):
        scan_sources(context)
    record = embedded_with(context)
    found = find_twins(
        context.project,
        record,
        threshold=params["threshold"],
        keep=params["keep"],
        seed=context.settings.seed,
        tick=tick,
    )
    return asdict(found) | {"groups": len(found.groups)}
