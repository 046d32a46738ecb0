"""Exports the last run of annotation: a folder per class, splits to train on, and the lists of what is where."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.annotation.splits import PARTS, RATIOS, SEED, check_ratios, split, twin_groups
from core.annotation.splits import TWINS as TWINS_FROM
from core.catalog.annotation import Annotated
from core.catalog.clusterings import Member
from core.catalog.paths import shown
from core.errors import ShoeboxError, UsageError
from core.export import annotation_document, annotation_tables
from core.export.annotation_contents import AnnotationContents, read_annotation
from core.export.document import skipped_entry
from core.export.folders import Placed, Placement, Skipped, place_pictures, sizes_of
from core.export.names import UniqueNames, class_folders, safe_name
from core.export.settings import MODES
from core.export.staging import choose_target, new_folder
from core.project import Project
from core.sources.folder import EXPORT_MARKER

SPLITS_FOLDER = "splits"
NONE_FOLDER = "none of the classes"
TAKEN = (
    *(SPLITS_FOLDER, NONE_FOLDER, annotation_document.METADATA, annotation_document.REPORT, annotation_document.COCO),
    *(annotation_tables.CSV_NAME, annotation_tables.PARQUET_NAME, os.fsdecode(EXPORT_MARKER)),
)
"""Names in the export that no folder of a class may have."""
FORMATS = ("coco", "csv", "parquet")
TWINS = (TWINS_FROM, 0.98, 0.99, 0.995, 0.999)
"""Cosines from which pictures are twins: the next one where an encoder sees so much alike that chains of twins leave
too few pictures to val and test."""
ENOUGH = 0.75
"""Share of the pictures meant for val and test that must come to be there."""
LISTED_BYTES = 1_000
NUMBER_BYTES = 10
"""What a picture and each of its similarities take in the lists, for the check of free space."""

Progress = Callable[[str, int, int], None]
"""The stage, how much of it is done, and how much there is in all."""


@dataclass(frozen=True)
class AnnotationExport:
    """The options. `ratios`: of train, val and test, such as 70, 15, 15. `splits`: whether there are any."""

    working_directory: str
    output: str | None = None
    mode: str = "copy"
    splits: bool = True
    ratios: Sequence[float] = RATIOS
    seed: int = SEED
    formats: Sequence[str] = FORMATS

    def check(self) -> None:
        """Raises UsageError for an option that does not fit."""
        if self.mode not in MODES:
            raise UsageError(f"--mode {self.mode} is unknown", f"choose one of {', '.join(MODES)}")
        unknown = [name for name in self.formats if name not in FORMATS]
        if unknown:
            raise UsageError(f"there is no format {unknown[0]}", f"choose of {', '.join(FORMATS)}")
        check_ratios(self.ratios)


@dataclass(frozen=True)
class AnnotationExported:
    """What was written. `parts`: pictures of each split. `none`: pictures of none of the classes."""

    directory: Path
    pictures: int
    files: int
    none: int
    parts: dict[str, int]
    skipped: list[Skipped] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """As JSON can take it."""
        return {
            "output": shown(os.fsencode(self.directory)),
            "pictures": self.pictures,
            "files": self.files,
            "none_of_the_classes": self.none,
            "splits": self.parts,
            "skipped": [skipped_entry(skipped) for skipped in self.skipped],
        }


def export_annotation(
    project: Project,
    settings: AnnotationExport,
    *,
    progress: Progress = lambda stage, done, total: None,
    checkpoint: Callable[[], None] = lambda: None,
) -> AnnotationExported:
    """Writes the last run into a new folder, aside first, renamed when whole.

    `checkpoint` is called between pictures and may raise: then, as after every error, nothing is left. Raises
    UsageError for settings that do not fit, ShoeboxError where nothing is annotated or the disk takes no more.
    """
    settings.check()
    with project.database() as db:
        contents = read_annotation(project, db)
    return _Export(project, settings, contents, progress, checkpoint).run()


@dataclass(frozen=True)
class _Export:
    """One export, once all that it needs is read."""

    project: Project
    settings: AnnotationExport
    contents: AnnotationContents
    progress: Progress
    checkpoint: Callable[[], None]

    def run(self) -> AnnotationExported:
        contents, settings = self.contents, self.settings
        roots = [root.path for root in contents.roots]
        target = choose_target(settings.output, settings.working_directory, roots, name=self._name())
        placements = self._placements()
        lists = len(contents.pictures) * (LISTED_BYTES + NUMBER_BYTES * len(contents.names))
        sizes = [lists] + (sizes_of(placements) if settings.mode == "copy" else [])
        with new_folder(target, self.project, sizes) as new:
            placed = self._place(new.folder, placements, settings.mode, "placing pictures")
            if placed.skipped and not placed.files:
                raise ShoeboxError(
                    f"none of the {len(placed.skipped):,} pictures could be taken: {placed.skipped[0].reason}",
                    "check that the disk with the pictures is there",
                )
            parts, twins = self._write_splits(new.folder, placements, placed) if settings.splits else ({}, None)
            self._write_lists(new.folder, annotation_document.Where(placed.files, parts, placed.skipped, twins))
            self.checkpoint()  # the last look before it is there for all to see
        assert new.final is not None
        return AnnotationExported(
            directory=new.final,
            pictures=len(contents.pictures),
            files=len(placed.files),
            none=sum(1 for picture in contents.pictures if picture.class_id is None),
            parts={part: sum(1 for own in parts.values() if own == part) for part in PARTS} if settings.splits else {},
            skipped=placed.skipped,
        )

    def _name(self) -> bytes:
        """What the pictures are called: as their folder, or as the project that downloaded them."""
        root = self.contents.roots[0]
        return os.fsencode(self.project.directory.stem) if root.origin else os.path.basename(root.path)

    def _placements(self) -> list[Placement]:
        """Where each picture goes. The same contents give the same names."""
        folders = class_folders(self.contents.names, taken=TAKEN)
        names = [UniqueNames() for _ in range(len(folders) + 1)]
        placements = []
        for picture in self.contents.pictures:
            index = self.contents.index_of(picture)
            folder = NONE_FOLDER if index < 0 else folders[index]
            name = names[index].take(safe_name(os.path.basename(picture.path)))
            placements.append(Placement(_member(picture), self.contents.origin_of(picture), folder, name))
        return placements

    def _write_splits(
        self, folder: Path, placements: Sequence[Placement], placed: Placed
    ) -> tuple[dict[int, str], float]:
        """Parts every class, and puts the pictures there again; gives the part of each image, and what twins are.

        Copies are not made twice: the second name is a hard link to the first where the file system has them.
        """
        kept = [place for place, planned in enumerate(placements) if planned.member.image in placed.files]
        pictures = [self.contents.pictures[place] for place in kept]
        found, twins = self._parted(pictures)
        parts = {p.image: PARTS[part] for p, part in zip(pictures, found, strict=True) if part >= 0}
        again = self.settings.mode == "copy" and _links_work(folder)
        planned = []
        for place in kept:
            own = placements[place]
            if own.member.image not in parts:
                continue
            origin = os.fsencode(folder / own.place) if again else own.origin
            within = f"{SPLITS_FOLDER}/{parts[own.member.image]}/{own.folder}"
            planned.append(Placement(own.member, origin, within, own.name))
        lost = self._place(folder, planned, "hardlink" if again else self.settings.mode, "placing splits").skipped
        if lost:
            raise ShoeboxError(f"{shown(lost[0].member.path)} went away while it was exported", "export again")
        return parts, twins

    def _parted(self, pictures: Sequence[Annotated]) -> tuple[list[int], float]:
        """The place in PARTS of each picture, -1 for none of the classes, and the cosine that twins were found from.

        Twins are in the same part.
        """

        def tick(words: str, share: float) -> None:
            self.checkpoint()
            self.progress(words, int(100 * share), 100)

        ratios = check_ratios(self.settings.ratios)
        labels, vectors = self.contents.labels_of(pictures), self.contents.vectors_of(pictures)
        wanted = (1 - ratios[0]) * sum(1 for label in labels if label >= 0)
        for threshold in TWINS:
            tick("looking for twins", 0.0)
            groups = twin_groups([p.hash for p in pictures], vectors, threshold=threshold, tick=tick)
            found: list[int] = split(labels, groups, ratios=ratios, seed=self.settings.seed).tolist()
            if sum(1 for part in found if part > 0) >= ENOUGH * wanted:
                break
        return found, threshold

    def _place(self, folder: Path, placements: Sequence[Placement], mode: str, words: str) -> Placed:
        def progress(done: int, total: int) -> None:
            self.progress(words, done, total)

        return place_pictures(folder, placements, mode, progress=progress, checkpoint=self.checkpoint)

    def _write_lists(self, folder: Path, where: annotation_document.Where) -> None:
        contents, formats = self.contents, self.settings.formats
        self.progress("writing lists", 0, 1)
        self._write(folder / annotation_document.METADATA, annotation_document.metadata_pieces(contents, where))
        self._write(folder / annotation_document.REPORT, annotation_document.report_lines(contents, where))
        if "coco" in formats:
            self._write(folder / annotation_document.COCO, annotation_document.coco_pieces(contents, where))
        if "csv" in formats:
            annotation_tables.write_csv(folder, contents, where, checkpoint=self.checkpoint)
        if "parquet" in formats:
            annotation_tables.write_parquet(folder, contents, where, checkpoint=self.checkpoint)
        self.progress("writing lists", 1, 1)

    def _write(self, path: Path, pieces: Iterable[str]) -> None:
        with open(path, "x", encoding="utf-8") as file:
            for piece in pieces:
                self.checkpoint()
                file.write(piece)


def _member(picture: Annotated) -> Member:
    return Member(
        picture.image,
        picture.source,
        picture.path,
        picture.confidence,
        picture.hash,
        picture.width,
        picture.height,
    )


def _links_work(folder: Path) -> bool:
    """Whether the file system of `folder` has hard links."""
    probe = folder / ".link"
    try:
        os.link(folder / os.fsdecode(EXPORT_MARKER), probe)
        probe.unlink()
    except OSError:
        return False
    return True
