"""What the user asked of an export, checked before any work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.errors import UsageError

MODES = ("copy", "hardlink", "symlink")
WHAT = ("all", "previews", "embeddings", "none")
FORMATS = ("json", "html", "csv", "parquet")
TRUTHS = ("folders",)


@dataclass(frozen=True)
class ExportSettings:
    """The options of `shoebox export`.

    `run`: the id of a clustering, None for the last. `clusters`: their numbers, None for every one. `what`: which
    pictures go into folders (all or the previews of each cluster), or embeddings, which writes `embeddings.npy` and no
    folders, or none. `output`: the folder to be made; by default `NAME-DATE` in `working_directory`. `unclustered`:
    whether those get a folder too. `truth`: "folders" reports how well the clusters agree with the folders the pictures
    lie in. `formats`: which lists are written. `page_previews`: how many pictures of a cluster the page shows at most.
    """

    working_directory: str
    run: int | None = None
    clusters: Sequence[int] | None = None
    mode: str = "copy"
    what: str = "all"
    output: str | None = None
    unclustered: bool = False
    truth: str | None = None
    formats: Sequence[str] = FORMATS
    page_previews: int = 16

    def check(self) -> None:
        """Raises UsageError for an option that does not fit."""
        _one_of("--mode", self.mode, MODES)
        _one_of("--what", self.what, WHAT)
        if self.truth is not None:
            _one_of("--truth", self.truth, TRUTHS)
        for name in self.formats:
            _one_of("--formats", name, FORMATS)
        if self.clusters is not None and not self.clusters:
            raise UsageError("--clusters names no cluster", "write it as 1,3,7, or leave it out for all")
        if self.page_previews < 1:
            raise UsageError(f"{self.page_previews} pictures a cluster cannot be shown", "give 1 or more")


def _one_of(option: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise UsageError(f"{option} {value} is unknown", f"choose one of {', '.join(known)}")
