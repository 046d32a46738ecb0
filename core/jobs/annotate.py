"""The jobs of annotation: `annotate` and `embed_annotate`, `review`, `save_head`, `export_annotation`."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.annotation.settings import AnnotateSettings
from core.catalog import annotation, classes, encoders, images, sources
from core.catalog.encoders import EncoderRecord
from core.encoders.spec import parse_spec
from core.errors import ShoeboxError, UsageError
from core.jobs.context import JobContext
from core.jobs.embed import bring_and_embed, chosen_encoder, recorded_encoder, scan_sources, unreachable_in

if TYPE_CHECKING:
    from core.annotation.run import Used
    from core.encoders.encoder import Encoder
    from core.settings import Settings

Given = dict[str, Any]


def annotate_job(context: JobContext, params: Given) -> Given:
    """Annotates by `params["annotation"]` (the fields of AnnotateSettings) with the classes in force; gives the run.

    `params["encoders"]`: a list of {encoder, weights, model_config}, each as in Settings; none, or none given: the
    one of the settings, or the project's last. Pictures must be embedded with each. For `corrections` and `export`
    see `embed_annotate_job`.
    """
    return _annotate(context, params, embed=False)


def embed_annotate_job(context: JobContext, params: Given) -> Given:
    """The same, after the folder was scanned and what is not embedded was embedded.

    `params["corrections"]`: a list of [path, class name or None], given before the run. `params["export"]` (the
    fields of AnnotationExport): writes the result into a new folder; then the fields of AnnotationExported are given
    too.
    """
    return _annotate(context, params, embed=True)


def review_job(context: JobContext, params: Given) -> Given:
    """Makes a new review queue for the last run: `params["count"]` pictures at most, with a confidence under `below`.

    Gives the image ids as `queue`; the run has it from then on.
    """
    from core.annotation.last_run import new_queue

    queue = new_queue(context.project, int(params["count"]), below=params.get("below"), seed=context.settings.seed)
    return {"queue": queue}


def save_head_job(context: JobContext, params: Given) -> Given:
    """Writes the head of the last run, with what was said since, to the file `params["path"]`.

    Gives `path`, and how many `corrections` taught it.
    """
    from core.annotation.run import Used, save_trained_head

    with context.project.database() as db:
        run = annotation.latest(db)
        if run is None:
            raise ShoeboxError("nothing is annotated yet", "shoebox annotate does that")
        records = [encoders.get(db, id_) for id_ in run.encoders]
    used = [Used(record, _loader(context, record)) for record in records]
    path = Path(params["path"])
    settings = AnnotateSettings(**run.settings)
    return {"path": str(path), "corrections": save_trained_head(context.project, path, used, settings)}


def export_job(context: JobContext, params: Given) -> Given:
    """Writes the last run into a new folder by `params["export"]` (the fields of AnnotationExport)."""
    return _exported(context, params["export"])


def _annotate(context: JobContext, params: Given, *, embed: bool) -> Given:
    from core.annotation.run import annotate_project

    settings = AnnotateSettings(**params["annotation"])
    each = [_settings_for(context.settings, own) for own in params.get("encoders") or [{}]]
    away = unreachable_in(scan_sources(context, params)) if embed else frozenset()
    used = [_used(context, own, params, embed=embed, without=away) for own in each]
    if len({own.record.id for own in used}) < len(used):
        raise UsageError("the same encoder twice", "name each once")
    if params.get("corrections"):
        _take_corrections(context, params["corrections"])
    run = annotate_project(
        context.project,
        settings,
        used,
        progress=lambda told: context.progress({"stage": "annotating", **told}, now="iteration" in told),
        cancelled=context.cancelled,
    )
    result: Given = {"annotation": run}
    if params.get("export"):
        result |= _exported(context, params["export"])
    return result


def _exported(context: JobContext, asked: Given) -> Given:
    from core.export.annotation import AnnotationExport, export_annotation

    def progress(words: str, done: int, total: int) -> None:
        context.progress({"stage": "exporting", "message": words, "done": done, "total": total})

    settings = AnnotationExport(**asked)
    return export_annotation(context.project, settings, progress=progress, checkpoint=context.checkpoint).as_dict()


def _settings_for(settings: Settings, own: Given) -> Settings:
    if not own:
        return settings
    return dataclasses.replace(settings, **{"encoder": "", "weights": "", "model_config": "", **own})


def _used(context: JobContext, settings: Settings, params: Given, *, embed: bool, without: frozenset[int]) -> Used:
    """One encoder: its record, with everything embedded if asked, and how to load it."""
    from core.annotation.run import Used

    record = recorded_encoder(context.project, settings)
    if record is None and not embed:
        spec = chosen_encoder(context.project, settings)
        raise ShoeboxError(f"the pictures are not embedded with {spec}", "shoebox embed does that")
    if embed and (record is None or _lacks_some(context, record)):
        own = dataclasses.replace(context, settings=settings)
        _require_words(own)  # before an hour of embedding, not after it
        record, progress, _ = bring_and_embed(own, params, without=without)
        context.progress(progress.as_dict(), now=True)
    assert record is not None
    return Used(record, _loader(context, record))


def _require_words(context: JobContext) -> None:
    spec = chosen_encoder(context.project, context.settings)
    context.say("loading", f"loading {spec.label}; the first time on a machine it is measured, too")
    encoder = context.encoders(spec, words=True)[0]
    if not encoder.has_text:
        encoder.encode_texts([""])  # says so


def _lacks_some(context: JobContext, record: EncoderRecord) -> bool:
    with context.project.database() as db:
        return images.count_to_embed(db, record.id) > 0


def _loader(context: JobContext, record: EncoderRecord) -> Callable[[], Encoder]:
    def load() -> Encoder:
        spec = parse_spec(record.spec, **record.options)
        context.say("loading", f"loading {spec.label} to read the sentences")
        encoder = context.encoders(spec, words=True)[0]
        if encoder.fingerprint != record.fingerprint:
            raise ShoeboxError(
                f"the weights of {record.label} are not those that the pictures were embedded with",
                "embed again with shoebox embed",
            )
        return encoder

    return load


def _take_corrections(context: JobContext, given: Sequence[Sequence[Any]]) -> None:
    """Takes what a file says of pictures, each [path, class name or None]."""
    with context.project.database() as db:
        roots = {source.id: context.project.root_of(source) for source in sources.all_sources(db)}
        ids = {c.name: c.id for c in classes.in_force(db)}
        said: dict[int, int | None] = {}
        unknown: list[str] = []
        for path, name in given:
            found, missing = images.find(db, roots, [path])
            unknown += missing
            said |= dict.fromkeys(found, None if name is None else ids[name])
        if unknown:
            more = f" and {len(unknown) - 3} more" if len(unknown) > 3 else ""
            raise UsageError(
                f"corrections of pictures that are not here: {', '.join(unknown[:3])}{more}",
                "write paths relative to the folder of pictures, or absolute ones",
            )
        classes.correct(db, said)
