"""Annotates the pictures of a project: reads vectors, classes and corrections, decides, and records the run.

The summary of a run (`AnnotationRun.summary`) has: `empty` (class id, why, image, similarity, went_to), `notes`,
`calibrated`, `corrections` (how many it was told), `suggested_threshold`, `queue` (image ids in the order to ask),
`moved` (pictures whose class differs from the run before), and `accuracy` (right, count, share, low, high) once
pictures that are set aside were corrected.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.annotation.accuracy import draws, set_aside
from core.annotation.classes import ClassName
from core.annotation.corrections import Corrections, head_of_texts
from core.annotation.head_file import SavedHead, load_head, save_head
from core.annotation.knowledge import neighbours_of, view_of
from core.annotation.methods import (
    annotate,
    estimate_accuracy,
    heads_for,
    mean_none_scores,
    method_for,
)
from core.annotation.nowhere import suggested_threshold
from core.annotation.pile import Pile
from core.annotation.prompts import prompts_of
from core.annotation.record import empty_of, rows_of
from core.annotation.review import review_queue
from core.annotation.scores import NONE
from core.catalog import annotation, classes
from core.catalog.annotation import RunClass
from core.errors import CancelledError, UsageError

if TYPE_CHECKING:
    from core.annotation.corrections import Head
    from core.annotation.result import Annotation, Iteration
    from core.annotation.settings import AnnotateSettings
    from core.catalog.annotation import AnnotationRun
    from core.catalog.classes import Class
    from core.catalog.database import Database
    from core.catalog.encoders import EncoderRecord
    from core.clustering.neighbours import Neighbours
    from core.clustering.vectors import Floats
    from core.encoders.encoder import Encoder
    from core.project import Project

Progress = Callable[[dict[str, Any]], None]
"""Told `message` and `share` (0 to 1), and once there are rounds `iteration` (fields of `Iteration`, with `classes`,
the names that its distribution is of) and `history`, the rounds before it without their distributions."""


@dataclass(frozen=True)
class Used:
    """An encoder to decide by, and how to get it where sentences are new to it."""

    record: EncoderRecord
    load: Callable[[], Encoder]


def annotate_project(
    project: Project,
    settings: AnnotateSettings,
    used: Sequence[Used],
    *,
    progress: Progress = lambda told: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> int:
    """Annotates every picture that all of `used` have embedded, trash left out; gives the run's id.

    Raises UsageError where no class is in force, or the head does not fit; ShoeboxError where nothing is embedded or
    an encoder knows no words.
    """
    with project.database() as db:
        return _Run(project, db, settings, used, progress, cancelled).record()


def save_trained_head(project: Project, path: Path, used: Sequence[Used], settings: AnnotateSettings) -> int:
    """Writes the head that the corrections train for the classes in force, as a run by `settings` would.

    Gives how many corrections taught it. Raises UsageError for several encoders, or a file that is no head.
    """
    with project.database() as db:
        settings = dataclasses.replace(settings, save_head=str(path))
        return _Run(project, db, settings, used, lambda told: None, lambda: False).save_head()


class _Run:
    """One run: what it is given, and what it comes to."""

    def __init__(
        self,
        project: Project,
        db: Database,
        settings: AnnotateSettings,
        used: Sequence[Used],
        progress: Progress,
        cancelled: Callable[[], bool],
    ) -> None:
        self._began = time.monotonic()
        self._project, self._db, self._settings, self._used = project, db, settings, used
        self._progress, self._cancelled = progress, cancelled
        self._classes: list[Class] = classes.in_force(db)
        if not self._classes:
            raise UsageError("no class is named", "give the names of the classes")
        self._names = [c.name for c in self._classes]
        self._history: list[dict[str, Any]] = []
        if settings.save_head is not None and len(used) > 1:
            raise UsageError("a head is of one encoder, and there are several", "leave --save-head or encoders out")
        self._head = self._loaded_head()
        self._prompts = self._chosen_prompts()
        self._pile = Pile.of(project, db, [own.record for own in used])
        self._views = [
            view_of(db, own.record, vectors, self._prompts, own.load, tick=self._tick)
            for own, vectors in zip(used, self._pile.vectors, strict=True)
        ]
        self._corrections = self._given()
        self._drawn = draws(self._pile.hashes)

    @property
    def _heads(self) -> list[Head] | None:
        return None if self._head is None else [self._head.head]

    def record(self) -> int:
        """Annotates and records; gives the run's id."""
        settings, told = self._settings, self._corrections
        asked = settings.asked
        found = self._neighbours()
        result = annotate(
            self._views,
            self._names,
            asked,
            corrections=told if len(told.rows) else None,
            heads=self._heads,
            found=found,
            report=self._report,
            tick=self._tick,
        )
        none = mean_none_scores(found, result.similarities) if found else None
        self._tick("writing down", 1.0)
        before = annotation.latest(self._db)
        run = annotation.record(
            self._db,
            method=result.method,
            settings=dataclasses.asdict(settings),
            encoders=[own.record.id for own in self._used],
            classes=[RunClass(c.id, c.name, tuple(p)) for c, p in zip(self._classes, self._prompts, strict=True)],
            iterations=[dataclasses.asdict(told) for told in result.iterations],
            summary=self._summary(result, none, before),
            seconds=round(time.monotonic() - self._began, 3),
            rows=rows_of(result, self._pile.images, [c.id for c in self._classes], self._corrections.rows, none),
            check=self._check,
        )
        made = annotation.latest(self._db)
        assert made is not None, "it was just recorded"
        self._db_add(run, {"moved": len(annotation.moves(self._db, made)) if before else 0})
        self._measure(run, found)
        self.save_head()
        return run

    def _measure(self, run: int, found: list[Neighbours] | None) -> None:
        """The estimate of accuracy: a run that is not told what was said of the pictures set aside."""
        told = self._corrections
        aside = set_aside(self._drawn)[told.rows]
        if not aside.any():
            return
        self._tick("estimating the accuracy", 0.0)
        estimate = estimate_accuracy(
            self._views,
            self._names,
            self._settings.asked,
            told.part(~aside),
            told.part(aside),
            heads=self._heads,
            found=found,
            tick=self._tick,
        )
        self._db_add(run, {"accuracy": dataclasses.asdict(estimate)})

    def _db_add(self, run: int, values: dict[str, Any]) -> None:
        annotation.add_to_summary(self._db, run, values)

    def _loaded_head(self) -> SavedHead | None:
        if self._settings.head is None:
            return None
        if len(self._used) > 1:
            raise UsageError("a head is of one encoder, and there are several", "leave --head or encoders out")
        saved = load_head(Path(self._settings.head), fingerprint=self._used[0].record.fingerprint)
        if sorted(saved.classes) != sorted(self._names):
            raise UsageError(
                f"the head {self._settings.head} is of other classes: {_few(saved.classes)}", "give these, or no class"
            )
        order = [saved.classes.index(name) for name in self._names]
        head = dataclasses.replace(saved.head, weights=saved.head.weights[order], biases=saved.head.biases[order])
        prompts = tuple(saved.prompts[place] for place in order)
        return dataclasses.replace(saved, head=head, classes=tuple(self._names), prompts=prompts)

    def _chosen_prompts(self) -> list[list[str]]:
        if self._head is not None:
            return [list(own) for own in self._head.prompts]
        return prompts_of([ClassName(c.name, c.phrases) for c in self._classes], classes.prompts(self._db))

    def _given(self) -> Corrections:
        """What was said of these pictures; what names a class that is not in force is left out."""
        place: dict[int | None, int] = {c.id: i for i, c in enumerate(self._classes)}
        place[None] = NONE
        said = classes.corrections(self._db)
        rows = [
            (row, place[said[content]])
            for row, content in enumerate(self._pile.hashes)
            if content in said and said[content] in place
        ]
        self._asleep = sum(1 for class_ in said.values() if class_ not in place)
        both = np.array(rows, np.int64).reshape(-1, 2)
        return Corrections(both[:, 0], both[:, 1].astype(np.int32))

    def _neighbours(self) -> list[Neighbours] | None:
        """The nearest pictures in each view, where this run needs them."""
        count = len(self._pile.images)
        if method_for(self._settings.method, count) != "graph" and self._settings.threshold is None:
            return None
        return [
            neighbours_of(
                self._project.vector_file(own.record).path.with_suffix(".near.npz"),
                rows,
                vectors,
                seed=self._settings.seed,
                tick=self._tick,
            )
            for own, rows, vectors in zip(self._used, self._pile.rows, self._pile.vectors, strict=True)
        ]

    def _summary(self, result: Annotation, none: Floats | None, before: AnnotationRun | None) -> dict[str, Any]:
        told, images = self._corrections, self._pile.images
        queue = review_queue(
            self._views[0].vectors,
            result.margins,
            self._settings.review,
            confidences=result.confidences,
            below=self._settings.below,
            skip=told.rows,
            drawn=self._drawn,
            seed=self._settings.seed,
        )
        suggested = None
        if none is not None and len(told.rows):
            suggested = suggested_threshold(none[told.rows], told.labels == NONE)
        return {
            "empty": empty_of(result, images, [c.id for c in self._classes]),
            "notes": [*result.notes, *self._notes()],
            "calibrated": result.calibrated,
            "corrections": len(told.rows),
            "suggested_threshold": suggested,
            "queue": [images[row] for row in queue.tolist()],
            "accuracy": None,
            "moved": 0,
            "before": before.id if before else None,
        }

    def _notes(self) -> list[str]:
        if not self._asleep:
            return []
        number = "1 correction is" if self._asleep == 1 else f"{self._asleep:,} corrections are"
        return [f"{number} to classes that are not in the list: kept, and of use again when they are"]

    def save_head(self) -> int:
        """Writes the head that the corrections train, where one is asked for; gives how many taught it."""
        taught = len(self._corrections.of_classes().rows)
        if self._settings.save_head is None:
            return taught
        trained = heads_for(self._views, self._corrections, self._heads)
        record = self._used[0].record
        save_head(
            Path(self._settings.save_head),
            SavedHead(
                head=trained[0] if trained else head_of_texts(self._views[0]),
                fingerprint=record.fingerprint,
                encoder=record.label,
                classes=tuple(self._names),
                prompts=tuple(map(tuple, self._prompts)),
                corrections=taught,
            ),
        )
        return taught

    def _tick(self, words: str, share: float) -> None:
        self._check()
        self._progress({"message": words, "share": share} | self._told())

    def _report(self, iteration: Iteration) -> None:
        self._check()
        self._history.append(dataclasses.asdict(iteration))
        words = f"round {iteration.number}: {iteration.mean_confidence:.2f} sure, {iteration.moved:,} moved"
        self._progress({"message": words, "share": min(1.0, iteration.number / 10)} | self._told())

    def _told(self) -> dict[str, Any]:
        if not self._history:
            return {}
        figures = [{k: v for k, v in told.items() if k != "distribution"} for told in self._history[:-1]]
        return {"iteration": self._history[-1], "classes": self._names, "history": figures}

    def _check(self) -> None:
        if self._cancelled():
            raise CancelledError("cancelled", "what was annotated before is as it was")


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return ", ".join(names[:8]) + more
