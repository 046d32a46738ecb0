"""What `shoebox annotate` tells of a run: text, or the document of metadata.json."""

from __future__ import annotations

import os
import sys
from typing import Any

from core.catalog import annotation
from core.catalog.paths import path_fields, shown
from core.errors import ShoeboxError
from core.project import Project
from tui import report
from tui.figures import count, duration

Given = dict[str, Any]

LONGEST = 60
"""Characters of a class's name in the table."""


def tell(project: Project, result: Given, *, as_json: bool, review: int) -> None:
    """Prints what a run came to, with `review` pictures of its queue, and what was written.

    Raises ShoeboxError where another run came after it.
    """
    with project.database() as db:
        run = annotation.latest(db)
        if run is None or run.id != result["annotation"]:
            raise ShoeboxError("the pictures were annotated again meanwhile", "shoebox info tells of the last run")
        queue = annotation.pictures(db, run, annotation.review_queue(db, run)[:review])
        asked = [
            {
                **path_fields(picture.path),
                "class_name": picture.top[0].name if picture.top else None,
                "confidence": round(picture.confidence, 6),
                "margin": round(picture.margin, 6),
                "likely": [{"class_name": t.name, "share": round(t.share, 4)} for t in picture.top[:5]],
            }
            for picture in queue
        ]
        if as_json:
            _print_document(project, db, run.id, result, asked if review else None)
        else:
            _print_run(db, run, asked)
    if not as_json and "output" in result:
        output = shown(os.fsencode(result["output"]))
        parts = ", ".join(f"{number:,} {part}" for part, number in result["splits"].items())
        print(f"written to {output}: {count(result['files'], 'picture')}{f', splits {parts}' if parts else ''}")
        if result["skipped"]:
            print(f"{count(len(result['skipped']), 'picture')} left out: see {output}/report.txt")


def _print_document(project: Project, db: Any, run: int, result: Given, asked: list[Given] | None) -> None:
    from core.export.annotation_contents import read_annotation
    from core.export.annotation_document import metadata_pieces

    extra: Given = {name: result[name] for name in ("output", "splits", "skipped") if name in result}
    extra |= {"review": asked} if asked is not None else {}
    for piece in metadata_pieces(read_annotation(project, db, run), extra=extra):
        sys.stdout.write(piece)


def _print_run(db: Any, run: annotation.AnnotationRun, asked: list[Given]) -> None:
    from core.export.annotation_document import accuracy_words

    found = annotation.counts(db, run)
    kind = "" if run.summary["calibrated"] else ", an estimate"
    print(
        f"{count(run.images, 'picture')} into {count(len(run.classes), 'class', 'classes')} in"
        f" {duration(run.seconds)} by {run.method}{_head(run)}; confidence is a probability{kind}"
    )
    report.print_table(
        ("class", "pictures", "confidence", "corrected"),
        [
            (
                _short(c.name or "none of the classes"),
                f"{c.pictures:,}",
                "-" if c.confidence is None else f"{c.confidence:.2f}",
                f"{c.corrected:,}" if c.corrected else "",
            )
            for c in found
        ],
        needed=2,
    )
    names = {c.id: c.name for c in found}
    for empty in run.summary["empty"]:
        print(f"empty: {names[empty['class']]}: {empty['why']}")
    for note in run.summary["notes"]:
        print(note)
    if run.summary["before"] is not None:
        print(f"{count(run.summary['moved'], 'picture')} changed class since the run before")
    if run.summary["corrections"]:
        print(
            f"{count(run.summary['corrections'], 'picture')} corrected;"
            f" right: {accuracy_words(run.summary['accuracy'])}"
        )
    if asked:
        print(f"to review ({len(asked)}):")
    for picture in asked:
        likely = ", ".join(f"{t['class_name']} {t['share']:.2f}" for t in picture["likely"][:3])
        print(f"  {picture['path']}: {likely}")


def _short(name: str) -> str:
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"


def _head(run: annotation.AnnotationRun) -> str:
    head = run.settings.get("head")
    return f" with the head {shown(os.fsencode(os.path.basename(head)))}" if head else ""
