"""metadata.json, report.txt and the COCO-style list of an annotation."""

from __future__ import annotations

import json
import math
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from core.annotation.splits import PARTS
from core.catalog.annotation import Annotated
from core.catalog.paths import path_fields, shown
from core.export.annotation_contents import AnnotationContents
from core.export.document import finite, skipped_entry, source_entry
from core.export.folders import Skipped
from core.export.marker import program_version

METADATA = "metadata.json"
REPORT = "report.txt"
COCO = "annotations.coco.json"
LISTED = 20
"""Of empty classes and pictures left out that the report names."""

Document = dict[str, Any]


@dataclass(frozen=True)
class Where:
    """What was put where, by image: its file in the export, its part of the splits; and what could not be put.

    `twins`: the cosine from which pictures were held for twins, None without splits.
    """

    files: Mapping[int, str] = field(default_factory=dict)
    parts: Mapping[int, str] = field(default_factory=dict)
    skipped: Sequence[Skipped] = ()
    twins: float | None = None


def metadata_pieces(
    contents: AnnotationContents, where: Where | None = None, extra: Document | None = None
) -> Iterator[str]:
    """metadata.json as text, a picture at a time.

    `confidence` is a probability (`confidence_is` says whether it is calibrated), `all_similarities` are raw cosines
    to the prompts in the order of `class_names`, mean over the encoders. `class_index` is -1 for none of the classes.
    """
    where = where or Where()
    yield _dump(_head(contents, where) | (extra or {}), indent=1).removesuffix("\n}")
    yield ',\n "image_annotations": ['
    for number, picture in enumerate(contents.pictures):
        yield (",\n  " if number else "\n  ") + _dump(_entry(contents, picture, where))
    yield "\n ]\n}\n"


def report_lines(contents: AnnotationContents, where: Where) -> Iterator[str]:
    """report.txt: what was done, the classes, the rounds, what is empty and why, how good it may be."""
    for line in _report(contents, where):
        yield line + "\n"


def coco_pieces(contents: AnnotationContents, where: Where) -> Iterator[str]:
    """The same in COCO's form: the whole picture is the box of its class. Pictures of no class have no annotation.

    Each picture has a line of each list, written one at a time.
    """
    said = {"description": "written by shoebox", "version": program_version()}
    categories = [{"id": number, "name": name} for number, name in enumerate(contents.names, start=1)]
    yield f'{{\n "info": {_dump(said)},\n "categories": {_dump(categories)},\n "images": ['
    for number, picture in enumerate(contents.pictures):
        name = where.files.get(picture.image) or shown(contents.origin_of(picture))
        entry: Document = {"id": picture.image, "file_name": name, "width": picture.width, "height": picture.height}
        if (origin := contents.url_of(picture)) is not None:
            entry["coco_url"] = origin[0]  # what this form calls the place that a picture comes from
        yield (",\n  " if number else "\n  ") + _dump(entry)
    yield '\n ],\n "annotations": ['
    first = True
    for picture in contents.pictures:
        index = contents.index_of(picture)
        if index < 0:
            continue
        entry = {
            "id": picture.image,
            "image_id": picture.image,
            "category_id": index + 1,
            "bbox": [0, 0, picture.width, picture.height],
            "area": picture.width * picture.height,
            "iscrowd": 0,
            "score": finite(picture.confidence),
        }
        yield ("\n  " if first else ",\n  ") + _dump(entry)
        first = False
    yield "\n ]\n}\n"


def _head(contents: AnnotationContents, where: Where) -> Document:
    run = contents.run
    sizes = Counter(contents.index_of(picture) for picture in contents.pictures)
    organized: dict[str, list[str]] = {name: [] for name in contents.names} if where.files else {}
    for picture in contents.pictures:
        name = contents.name_of(picture)
        if name is not None and picture.image in where.files:
            organized[name].append(where.files[picture.image])
    return {
        "generatedAt": datetime.now(UTC).isoformat(timespec="seconds"),
        "program": "shoebox",
        "version": program_version(),
        "method": run.method,
        "class_names": contents.names,
        "num_images": len(contents.pictures),
        "class_distribution": {name: sizes[index] for index, name in enumerate(contents.names)},
        "none_of_the_classes": sizes[-1],
        "organized_paths": organized,
        "statistics": _statistics([picture.confidence for picture in contents.pictures]),
        "confidence_is": "calibrated" if run.summary.get("calibrated") else "estimate",
        "accuracy": run.summary.get("accuracy"),
        "annotation": run.id,
        "settings": run.settings,
        "seconds": run.seconds,
        "encoders": [{"label": record.label} | record.as_dict() for record in contents.encoders],
        "prompts": {c.name: list(c.prompts) for c in run.classes},
        "iterations": run.iterations,
        "empty": [{"class": name, "why": why} for name, why in _empty(contents, sizes)],
        "notes": run.summary.get("notes", []),
        "corrections": sum(1 for picture in contents.pictures if picture.corrected),
        "suggested_threshold": run.summary.get("suggested_threshold"),
        "sources": [source_entry(root) for root in contents.roots],
        "splits": dict(Counter(where.parts.values())),
        "twins_from": where.twins,
        "skipped": [skipped_entry(skipped) for skipped in where.skipped],
    }


