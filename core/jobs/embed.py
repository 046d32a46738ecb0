"""The job `embed`: scans the sources, loads the encoder, and embeds what is new."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from core.catalog import encoders, images, sources
from core.catalog.encoders import EncoderRecord
from core.catalog.paths import shown
from core.embedding.progress import EmbedProgress
from core.encoders.spec import DEFAULT_SPEC, EncoderSpec, parse_spec
from core.errors import CancelledError, ShoeboxError
from core.jobs.context import JobContext
from core.jobs.download import Downloads, downloading
from core.jobs.download_ways import remember_options
from core.jobs.scan import ScanReport, scan
from core.project import Project
from core.settings import Settings
from core.sources.places import REMOTE


def embed_job(context: JobContext, params: dict[str, Any]) -> dict[str, Any]:
    """Embeds the project's pictures; `params["live"]` forms clusters meanwhile. Gives counts as data."""
    found = scan_sources(context, params)
    record, progress, brought = bring_and_embed(context, params, without=unreachable_in(found))
    return {"scan": found, "encoder": record.label} | summary_of(progress) | brought


def summary_of(progress: EmbedProgress) -> dict[str, Any]:
    """What a finished embedding came to."""
    return {
        "done": progress.done,
        "reused": progress.reused,
        "unchanged": progress.unchanged,
        "failed": progress.failed,
        "seconds": round(progress.seconds, 2),
    }


def bring_and_embed(
    context: JobContext, params: dict[str, Any], *, without: frozenset[int] = frozenset()
) -> tuple[EncoderRecord, EmbedProgress, dict[str, Any]]:
    """Embeds the project's pictures, but for those of the sources `without`, while those of its remote sources come in.

    Gives the encoder, the last progress, and what the downloads came to (empty where there are none). An error of the
    downloads is raised once what came is embedded.
    """
    live = bool(params.get("live"))
    with downloading(context, params) as bringing:
        if bringing is None:
            return *embed_pictures(context, live=live, without=without), {}
        _wait_for_pictures(context, bringing)
        record, progress = embed_pictures(context, live=live, without=without, bringing=bringing)
        bringing.check()
        return record, progress, {"downloads": bringing.result()}


def _wait_for_pictures(context: JobContext, bringing: Downloads) -> None:
    """No model is loaded for nothing: there is a picture when this returns."""

    def any_picture() -> bool:
        with context.project.database() as db:
            return images.counts(db).images > 0

    while not bringing.over() and not bringing.number():
        if any_picture():
            return
        context.checkpoint()
        context.progress(bringing.progress())
        time.sleep(0.1)
    context.progress(bringing.progress(), now=True)
    if any_picture():
        return
    bringing.check()
    came = bringing.result()
    reasons = ", ".join(f"{number:,} {reason}" for reason, number in came["in_all"]["reasons"].items())
    todo = "shoebox info PATH --failed lists what failed, and why"
    if "private address" in came["in_all"]["reasons"]:
        todo = f"--allow-private downloads from your own network; {todo}"
    raise ShoeboxError(f"no picture came in ({reasons or 'the source lists none'})", todo)


def scan_sources(context: JobContext, params: dict[str, Any] | None = None) -> dict[str, Any]:
    """Brings the catalog up to what the folders hold now; gives the totals of `ScanReport`, and `unreachable`.

    A folder that is gone as a whole is unreachable: {"source": id, "root": path, "reason": words}. Its pictures
    are not marked missing for an unplugged disk, and those of other sources go on. Sources that are downloaded are
    left to the downloads. `params["source"]` may ask for a sample. Raises ShoeboxError where no source can be
    reached, or there is no picture.
    """
    asked = (params or {}).get("source") or {}
    totals = ScanReport().as_dict()
    unreachable: list[dict[str, Any]] = []

    def progress(report: ScanReport) -> None:
        context.checkpoint()
        context.progress({"stage": "scanning", **report.as_dict()})

    with context.project.database() as db, context.project.database() as reading:
        known = sources.all_sources(db)
        folders = [source for source in known if source.kind not in REMOTE]
        for source in folders:
            options = remember_options(db, source, {"sample": asked.get("sample")}).options
            root = context.project.root_of(source)
            try:
                report = scan(db, reading, source, root, progress=progress, sample=int(options.get("sample", 0)))
            except CancelledError:
                raise
            except ShoeboxError as error:
                unreachable.append({"source": source.id, "root": shown(root), "reason": error.what})
                if len(unreachable) == len(known):
                    raise
                continue
            context.progress({"stage": "scanning", **report.as_dict()}, now=True)
            for name, number in report.as_dict().items():
                totals[name] += number
        if totals["found"] == 0 and len(folders) == len(known):
            roots = ", ".join(os.fsdecode(context.project.root_of(s)) for s in known)
            raise ShoeboxError(
                f"there are no pictures in {roots}", "JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF and HEIC are looked for"
            )
    return totals | {"unreachable": unreachable}


