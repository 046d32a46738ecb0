"""What an export of annotations holds: one reading of the last run, for every format to write from."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.catalog import annotation, downloads, encoders, sources
from core.catalog.annotation import Annotated, AnnotationRun
from core.catalog.encoders import EncoderRecord
from core.catalog.paths import shown
from core.errors import ShoeboxError
from core.export.contents import Root, snapshot
from core.project import Project
from core.sources.places import REMOTE

if TYPE_CHECKING:
    from core.catalog.database import Database
    from core.clustering.vectors import Floats, Labels, Vectors

NOBODY = -1
"""The place of the class that a picture of none of them has."""


@dataclass(frozen=True)
class AnnotationContents:
    """The last run as it stands now. `names`: the classes; those of the run first, then those of corrections alone.

    `similarities` [N, K] are raw cosines to the run's own classes; `rows` tells the row of an image in it.
    """

    project: Project
    run: AnnotationRun
    encoders: list[EncoderRecord]
    roots: list[Root]
    names: list[str]
    pictures: list[Annotated]
    similarities: Floats
    rows: dict[int, int]
    _places: dict[int, int] = field(repr=False)
    _sources: dict[int, int] = field(repr=False)
    _vector_rows: dict[int, int] = field(repr=False)
    _origins: dict[int, tuple[str, list[str]]] = field(repr=False)

    def index_of(self, picture: Annotated) -> int:
        """The place of a picture's class in `names`, or NOBODY."""
        return NOBODY if picture.class_id is None else self._places[picture.class_id]

    def name_of(self, picture: Annotated) -> str | None:
        """The name of a picture's class."""
        index = self.index_of(picture)
        return None if index < 0 else self.names[index]

    def source_of(self, picture: Annotated) -> int:
        """The position in `roots` of the source that a picture comes from."""
        return self._sources[picture.source]

    def url_of(self, picture: Annotated) -> tuple[str, list[str]] | None:
        """The URL that a picture was downloaded from, and its tags; None for one of a folder."""
        return self._origins.get(picture.image)

    def origin_of(self, picture: Annotated) -> bytes:
        """The absolute path of a picture."""
        return os.path.join(self.roots[self.source_of(picture)].path, picture.path)

    def labels_of(self, pictures: Sequence[Annotated]) -> Labels:
        """The places of their classes [n], NOBODY for none."""
        import numpy as np

        return np.array([self.index_of(picture) for picture in pictures], dtype=np.int32)

    def vectors_of(self, pictures: Sequence[Annotated]) -> Vectors:
        """Their vectors [n, D] by the first encoder."""
        record = self.encoders[0]
        stored = self.project.vector_file(record).read(record.rows)
        return stored[[self._vector_rows[picture.image] for picture in pictures]]


def read_annotation(project: Project, db: Database, run_id: int | None = None) -> AnnotationContents:
    """Reads the last run. Raises ShoeboxError where there is none, another than `run_id`, or none of its pictures."""
    from core.annotation.last_run import recorded_similarities

    run = annotation.latest(db)
    if run is None:
        raise ShoeboxError("nothing is annotated yet", "shoebox annotate does that")
    if run_id not in (None, run.id):
        raise ShoeboxError("the pictures were annotated again meanwhile", "look at the last run")
    rows, similarities = recorded_similarities(project, db, run)
    with snapshot(db):
        pictures = [picture for picture in annotation.all_pictures(db, run) if picture.image in rows]
        counts = annotation.counts(db, run)
        found = sources.all_sources(db)
        records = [encoders.get(db, id_) for id_ in run.encoders]
        remote = {source.id for source in found if source.kind in REMOTE}
        origins = downloads.origins(db, (picture.image for picture in pictures if picture.source in remote))
    if not pictures:
        raise ShoeboxError("none of the annotated pictures is there any more", "put them back, or annotate again")
    own = {c.id for c in run.classes}
    added = [c for c in counts if c.id is not None and c.id not in own and c.pictures]
    named = [(c.id, c.name) for c in run.classes] + [(c.id or 0, c.name or "") for c in added]
    return AnnotationContents(
        project=project,
        run=run,
        encoders=records,
        roots=[
            Root(source.kind, project.root_of(source), shown(source.root) if source.id in remote else "")
            for source in found
        ],
        names=[name for _, name in named],
        pictures=pictures,
        similarities=similarities,
        rows=rows,
        _places={id_: place for place, (id_, _) in enumerate(named)},
        _sources={source.id: place for place, source in enumerate(found)},
        _vector_rows=dict(zip(*encoders.embedded_images(db, records[0].id), strict=True)),
        _origins=origins,
    )
