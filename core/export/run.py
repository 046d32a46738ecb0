"""Exports a clustering of a project: reads the project, writes one new folder, says what came of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.catalog import clusterings
from core.catalog.clusterings import ClusteringRecord
from core.catalog.database import Database
from core.catalog.paths import shown
from core.errors import ShoeboxError
from core.export import document, naming, page, tables
from core.export.contents import Contents, member_paths, read_contents
from core.export.embeddings import EmbeddingRow, embedding_rows, embeddings_size, write_embeddings
from core.export.folders import Placed, Placement, Skipped, place_pictures, plan_folders, sizes_of
from core.export.settings import ExportSettings
from core.export.staging import choose_target, new_folder
from core.export.truth import folder_agreement
from core.project import Project
from core.settings import Settings

__all__ = ["ExportResult", "export", "member_paths", "run_of"]

PICTURE_BYTES = 16_000
"""What a picture of the page and its lines in the lists take, for the check of free space."""
LISTED_BYTES = 1_000

Progress = Callable[[str, int, int], None]
"""The stage, how much of it is done, and how much there is in all."""
Truth = dict[str, Any]


@dataclass(frozen=True)
class ExportResult:
    """What was written. `files` counts pictures put into folders; `skipped` are those that could not be."""

    directory: Path
    clusters: int
    pictures: int
    files: int
    vectors: int
    unclustered: int
    """Pictures that belong to no cluster and were not asked for."""
    skipped: list[Skipped]
    truth: Truth | None

    def as_dict(self) -> dict[str, Any]:
        """As JSON can take it."""
        result: dict[str, Any] = {
            "output": shown(os.fsencode(self.directory)),
            "clusters": self.clusters,
            "pictures": self.pictures,
            "files": self.files,
            "vectors": self.vectors,
            "unclustered_left_out": self.unclustered,
            "skipped": [document.skipped_entry(skipped) for skipped in self.skipped],
        }
        return result | ({} if self.truth is None else {"truth": self.truth})


def export(
    project: Project,
    settings: ExportSettings,
    *,
    progress: Progress = lambda stage, done, total: None,
    checkpoint: Callable[[], None] = lambda: None,
) -> ExportResult:
    """Writes a clustering into a new folder, aside first, renamed when whole.

    `checkpoint` is called between pictures and may raise: then, as after every error, nothing is left. Raises
    UsageError for settings that do not fit, ShoeboxError where nothing is clustered or the disk takes no more.
    """
    settings.check()
    with project.database() as db:
        contents = _contents(project, db, settings)
        rows = embedding_rows(db, contents) if settings.what == "embeddings" else []
        truth = _truth(project, db, contents) if settings.truth else None
    return _Export(project, settings, contents, rows, truth, progress, checkpoint).run()


@dataclass(frozen=True)
class _Export:
    """One export, once all that it needs is read from the catalog."""

    project: Project
    settings: ExportSettings
    contents: Contents
    rows: list[EmbeddingRow]
    truth: Truth | None
    progress: Progress
    checkpoint: Callable[[], None]

    def run(self) -> ExportResult:
        contents, settings = self.contents, self.settings
        roots = [root.path for root in contents.roots]
        target = choose_target(settings.output, settings.working_directory, roots, name=self._name())
        placements = self._placements()
        with new_folder(target, self.project, self._sizes(placements)) as new:
            placed = place_pictures(
                new.folder,
                placements,
                settings.mode,
                progress=lambda done, total: self.progress("placing pictures", done, total),
                checkpoint=self.checkpoint,
            )
            _require_any(placed)
            self._write_lists(new.folder, placed)
            if settings.what == "embeddings":
                self._write_embeddings(new.folder)
            self.checkpoint()  # the last look before it is there for all to see
        assert new.final is not None
        return ExportResult(
            directory=new.final,
            clusters=len(contents.groups),
            pictures=contents.clustered + len(contents.unclustered),
            files=len(placed.files),
            vectors=len(self.rows),
            unclustered=contents.clustering.unclustered if self._leaves_out_unclustered() else 0,
            skipped=placed.skipped,
            truth=self.truth,
        )

    def _name(self) -> bytes:
        """What the pictures are called: as their folder, or as the project that downloaded them."""
        root = self.contents.roots[0]
        return os.fsencode(self.project.directory.stem) if root.origin else os.path.basename(root.path)

    def _leaves_out_unclustered(self) -> bool:
        """Whether everything was asked for but those: who names clusters, or wants no pictures, expects none."""
        settings = self.settings
        return settings.clusters is None and settings.what == "all" and not settings.unclustered

    def _placements(self) -> list[Placement]:
        what = self.settings.what
        if what not in ("all", "previews"):
            return []
        return plan_folders(self.contents, previews_only=what == "previews", unclustered=self.settings.unclustered)

    def _sizes(self, placements: list[Placement]) -> list[int]:
        contents, settings = self.contents, self.settings
        shown_pictures = min(page.PAGE_PICTURES, settings.page_previews * (len(contents.groups) + 1))
        lists = LISTED_BYTES * (contents.clustered + len(contents.unclustered)) + PICTURE_BYTES * shown_pictures
        sizes = [lists, embeddings_size(len(self.rows), contents.encoder.dimension)]
        return sizes + sizes_of(placements) if settings.mode == "copy" else sizes

    def _write_lists(self, folder: Path, placed: Placed) -> None:
        formats = self.settings.formats
        extra = {} if self.truth is None else {"truth": self.truth}
        self.progress("writing lists", 0, 1)
        if "json" in formats:
            self._write(folder / document.FILE_NAME, document.document_pieces(self.contents, placed, extra))
            self._write(folder / naming.NAMES_FILE, naming.names_pieces(self.contents))
            self._write(folder / naming.DESCRIPTIONS_FILE, naming.descriptions_pieces(self.contents))
        if "csv" in formats:
            tables.write_csv(folder, self.contents, placed.files, checkpoint=self.checkpoint)
        if "parquet" in formats:
            tables.write_parquet(folder, self.contents, placed.files, checkpoint=self.checkpoint)
        if "html" in formats:
            self._write_page(folder, placed)
        self.progress("writing lists", 1, 1)

    def _write_page(self, folder: Path, placed: Placed) -> None:
        with closing(self.project.thumbnails(Settings())) as thumbnails:
            pieces = page.page_pieces(
                self.contents,
                thumbnails.get,
                title=shown(self._name()) or "pictures",
                files=placed.files,
                previews=self.settings.page_previews,
                truth=self.truth,
            )
            self._write(folder / page.FILE_NAME, pieces)

    def _write(self, path: Path, pieces: Iterable[str]) -> None:
        with open(path, "x", encoding="utf-8") as file:
            for piece in pieces:
                self.checkpoint()
                file.write(piece)

    def _write_embeddings(self, folder: Path) -> None:
        encoder = self.contents.encoder
        write_embeddings(
            folder,
            self.contents,
            self.project.vector_file(encoder).read(encoder.rows),
            self.rows,
            progress=lambda done, total: self.progress("writing embeddings", done, total),
            checkpoint=self.checkpoint,
        )


def run_of(db: Database, run: int | None) -> ClusteringRecord:
    """The clustering of this id, or the last one. Raises UsageError, or ShoeboxError where there is none."""
    found = clusterings.latest(db) if run is None else clusterings.get(db, run)
    if found is None:
        raise ShoeboxError("nothing is clustered yet", "shoebox cluster does that")
    return found


def _contents(project: Project, db: Database, settings: ExportSettings) -> Contents:
    contents = read_contents(project, db, run_of(db, settings.run), settings.clusters, unclustered=settings.unclustered)
    if not contents.clustered and not contents.unclustered:
        raise ShoeboxError(
            "none of the clustered pictures is there as it was: gone, changed, or in the trash",
            "shoebox embed takes them as they are now; put them back or restore them first, or cluster again",
        )
    return contents


def _require_any(placed: Placed) -> None:
    """An unplugged disk is an error, not an export of nothing."""
    if placed.skipped and not placed.files:
        raise ShoeboxError(
            f"none of the {len(placed.skipped):,} pictures could be taken: {placed.skipped[0].reason}",
            "check that the disk with the pictures is there",
        )


def _truth(project: Project, db: Database, contents: Contents) -> Truth:
    """Always of the whole clustering: of some clusters alone the figures would mean nothing."""
    whole = contents
    if contents.selection is not None:
        whole = read_contents(project, db, contents.clustering)
    return folder_agreement(whole)
