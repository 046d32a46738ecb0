"""What is asked of the last run afterwards: other pictures to review, and how its pictures compare with its words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from core.annotation.accuracy import draws
from core.annotation.knowledge import view_of
from core.annotation.pile import Pile
from core.annotation.review import review_queue
from core.annotation.scores import text_scores
from core.catalog import annotation, classes, encoders
from core.errors import ShoeboxError

if TYPE_CHECKING:
    from core.catalog.annotation import AnnotationRun
    from core.catalog.database import Database
    from core.clustering.vectors import Floats
    from core.encoders.encoder import Encoder
    from core.project import Project


def new_queue(project: Project, count: int, *, below: float | None = None, seed: int = 0) -> list[int]:
    """A new review queue for the last run, recorded with it: image ids, at most `count`. See `review_queue`."""
    with project.database() as db:
        run = annotation.latest(db)
        if run is None:
            raise ShoeboxError("nothing is annotated yet", "shoebox annotate does that")
        rows = {image: (margin, sure) for image, margin, sure in annotation.scores(db, run)}
        pile = Pile.of(project, db, [encoders.get(db, id_) for id_ in run.encoders[:1]])
        known = np.array([i for i, image in enumerate(pile.images) if image in rows], np.int64)
        said = classes.corrections(db)
        both = np.array([rows[pile.images[i]] for i in known.tolist()], np.float32).reshape(-1, 2)
        hashes = [pile.hashes[i] for i in known.tolist()]
        skip = np.array([place for place, content in enumerate(hashes) if content in said], np.int64)
        chosen = review_queue(
            pile.vectors[0][known],
            both[:, 0],
            count,
            confidences=both[:, 1],
            below=below,
            skip=skip,
            drawn=draws(hashes),
            seed=seed,
        )
        queue = [pile.images[int(known[i])] for i in chosen]
        annotation.add_to_summary(db, run.id, {"queue": queue})
        return queue


def recorded_similarities(project: Project, db: Database, run: AnnotationRun) -> tuple[dict[int, int], Floats]:
    """The raw cosines [N, K] of a run's pictures to its classes' prompts, and the row of each image: computed again.

    Raises ShoeboxError where the vectors are gone.
    """

    def gone() -> Encoder:
        raise ShoeboxError("the sentences of this run are gone", "annotate again")

    records = [encoders.get(db, id_) for id_ in run.encoders]
    pile = Pile.of(project, db, records)
    prompts = [c.prompts for c in run.classes]
    views = [view_of(db, record, vectors, prompts, gone) for record, vectors in zip(records, pile.vectors, strict=True)]
    return {image: row for row, image in enumerate(pile.images)}, text_scores(views).similarities
