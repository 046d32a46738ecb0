"""`shoebox info` and `shoebox encoders`: what there is."""

from __future__ import annotations

import dataclasses
import os
import time
from typing import TYPE_CHECKING, Any

from core.catalog import annotation, clusterings, downloads, encoders, images, jobs, names, sources
from core.catalog.paths import path_fields, shown
from core.jobs.endpoint import worker_lives
from core.sources.places import REMOTE
from tui.figures import count, duration
from tui.report import print_json, print_names, print_table

if TYPE_CHECKING:
    from core.catalog.database import Database
    from core.catalog.sources import Source
    from core.project import Project
    from tui.stages import Request


SHOWN_RUNS = 10
"""Clusterings that are listed in words; with --json all are."""


def show_info(request: Request, *, failed: bool) -> None:
    """`shoebox info`: the counts, the encoder, the runs of clustering, the jobs; with `failed` what failed and why."""
    project = request.open_existing()
    with project.database() as db:
        document = info_document(project, db, failed=failed)
    if request.as_json:
        print_json(document)
        return
    print(f"project      {shown(os.fsencode(project.directory))}")
    for source in document["sources"]:
        print(f"source       {source.get('origin', source['root'])}")
    if "downloads" in document:
        _print_downloads(document["downloads"])
    print(
        f"pictures     {document['images']:,}, {document['embedded']:,} embedded, {document['failed']:,} failed,"
        f" {document['missing']:,} missing, {document['trashed']:,} in the trash"
    )
    print(f"encoder      {document['encoder'] or 'none yet'}")
    for run in document["clusterings"][-SHOWN_RUNS:]:
        undone = " (undone)" if run["undone"] else ""
        what = f"{count(run['clusters'], 'cluster')} of {run['images']:,}, {run['method']}"
        print(f"clustering   {run['id']}: {what}{undone}")
    if in_force := [run for run in document["clusterings"] if not run["undone"]]:
        print_names("names        ", in_force[-1]["names"])
    for run in document["annotations"][-1:]:
        print(f"annotation   {run['id']}: {count(run['images'], 'picture')} into {run['classes']}, {run['method']}")
    for job in document["jobs"][:3]:
        print(f"job          {job['id']} {job['kind']}: {_state(job, alive=document['worker'])}")
    for failure in document.get("failures", []):
        print(f"{failure.get('url') or failure['path']}: {failure['reason']}")


def info_document(project: Project, db: Database, *, failed: bool) -> dict[str, Any]:
    """What a project holds, as data. Other programs rely on the names."""
    counts = images.counts(db)
    encoder = encoders.last(db)
    document: dict[str, Any] = {
        "project": str(project.directory),
        "sources": [{"kind": s.kind, "root": shown(project.root_of(s))} | _origin(s) for s in sources.all_sources(db)],
        "images": counts.images,
        "embedded": images.count_embedded(db, encoder.id) if encoder else 0,
        "failed": counts.failed,
        "missing": counts.missing,
        "trashed": counts.trashed,
        "encoder": encoder.label if encoder else None,
        "worker": worker_lives(project),
        "clusterings": [
            {
                "id": run.id,
                "method": run.method,
                "route": run.route,
                "clusters": len(clusterings.clusters_of(db, run.id)),
                "images": run.images,
                "unclustered": run.unclustered,
                "silhouette": run.silhouette,
                "names": dataclasses.asdict(names.overall(names.names_of(db, run.id))),
                "seed": run.seed,
                "created": run.created,
                "undone": run.undone,
            }
            for run in clusterings.all_clusterings(db)
        ],
        "annotations": [
            {
                "id": run.id,
                "method": run.method,
                "classes": len(run.classes),
                "images": run.images,
                "corrections": run.summary["corrections"],
                "accuracy": run.summary["accuracy"],
                "created": run.created,
            }
            for run in annotation.all_runs(db)
        ],
        "jobs": [
            {"id": job.id, "kind": job.kind, "state": job.state, "progress": job.progress, "error": job.error}
            | ({"seconds": round((job.finished or time.time()) - job.started, 1)} if job.started else {})
            for job in jobs.recent(db)
        ],
    }
    if any(source.kind in REMOTE for source in sources.all_sources(db)):
        document["downloads"] = dataclasses.asdict(downloads.counts(db)) | {"tags": downloads.tag_counts(db)}
    if failed:
        unusable = images.failed(db)
        origins = downloads.origins(db, (i.id for i in unusable))
        document["failures"] = [
            path_fields(i.path) | {"reason": i.error} | ({"url": origins[i.id][0]} if i.id in origins else {})
            for i in unusable
        ]
        document["failures"] += [
            {"url": missed.url, "reason": f"{missed.reason}: {missed.error}"} for missed in downloads.failures(db)
        ]
    return document


def _origin(source: Source) -> dict[str, Any]:
    """Where a source's pictures are downloaded from, and what was asked of it."""
    if source.kind not in REMOTE:
        return {}
    return {"origin": shown(source.root), "options": source.options}


def _print_downloads(counts: dict[str, Any]) -> None:
    print(
        f"downloads    {counts['known']:,} URLs, {counts['done']:,} done, {counts['waiting']:,} waiting,"
        f" {counts['failed']:,} failed, {counts['refused']:,} refused"
    )
    for reason, number in counts["reasons"].items():
        print(f"             {number:,} {reason}")


def show_encoders(*, as_json: bool) -> None:
    """`shoebox encoders`: the curated list."""
    from core.encoders.catalogue import CHOICES

    if as_json:
        print_json(
            [
                dataclasses.asdict(choice) | {"megabytes": choice.megabytes, "cached": choice.cached}
                for choice in CHOICES
            ]
        )
        return
    print_table(
        ("encoder", "here", "accuracy", "text", "speed", "MB", "dimension", "remark"),
        [
            (
                choice.spec,
                "yes" if choice.cached else "no",
                "-" if choice.accuracy is None else f"{choice.accuracy:.1f} {choice.measure}",
                "yes" if choice.text else "no",
                choice.speed,
                f"{choice.megabytes:,}",
                str(choice.dimension),
                choice.remark,
            )
            for choice in CHOICES
        ],
    )
    print("here: on this machine; else it is downloaded. accuracy: ImageNet, top-1.")
    print("Any other open_clip or timm model works too: open_clip:MODEL/TAG,")
    print("timm:MODEL.TAG, or --weights FILE --model-config FILE.")


def _state(job: dict[str, Any], *, alive: bool) -> str:
    progress = job["progress"]
    if job["state"] == "running" and not alive:
        return "interrupted: the same command goes on with it"
    if job["state"] == "running" and progress.get("total"):
        return f"running, {progress.get('done', 0):,} of {progress['total']:,}"
    if job["state"] == "failed":
        return f"failed: {job['error']}"
    return f"{job['state']}" + (f" after {duration(job['seconds'])}" if "seconds" in job else "")
