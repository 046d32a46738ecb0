"""Which reduction serves the density method, by the number of pictures. Plain numbers: cheap to import."""

from __future__ import annotations

import math

from core.errors import UsageError

REDUCTIONS = ("auto", "eigenmaps", "umap", "evoc", "none")
TINY = 15  # below: no neighbourhood to speak of, HDBSCAN on the vectors themselves
SMALL = 1_000  # up to here eigenmaps are as good as UMAP and need no compilation
LARGE = 50_000  # above: EVoC, nearly linear


def choose_route(count: int, reduction: str) -> tuple[str, str]:
    """The reduction for so many pictures, and the reason in words (empty where the user asked for it).

    Raises UsageError for an unknown reduction, or one that cannot take so few pictures.
    """
    if reduction not in REDUCTIONS:
        raise UsageError(f"there is no reduction {reduction!r}", f"choose one of {', '.join(REDUCTIONS)}")
    if reduction in ("umap", "evoc", "eigenmaps") and count < TINY:
        raise UsageError(f"{reduction} needs at least {TINY} pictures, here are {count}", "use --reduction none")
    if reduction != "auto":
        return reduction, ""
    if count < TINY:
        return "none", f" (fewer than {TINY} pictures)"
    if count <= SMALL:
        return "eigenmaps", f" (up to {SMALL:,} pictures: as good as UMAP there, and nothing to compile)"
    if count <= LARGE:
        return "umap", f" ({SMALL:,} to {LARGE:,} pictures)"
    return "evoc", f" (more than {LARGE:,} pictures)"


def default_min_cluster_size(count: int) -> int:
    """clip(sqrt(N) / 8, 5, 50), and less for a handful of pictures: a fifth of them, at least 2."""
    size = min(50, max(5, int(math.sqrt(count) / 8)))
    return max(2, min(size, count // 5))
