"""What the Annotate screen shows of a project: plain answers to quick questions, asked in threads."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.catalog import annotation, classes, clusterings, encoders, images
from core.encoders.catalogue import CHOICES
from core.errors import ShoeboxError, UsageError
from tui.figures import count
from tui.pictures import Pictures
from tui.reading import Picture

if TYPE_CHECKING:
    from core.annotation.accuracy import Accuracy
    from core.annotation.classes import ClassList
    from core.annotation.head_file import SavedHead
    from core.catalog.annotation import AnnotationRun, Likely
    from core.catalog.classes import Class, Prompts
    from core.catalog.database import Database
    from core.encoders.spec import EncoderSpec
    from tui.widgets.picture_grid import GridItem

NONE = "none of these"
"""What the pictures that fit no class are called."""
KEYS = 9
"""Classes that have a number key while a picture is reviewed."""


@dataclass(frozen=True, slots=True)
class ClassRow:
    """A line of the list of classes. `id` is None for none of them; `why` is said of a class without a picture."""

    id: int | None
    name: str
    pictures: int = 0
    corrected: int = 0
    confidence: float | None = None
    why: str = ""


@dataclass(frozen=True)
class AnnotationView:
    """The user's classes, the last run, and what holds of it now.

    `open`: the pictures of its review queue that nothing was said of. `corrections`: contents of which anything was
    said. `accuracy`: by all corrections that taught this run nothing; None where there is none.
    """

    classes: tuple[Class, ...]
    prompts: Prompts
    run: AnnotationRun | None = None
    rows: tuple[ClassRow, ...] = ()
    open: tuple[int, ...] = ()
    corrections: int = 0
    accuracy: Accuracy | None = None

    @property
    def is_stale(self) -> bool:
        """Whether the classes are others than those of the run."""
        return self.run is not None and [c.id for c in self.run.classes] != [c.id for c in self.classes]


@dataclass(frozen=True)
class Effect:
    """What the last run changed: how many pictures it moved, most of them from where to where, and the estimates of
    accuracy of the runs so far, as (corrections told, share, low, high).
    """

    run: int
    moved: int
    ways: tuple[tuple[str, str, int], ...] = ()
    estimates: tuple[tuple[int, float, float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class ClassPicture(Picture):
    """A picture with its class. `score` is its confidence."""

    class_id: int | None
    found: int | None
    corrected: bool
    none_score: float | None
    top: tuple[Likely, ...]


class ClassPictures(Pictures):
    """The pictures of a class: those that the user decided have a tick in place of their confidence."""

    def __getitem__(self, position: int, /) -> GridItem | None:
        from tui.widgets.picture_grid import GridItem

        picture = self.picture(position)
        if not isinstance(picture, ClassPicture):
            return None
        stem = os.path.splitext(picture.name)[0]
        said = "✓" if picture.corrected else f"{picture.score:.2f}"
        marked = picture.image in self._marked
        return GridItem(image=picture.image, hash=picture.hash, caption=f"{said} {stem}", marked=marked)


@dataclass(frozen=True, slots=True)
class EncoderChoice:
    """An encoder to annotate by. `given` is what a job is told of it; `embedded` of `images` it has read.

    `fingerprint` is empty for one that the project has not used yet.
    """

    label: str
    given: dict[str, str]
    words: bool
    embedded: int
    images: int
    fingerprint: str = ""

    @property
    def said(self) -> str:
        """What is there, or what is missing."""
        if not self.words:
            return "knows no words: it cannot annotate"
        if self.embedded >= self.images > 0:
            return "embedded"
        if not self.images:
            return "to embed first"
        return f"{self.images - self.embedded:,} to embed first"


def annotation_view(db: Database) -> AnnotationView:
    """The classes and the last run as they stand."""
    run = annotation.latest(db)
    in_force, prompts, said = tuple(classes.in_force(db)), classes.prompts(db), len(classes.corrections(db))
    if run is None:
        return AnnotationView(in_force, prompts, corrections=said)
    why = {empty["class"]: str(empty["why"]) for empty in run.summary.get("empty", [])}
    rows = []
    for c in annotation.counts(db, run):
        reason = "" if c.pictures or c.id is None else why.get(c.id) or "new: R refines with it"
        rows.append(ClassRow(c.id, c.name or NONE, c.pictures, c.corrected, c.confidence, reason))
    queue = tuple(annotation.review_queue(db, run))
    return AnnotationView(in_force, prompts, run, tuple(rows), queue, said, _accuracy(db, run))


def _accuracy(db: Database, run: AnnotationRun) -> Accuracy | None:
    """The estimate of the run, and what was said since of pictures that are set aside: it was not told these."""
    from core.annotation.accuracy import draws, set_aside, wilson

    rows = db.execute(
        "SELECT c.hash, max(a.found IS c.class) FROM corrections c CROSS JOIN images i ON i.hash = c.hash"
        " JOIN annotations a ON a.run = ? AND a.image = i.id"
        " WHERE c.made > ? AND i.missing = 0 AND i.trashed = 0 GROUP BY c.hash",
        (run.id, run.created),
    ).fetchall()
    measured: dict[str, Any] = run.summary.get("accuracy") or {"right": 0, "count": 0}
    aside = set_aside(draws([content for content, _ in rows])).tolist()
    since = [right for (_, right), is_aside in zip(rows, aside, strict=True) if is_aside]
    found = wilson(measured["right"] + sum(since), measured["count"] + len(since))
    return found if found.count else None


def effect(db: Database, run: AnnotationRun) -> Effect:
    """What a run changed, most frequent ways first."""
    names: dict[int | None, str] = {None: NONE}
    names |= dict(classes.names(db).items())
    ways = Counter((move.before, move.after) for move in annotation.moves(db, run))
    estimates = [
        (told.summary["corrections"], found["share"], found["low"], found["high"])
        for told in annotation.all_runs(db)
        if (found := told.summary.get("accuracy"))
    ]
    told = tuple((names[a], names[b], n) for (a, b), n in ways.most_common(6))
    return Effect(run.id, ways.total(), told, tuple(estimates))


def class_pictures(db: Database, run: AnnotationRun, image_ids: Sequence[int]) -> dict[int, Picture]:
    """What is shown of these pictures, by id; the ones that are gone are left out."""
    return {
        a.image: ClassPicture(
            a.image,
            a.hash,
            a.path,
            0,
            a.width,
            a.height,
            a.confidence,
            a.class_id,
            a.found,
            a.corrected,
            a.none_score,
            tuple(a.top),
        )
        for a in annotation.pictures(db, run, image_ids)
    }


def encoder_choices(db: Database, wanted: EncoderSpec | None = None) -> list[EncoderChoice]:
    """The encoders of the project, the last one first, then others that are on this machine and know words.

    `wanted`, the one that was chosen for the project, goes before them all, even where nothing of it is here yet.
    """
    counts = images.counts(db)
    total = counts.images - counts.failed
    last = encoders.last(db)
    words = {choice.spec: choice.text for choice in CHOICES}
    records = sorted(encoders.all_encoders(db), key=lambda record: (record != last, -record.id))
    found = []
    for record in records:
        knows = words.get(record.spec, not record.spec.startswith("timm:"))
        given = encoder_given(record)
        embedded = images.count_embedded(db, record.id)
        found.append(EncoderChoice(record.label, given, knows, embedded, total, record.fingerprint))
    known = {record.spec for record in records}
    others = (choice.spec for choice in CHOICES if choice.spec not in known and choice.text and choice.cached)
    found += [EncoderChoice(spec, {"encoder": spec}, True, 0, total) for spec in others]
    if wanted is None:
        return found
    files = {"weights": wanted.weights, "model_config": wanted.model_config}
    given = {"encoder": str(wanted), **{name: str(file) for name, file in files.items() if file}}
    if not any(choice.given == given for choice in found):
        knows = words.get(str(wanted), wanted.library != "timm")
        found.append(EncoderChoice(wanted.label, given, knows, 0, total))
    return sorted(found, key=lambda choice: choice.given != given)


def encoder_given(record: encoders.EncoderRecord) -> dict[str, str]:
    """An encoder as the jobs of annotation are told of it."""
    return {"encoder": record.spec, **{name: value for name, value in record.options.items() if value}}


def run_encoders(db: Database, run: AnnotationRun) -> list[dict[str, str]]:
    """The encoders of a run, as a job is told of them."""
    return [encoder_given(encoders.get(db, id_)) for id_ in run.encoders]


def from_clusters(db: Database) -> str:
    """The names of the last clusters, largest first, one a line; empty where none has a name."""
    run = clusterings.latest(db)
    found = clusterings.clusters_of(db, run.id) if run is not None else []
    names = (c.name.replace(": ", " - ") for c in found if c.name)
    return "\n".join(dict.fromkeys(names))


def as_text(listed: Sequence[Class]) -> str:
    """Classes as they are typed, one a line."""
    return "\n".join(f"{c.name}: {'; '.join(c.phrases)}" if c.phrases else c.name for c in listed)


def head_in(path: str) -> SavedHead | ShoeboxError:
    """The trained head in a file, or why there is none."""
    from core.annotation.head_file import load_head

    try:
        return load_head(Path(path))
    except ShoeboxError as error:
        return error


def check_head(head: SavedHead, listed: ClassList, encoder: EncoderChoice) -> None:
    """Raises UsageError where a head is of other classes, or of another encoder, as the run would."""
    if sorted(head.classes) != sorted(listed.names):
        named = ", ".join(head.classes[:8]) + ("…" if len(head.classes) > 8 else "")
        raise UsageError(f"the head is of other classes: {named}", "type these, or leave the head out")
    if encoder.fingerprint and encoder.fingerprint != head.fingerprint:
        raise UsageError(f"the head was trained with another encoder ({head.encoder})", "tick that one")


def prompts_shown(
    listed: ClassList, prompts: Prompts, head: SavedHead | None
) -> tuple[str, list[tuple[str, list[str]]]]:
    """The name of the set that is used, and each class with its sentences; those of the head where there is one.

    Raises UsageError as `prompts_of` does.
    """
    from core.annotation.prompts import chosen_set, prompts_of

    if head is not None:
        named = f"of the head, trained by {count(head.corrections, 'correction')}"
        return named, [(name, list(own)) for name, own in zip(head.classes, head.prompts, strict=True)]
    found = prompts_of(listed.classes, prompts)
    named = chosen_set(listed.names) if prompts == "auto" else prompts if isinstance(prompts, str) else "your own"
    return named, list(zip(listed.names, found, strict=True))
