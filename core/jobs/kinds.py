"""The kinds of jobs: what each does, and in which lane."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from core.catalog.jobs import Lane
from core.errors import UsageError
from core.jobs.context import JobContext

JobFunction = Callable[[JobContext, dict[str, Any]], dict[str, Any]]

# Named, not imported: a client that adds a job needs none of what the job needs.
_KINDS: dict[str, tuple[Lane, str]] = {
    "download": ("bulk", "core.jobs.download:download_job"),
    "embed": ("bulk", "core.jobs.embed:embed_job"),
    "cluster": ("interactive", "core.jobs.cluster:cluster_job"),
    "annotate": ("interactive", "core.jobs.annotate:annotate_job"),
    "embed_annotate": ("bulk", "core.jobs.annotate:embed_annotate_job"),
    "review": ("interactive", "core.jobs.annotate:review_job"),
    "save_head": ("interactive", "core.jobs.annotate:save_head_job"),
    "export_annotation": ("interactive", "core.jobs.annotate:export_job"),
    "label": ("interactive", "core.jobs.label:label_job"),
    "name": ("interactive", "core.jobs.name:name_job"),
    "measure": ("interactive", "core.jobs.name:measure_job"),
    "export": ("interactive", "core.jobs.export:export_job"),
    "search": ("search", "core.jobs.search:search_job"),
    "export_pictures": ("interactive", "core.jobs.export:export_pictures_job"),
    "twins": ("interactive", "core.jobs.twins:twins_job"),
    "run": ("bulk", "core.jobs.run:run_stages_job"),
}


def lane_of(kind: str) -> Lane:
    """The lane that jobs of this kind run in. Raises UsageError for a kind there is not."""
    if kind not in _KINDS:
        raise UsageError(f"there is no job called {kind}")
    return _KINDS[kind][0]


def run_job(kind: str, context: JobContext, params: dict[str, Any]) -> dict[str, Any]:
    """Does a job of this kind in the calling thread and gives its result."""
    module, function = _KINDS[kind][1].split(":")
    run: JobFunction = getattr(import_module(module), function)
    return run(context, params)
