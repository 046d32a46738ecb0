"""What the user asked of a run of annotation, checked before any work."""

from __future__ import annotations

from dataclasses import dataclass

from core.annotation.methods import Asked
from core.errors import UsageError


@dataclass(frozen=True)
class AnnotateSettings:
    """The options of a run. The classes and their prompts are the catalog's (`core.catalog.classes`).

    `threshold`: the none-score (0 to 1) from which a picture is none of the classes; None: never. `review`: pictures
    in the review queue at most, those with a confidence under `below` where that is given. `head`: a file with a
    trained head that takes the place of the words; `save_head`: where to write the one that the corrections train.
    """

    method: str = "auto"
    threshold: float | None = None
    seed: int = 0
    review: int = 100
    below: float | None = None
    head: str | None = None
    save_head: str | None = None

    def __post_init__(self) -> None:
        if self.review < 0:
            raise UsageError(f"a review of {self.review} pictures", "give 0 or more")
        if self.below is not None and not 0 <= self.below <= 1:
            raise UsageError(f"a confidence of {self.below:g}", "give a number from 0 to 1")
        _ = self.asked

    @property
    def asked(self) -> Asked:
        """What the method is told. Raises UsageError for a method there is not, or an impossible threshold."""
        return Asked(self.method, self.threshold, self.seed)
