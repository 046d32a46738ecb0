"""The job `export`: writes a clustering into a new folder."""

from __future__ import annotations

from typing import Any

from core.export.settings import ExportSettings
from core.jobs.context import JobContext
from core.jobs.embed import scan_sources


def export_job(context: JobContext, params: dict[str, Any]) -> dict[str, Any]:
    """Exports by `params["export"]` (the fields of ExportSettings); gives where it went and what was left out."""
    asked = params["export"]
    if params.get("scan"):
        scan_sources(context)
    return export_clusters(context, asked)


def export_pictures_job(context: JobContext, params: dict[str, Any]) -> dict[str, Any]:
    """Copies `params["images"]`, in their order, by `params["export"]` (output, working_directory, mode, name)."""
    from core.export.pictures import export_pictures

    def progress(done: int, total: int) -> None:
        context.progress({"stage": "exporting", "message": "placing pictures", "done": done, "total": total})

    return export_pictures(
        context.project, params["images"], **params["export"], progress=progress, checkpoint=context.checkpoint
    )


def export_clusters(context: JobContext, asked: dict[str, Any]) -> dict[str, Any]:
    """Writes a clustering into a new folder; gives the fields of ExportResult."""
    from core.export.run import export

    def progress(words: str, done: int, total: int) -> None:
        context.progress({"stage": "exporting", "message": words, "done": done, "total": total})

    return export(context.project, ExportSettings(**asked), progress=progress, checkpoint=context.checkpoint).as_dict()
