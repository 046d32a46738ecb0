"""What the user asked of a clustering, checked against the number of pictures before any work."""

from __future__ import annotations

import math
from dataclasses import dataclass

from core.clustering.routes import REDUCTIONS, choose_route, default_min_cluster_size
from core.errors import UsageError

METHODS = ("auto", "balanced", "density", "kmeans", "minibatch")
BALANCED_UP_TO = 10_000  # pictures; above, the constrained assignment takes minutes
MINIMUM_RATIO = 0.05  # of all pictures, where clusters are few enough for it
ROUNDING = 1e-9  # 0.29 * 100 is 28.999999999999996


@dataclass(frozen=True)
class ClusterSettings:
    """The options of `shoebox cluster`. None means: not asked for.

    `clusters` None is auto. Ratios are shares of all pictures (0 to 1). `uniqueness` is the cosine distance
    below which two previews are too alike; `previews` how many a cluster has at most.
    """

    method: str = "auto"
    clusters: int | None = None
    min_cluster_ratio: float | None = None
    max_cluster_ratio: float | None = None
    min_cluster_size: int | None = None
    seed: int = 0
    uniqueness: float = 0.15
    previews: int = 16
    reduction: str = "auto"

    def resolve(self, count: int) -> Plan:
        """The plan for `count` pictures. Raises UsageError, with the numbers, for what cannot be."""
        if count < 1:
            raise UsageError("there are no pictures to cluster", "embed some first")
        self._check_values()
        method, said = self._method(count)
        if method == "density":
            self._check_density(count)
            size = self.min_cluster_size or default_min_cluster_size(count)
            return Plan(self, count, method, None, 1, count, size, said)
        if self.reduction != "auto":
            raise UsageError(f"{method} works on the vectors themselves", "use --reduction with --method density")
        if self.clusters and self.clusters > count:
            raise UsageError(
                f"{self.clusters} clusters cannot be made of {_pictures(count)}", f"ask for at most {count}"
            )
        fewest, most = self._bounds(count)
        return Plan(self, count, method, self.clusters, fewest, most, 1, said)

    def _check_values(self) -> None:
        if self.method not in METHODS:
            raise UsageError(f"there is no method {self.method!r}", f"choose one of {', '.join(METHODS)}")
        if self.reduction not in REDUCTIONS:
            raise UsageError(f"there is no reduction {self.reduction!r}", f"choose one of {', '.join(REDUCTIONS)}")
        for name, low, value in (
            ("--clusters", 1, self.clusters),
            ("--min-cluster-size", 1, self.min_cluster_size),
            ("--previews", 1, self.previews),
            ("--seed", 0, self.seed),
        ):
            if value is not None and not low <= value < 2**32:
                raise UsageError(f"{name} {value} is out of range", f"give a number from {low} up")
        for name, ratio in (
            ("--min-cluster-ratio", self.min_cluster_ratio),
            ("--max-cluster-ratio", self.max_cluster_ratio),
            ("--uniqueness", self.uniqueness),
        ):
            if ratio is not None and not 0 <= ratio <= 1:
                raise UsageError(f"{name} {ratio:g} is no share", "give a number between 0 and 1")
        if self.max_cluster_ratio == 0:
            raise UsageError("--max-cluster-ratio 0 leaves no room for a picture", "give a share above 0")
        if (self.min_cluster_ratio or 0) > (1 if self.max_cluster_ratio is None else self.max_cluster_ratio):
            raise UsageError(
                f"no cluster can hold at least {self.min_cluster_ratio:g} and at most "
                f"{self.max_cluster_ratio:g} of the pictures",
                "lower --min-cluster-ratio or raise --max-cluster-ratio",
            )

    @property
    def _sizes_asked(self) -> bool:
        sizes = (self.min_cluster_ratio, self.max_cluster_ratio, self.min_cluster_size)
        return any(size is not None for size in sizes)

    def _method(self, count: int) -> tuple[str, str]:
        """The method, and why where the user left it open."""
        if self.method in ("kmeans", "minibatch") and self._sizes_asked:
            raise UsageError(
                f"{self.method} cannot keep clusters to a size",
                "use --method balanced, or leave the ratios and --min-cluster-size out",
            )
        if self.method != "auto":
            return self.method, self.method
        if self.reduction != "auto":
            return "density", "density (a reduction was asked for)"
        if count <= BALANCED_UP_TO:
            return "balanced", f"balanced (the default up to {BALANCED_UP_TO:,} pictures)"
        if self._sizes_asked:
            return "balanced", f"balanced (sizes were asked for; slow above {BALANCED_UP_TO:,} pictures)"
        return "minibatch", f"minibatch (the default above {BALANCED_UP_TO:,} pictures)"

    def _check_density(self, count: int) -> None:
        if self.clusters is not None:
            raise UsageError(
                "density finds the number of clusters by itself",
                "leave --clusters out, or use --method balanced, kmeans or minibatch",
            )
        if self.min_cluster_ratio is not None or self.max_cluster_ratio is not None:
            raise UsageError(
                "density cannot keep clusters to a share of all pictures",
                "use --min-cluster-size, or --method balanced",
            )
        if self.min_cluster_size is not None:
            if self.min_cluster_size > count:
                raise UsageError(
                    f"no cluster can have {self.min_cluster_size} of {_pictures(count)}", "lower --min-cluster-size"
                )
            if self.min_cluster_size < 2:
                raise UsageError("a group by density has at least 2 pictures", "use --min-cluster-size 2 or more")
        choose_route(count, self.reduction)

    def _bounds(self, count: int) -> tuple[int, int]:
        """The fewest and most clusters that the sizes allow; the number asked for, if any, is one of them."""
        asked = self.clusters
        if asked is not None:
            self._check_ratios(asked)
        smallest, largest = self.asked_min(count), self.asked_max(count)
        if largest < smallest <= count:
            raise UsageError(
                f"no cluster of {_pictures(count)} can have at least {smallest} and at most {largest}",
                "lower the minimum or raise the maximum",
            )
        fewest, most = -(-count // largest), count // smallest
        if fewest > most or most < 1 or (asked is not None and asked > most):
            raise UsageError(
                f"{asked or fewest} {'clusters' if (asked or fewest) > 1 else 'cluster'} of at least "
                f"{_pictures(smallest)} cannot be made of {_pictures(count)}",
                "ask for fewer clusters or a smaller minimum",
            )
        return fewest, most

    def _check_ratios(self, clusters: int) -> None:
        low, high = self.min_cluster_ratio, self.max_cluster_ratio
        even = f"{1 / clusters:.4g}"
        if low is not None and low * clusters > 1 + ROUNDING:
            raise UsageError(
                f"{clusters} clusters of at least {low:g} of all pictures make {low * clusters:.4g}, more than all",
                f"with {clusters} clusters, --min-cluster-ratio is at most {even}",
            )
        if high is not None and high * clusters < 1 - ROUNDING:
            raise UsageError(
                f"{clusters} clusters of at most {high:g} of all pictures hold {high * clusters:.4g}, not all",
                f"with {clusters} clusters, --max-cluster-ratio is at least {even}",
            )

    def asked_min(self, count: int) -> int:
        """The smallest size of a cluster that the user allows, in pictures, at least 1."""
        return max(1, int((self.min_cluster_ratio or 0) * count + ROUNDING), self.min_cluster_size or 1)

    def asked_max(self, count: int) -> int:
        """The largest size allowed, rounded up, so that K clusters of 1/K hold all pictures whatever the remainder."""
        if self.max_cluster_ratio is None:
            return count
        return max(1, math.ceil(self.max_cluster_ratio * count - ROUNDING))


@dataclass(frozen=True)
class Plan:
    """What will be done: made by `ClusterSettings.resolve`.

    `clusters` None: to be chosen between `fewest` and `most` (or left to the density method, whose smallest
    cluster is `min_cluster_size`). `said`: the method in the user's words, with the reason if it was chosen.
    """

    settings: ClusterSettings
    count: int
    method: str
    clusters: int | None
    fewest: int
    most: int
    min_cluster_size: int
    said: str

    def sizes(self, clusters: int) -> tuple[int, int]:
        """Smallest and largest size of each of so many balanced clusters.

        Where no minimum was asked for it is min(0.05, 0.5 / clusters) of all pictures, at least 1.
        """
        asked = self.settings
        smallest, largest = asked.asked_min(self.count), asked.asked_max(self.count)
        if asked.min_cluster_ratio is None and asked.min_cluster_size is None:
            smallest = max(1, int(min(MINIMUM_RATIO, 0.5 / clusters) * self.count + ROUNDING))
        return min(smallest, largest), largest


def _pictures(count: int) -> str:
    return "1 picture" if count == 1 else f"{count:,} pictures"