def _entry(contents: AnnotationContents, picture: Annotated, where: Where) -> Document:
    entry: Document = {
        "original_path": shown(contents.origin_of(picture)),
        "class_index": contents.index_of(picture),
        "class_name": contents.name_of(picture),
        "confidence": finite(picture.confidence),
        "all_similarities": [finite(value) for value in contents.similarities[contents.rows[picture.image]].tolist()],
        **path_fields(picture.path),
        "source": contents.source_of(picture),
        "margin": finite(picture.margin),
        "none_score": finite(picture.none_score),
        "corrected": picture.corrected,
        "hash": picture.hash.hex(),
        "width": picture.width,
        "height": picture.height,
    }
    if (origin := contents.url_of(picture)) is not None:
        entry["url"], entry["tags"] = origin
    if picture.image in where.files:
        entry["file"] = where.files[picture.image]
    if picture.image in where.parts:
        entry["split"] = where.parts[picture.image]
    return entry


def _statistics(values: Sequence[float]) -> Document:
    mean = math.fsum(values) / len(values)
    spread = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / len(values))
    return {"mean": finite(mean), "std": finite(spread), "min": finite(min(values)), "max": finite(max(values))}


def _empty(contents: AnnotationContents, sizes: Mapping[int, int]) -> Iterator[tuple[str, str]]:
    why = {told["class"]: told["why"] for told in contents.run.summary.get("empty", [])}
    for index, own in enumerate(contents.run.classes):
        if not sizes[index]:
            yield own.name, why.get(own.id, "corrections took its pictures")


def _report(contents: AnnotationContents, where: Where) -> Iterator[str]:
    run = contents.run
    by_class: dict[int, list[Annotated]] = {}
    for picture in contents.pictures:
        by_class.setdefault(contents.index_of(picture), []).append(picture)
    sizes = Counter({index: len(own) for index, own in by_class.items()})
    yield f"shoebox {program_version()}, annotation {run.id}, {datetime.now(UTC).isoformat(timespec='seconds')}"
    yield f"pictures    {len(contents.pictures):,} of {', '.join(shown(root.path) for root in contents.roots)}"
    yield f"encoder     {', '.join(record.label for record in contents.encoders)}"
    yield f"method      {run.method}, {run.seconds:.1f} s"
    if head := run.settings.get("head"):
        yield f"head        {os.path.basename(head)}, in place of the words"
    kind = "calibrated on corrections" if run.summary.get("calibrated") else "an estimate: see corrections"
    figures = _statistics([picture.confidence for picture in contents.pictures])
    yield f"confidence  mean {figures['mean']:.3f}, {figures['min']:.3f} to {figures['max']:.3f} ({kind})"
    yield f"corrections {sum(1 for picture in contents.pictures if picture.corrected):,}"
    yield f"accuracy    {accuracy_words(run.summary.get('accuracy'))}"
    if where.twins is not None:
        yield f"twins       the same content, or a cosine of {where.twins:g}: never in two parts"
    yield ""
    split = f"{'train':>8} {'val':>6} {'test':>6}  " if where.parts else ""
    yield f"{'pictures':>9} {'share':>6} {'sure':>6}  {split}class"
    for index, name in (*enumerate(contents.names), (-1, "none of the classes")):
        own = by_class.get(index, [])
        if index < 0 and not own:
            continue
        sure = f"{math.fsum(p.confidence for p in own) / len(own):.3f}" if own else "-"
        share = 100 * len(own) / len(contents.pictures)
        line = f"{len(own):>9,} {share:>5.1f}% {sure:>6}  "
        if where.parts:
            held = Counter(where.parts.get(p.image) for p in own)
            line += f"{held[PARTS[0]]:>8,} {held[PARTS[1]]:>6,} {held[PARTS[2]]:>6,}  "
        folder = next((os.path.dirname(where.files[p.image]) for p in own if p.image in where.files), name)
        yield line + name + ("" if folder == name else f"   in the folder {folder}")
    yield ""
    yield f"{'round':>5} {'sure':>6} {'active':>7} {'text':>6} {'moved':>8}"
    for told in run.iterations:
        yield (
            f"{told['number']:>5} {told['mean_confidence']:>6.3f} {told['active']:>7,} {told['text_weight']:>6.2f}"
            f" {told['moved']:>8,}"
        )
    yield from _listed("empty classes", [f"{name}: {why}" for name, why in _empty(contents, sizes)])
    yield from _listed("notes", run.summary.get("notes", []))
    if where.parts:
        yield from _listed("in train alone", _lacking(contents, by_class, where))
    yield from _listed("left out", [f"{shown(s.member.path)}: {s.reason}" for s in where.skipped])


def accuracy_words(found: Document | None) -> str:
    """The estimate of accuracy in words."""
    if not found or not found["count"]:
        return "unknown: correct some pictures of the review queue"
    return (
        f"{100 * found['share']:.0f} % ({100 * found['low']:.0f} to {100 * found['high']:.0f} %, by {found['count']:,}"
        f" correction{'' if found['count'] == 1 else 's'} kept aside to check it)"
    )


def _lacking(contents: AnnotationContents, by_class: Mapping[int, list[Annotated]], where: Where) -> list[str]:
    """Classes that val or test has no picture of: a loader that numbers folders would number them otherwise."""
    return [
        name
        for index, name in enumerate(contents.names)
        if by_class.get(index) and {where.parts.get(p.image) for p in by_class[index]} <= {PARTS[0], None}
    ]


def _listed(title: str, lines: Sequence[str]) -> Iterable[str]:
    if not lines:
        return
    yield ""
    yield f"{title}:"
    for line in lines[:LISTED]:
        yield f"  {line}"
    if len(lines) > LISTED:
        yield f"  and {len(lines) - LISTED:,} more: see {METADATA}"


def _dump(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)
