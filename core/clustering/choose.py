"""How many clusters: a few numbers tried by k-means on a sample, told apart by their cosine silhouette.

No measure is right for every pile, so coarser and finer offers come with the best one, each with its score.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.clustering.kmeans import fit_kmeans
from core.clustering.silhouette import silhouette
from core.clustering.vectors import Floats, Tick, Vectors, no_tick, sample_rows, unit_rows

SAMPLE = 5_000
GRID = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
MEMBERS = 4  # a cluster of fewer pictures on average is no group worth offering
APART = 1.5  # a coarser or finer offer differs from the best by this factor at least


@dataclass(frozen=True)
class Offer:
    """A number of clusters and its mean silhouette on the sample."""

    clusters: int
    silhouette: float


@dataclass(frozen=True)
class Choice:
    """The best number, the best coarser and finer ones (None where there are none), and all that were tried."""

    best: Offer
    coarser: Offer | None
    finer: Offer | None
    tried: tuple[Offer, ...]

    def __str__(self) -> str:
        offers = [offer for offer in (self.coarser, self.best, self.finer) if offer]
        return ", ".join(f"{offer.clusters} ({offer.silhouette:.2f})" for offer in offers)


def choose_clusters(
    vectors: Vectors, *, seed: int = 0, fewest: int = 1, most: int | None = None, tick: Tick = no_tick
) -> Choice:
    """The best number of clusters between `fewest` and `most` (about 64 unless told) by silhouette.

    The numbers of GRID are tried, then those between the best and its neighbours. One cluster scores 0, and is
    chosen where every division scores less: nothing stands out.
    """
    rows = sample_rows(len(vectors), SAMPLE, seed)
    sample = unit_rows(vectors, rows)
    most = min(most or len(vectors), max(fewest, len(sample) // MEMBERS))
    grid = sorted({k for k in GRID if fewest <= k <= most} | {fewest})
    scores: dict[int, float] = {}

    def attempt(numbers: list[int], begin: float, end: float) -> None:
        for done, number in enumerate(numbers):
            tick(f"trying {number} clusters", begin + (end - begin) * done / len(numbers))
            scores[number] = _score(sample, number, seed)

    attempt(grid, 0.0, 0.7)
    best = _best(scores)
    lower = max((k for k in scores if k < best), default=best)
    upper = min((k for k in scores if k > best), default=best)
    attempt(sorted(_between(lower, best) | _between(best, upper)), 0.7, 1.0)
    best = _best(scores)
    return Choice(
        Offer(best, scores[best]),
        _offer({k: s for k, s in scores.items() if 1 < k <= best / APART}),
        _offer({k: s for k, s in scores.items() if k >= best * APART}),
        tuple(Offer(number, scores[number]) for number in sorted(scores)),
    )


def _score(sample: Floats, clusters: int, seed: int) -> float:
    if not 2 <= clusters < len(sample):
        return 0.0
    fit = fit_kmeans(sample, clusters, seed=seed, starts=2 if len(sample) > 1000 else 4)
    return silhouette(sample, fit.labels, clusters).overall


def _between(low: int, high: int) -> set[int]:
    """At most three numbers strictly between two, evenly spread."""
    return {low + (high - low) * step // 4 for step in (1, 2, 3)} - {low, high}


def _best(scores: dict[int, float]) -> int:
    """The number with the best score; of equal ones (all pictures alike) the smallest."""
    return max(scores, key=lambda number: (round(scores[number], 6), -number))


def _offer(scores: dict[int, float]) -> Offer | None:
    return Offer(best := _best(scores), scores[best]) if scores else None