def unreachable_in(found: dict[str, Any]) -> frozenset[int]:
    """The sources that a scan could not reach, by id."""
    return frozenset(source["source"] for source in found["unreachable"])


def embed_pictures(
    context: JobContext,
    *,
    live: bool,
    without: frozenset[int] = frozenset(),
    bringing: Downloads | None = None,
) -> tuple[EncoderRecord, EmbedProgress]:
    """Embeds what has no embedding of the encoder asked for; gives that encoder and the last progress.

    Pictures of the sources `without` are left as they are. With `bringing`, what comes in meanwhile is embedded, too.
    """
    from core.embedding.run import embed

    spec = chosen_encoder(context.project, context.settings)

    context.say("loading", f"loading {spec.label}; the first time on a machine it is measured, too")
    models = context.encoders(spec)
    context.checkpoint()
    with context.project.database() as db:
        record = encoders.register(
            db,
            fingerprint=models[0].fingerprint,
            spec=str(spec),
            options=options_of(spec),
            dimension=models[0].dimension,
        )
    progress = embed(
        context.project,
        models,
        record,
        context.settings,
        live=live,
        without=without,
        report=lambda data: context.progress(data.as_dict() | _coming(bringing)),
        checkpoint=context.checkpoint,
        arrivals=bringing,
    )
    context.progress(progress.as_dict() | _coming(bringing), now=True)
    return record, progress


def _coming(bringing: Downloads | None) -> dict[str, Any]:
    return {} if bringing is None else {"downloads": bringing.progress()}


def chosen_encoder(project: Project, settings: Settings) -> EncoderSpec:
    """The encoder of the settings; without one the project's last, or the default where there is none."""
    if settings.encoder or settings.weights:
        config = settings.model_config
        if settings.weights and not settings.encoder and not config:
            beside = Path(settings.weights).with_name("open_clip_config.json")
            config = str(beside) if beside.is_file() else ""  # like one that was given: the project remembers it
        return parse_spec(
            settings.encoder or DEFAULT_SPEC, weights=settings.weights or None, model_config=config or None
        )
    with project.database() as db:
        last = encoders.last(db)
    return parse_spec(DEFAULT_SPEC) if last is None else parse_spec(last.spec, **last.options)


def recorded_encoder(project: Project, settings: Settings) -> EncoderRecord | None:
    """What the catalog knows of the encoder that `chosen_encoder` names; None where it was never used here.

    One spec has several records where its weights changed: the one used last counts, else the newest. Without an
    encoder in the settings, the weights of the last one need not be there any more.
    """
    with project.database() as db:
        last = encoders.last(db)
        if not settings.encoder and not settings.weights and last is not None:
            return last
        spec = chosen_encoder(project, settings)
        newest_first = reversed(encoders.all_encoders(db))
        for record in (last, *newest_first):
            if record is not None and record.spec == str(spec) and record.options == options_of(spec):
                return record
    return None


def options_of(spec: EncoderSpec) -> dict[str, str | None]:
    """What it takes, beside its text, to parse a spec again."""
    return {
        "weights": str(spec.weights) if spec.weights else None,
        "model_config": str(spec.model_config) if spec.model_config else None,
    }
