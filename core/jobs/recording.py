"""Records names as a language model proposes them, so that some are reviewed while others are still asked for."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.catalog import names
from core.catalog.names import Proposed
from core.naming.measure import measure_names, ranked

if TYPE_CHECKING:
    from core.catalog.database import Database
    from core.catalog.encoders import EncoderRecord
    from core.naming.texts import Texts
    from core.project import Project

RECORD_SECONDS = 1.0
"""What came is recorded this often."""
WORK_SHARE = 0.1
"""Ranking and measuring take no more of the time than this: the answers wait meanwhile."""


@dataclass
class Recorder:
    """Records the proposals of one job, all as one edit; what is known already is not recorded again."""

    project: Project
    db: Database
    clustering: int
    encoder: EncoderRecord
    texts: Texts
    said: str
    seed: int
    checkpoint: Callable[[], None]
    _came: dict[int, Proposed] = field(default_factory=dict)  # as the model gave them, by cluster
    _waiting: list[Proposed] = field(default_factory=list)
    _batch: int | None = None
    _due: float = 0.0

    def take(self, proposed: Proposed) -> None:
        """Takes a proposal that has just come."""
        self._came[proposed.cluster] = proposed
        self._waiting.append(proposed)

    def look(self) -> None:
        """Records and measures what came, if it is time. Raises ShoeboxError where another run is the latest by now."""
        began = time.monotonic()
        if self._waiting and began >= self._due:
            self.keep()
            self.measure()
            ended = time.monotonic()
            self._due = ended + max(RECORD_SECONDS, (ended - began) / WORK_SHARE)

    def keep(self) -> None:
        """Records what came and was not recorded yet."""
        waiting, self._waiting = self._waiting, []
        self._record(waiting)

    def finish(self, proposals: Sequence[Proposed]) -> None:
        """Records those of all proposals that are not recorded yet, or have changed since they came."""
        self.keep()
        standing = {n.number: n.proposal for n in names.names_of(self.db, self.clustering)}
        later = [p for p in proposals if self._came.get(p.cluster) != p]
        self._record([p for p in later if p.cluster in self._came or not _same(p, standing.get(p.cluster))])

    def measure(self) -> None:
        """Measures the names in force, if the encoder can read them."""
        if self.texts.can_encode:
            measure_names(
                self.project, self.db, self.clustering, self.encoder, self.texts, seed=self.seed, tick=self._tick
            )

    def _record(self, proposals: Sequence[Proposed]) -> None:
        if not proposals:
            return
        ordered = ranked(self.project, self.db, self.clustering, self.encoder, self.texts, proposals, seed=self.seed)
        _, self._batch = names.record(self.db, self.clustering, "openai", ordered, said=self.said, batch=self._batch)

    def _tick(self, words: str, share: float) -> None:
        self.checkpoint()


def _same(proposed: Proposed, standing: Proposed | None) -> bool:
    """Whether a proposal says what the one that stands says: its candidates may have been put in order since."""
    if standing is None:
        return False
    fields = ("description", "reason", "model", "prompt")
    return set(proposed.candidates) == set(standing.candidates) and all(
        getattr(proposed, name) == getattr(standing, name) for name in fields
    )
