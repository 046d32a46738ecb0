"""What is written down of a run: a row for each picture, and the classes that stayed empty."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from core.annotation.confidence import class_confidences
from core.annotation.scores import NONE, softmax
from core.catalog.annotation import TOP, NewRow
from core.clustering.vectors import chunks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from core.annotation.result import Annotation
    from core.clustering.vectors import Floats

TOP_CLASSES = 9
"""Likeliest classes kept of a picture: as many as there are number keys."""


def rows_of(
    result: Annotation, images: Sequence[int], ids: Sequence[int], told: NDArray[np.int64], none: Floats | None
) -> list[NewRow]:
    """A row for each of `images` [N], of the classes `ids` [K]; `none` are the scores of none of these.

    What the run found is its own, also of the rows `told`, where the user said otherwise.
    """
    labels, confidences = result.labels.copy(), result.confidences.copy()
    labels[told] = result.logs[told].argmax(axis=1)
    confidences[told] = class_confidences(result.logs[told], result.scale, labels[told])
    rows: list[NewRow] = []
    for i, (image, top) in enumerate(zip(images, tops(result), strict=True)):
        found = ids[labels[i]] if labels[i] != NONE else None
        score = None if none is None else float(none[i])
        rows.append((image, found, found, 0, float(confidences[i]), float(result.margins[i]), score, top))
    return rows


def tops(result: Annotation) -> list[bytes]:
    """The likeliest classes of each picture, packed, with their probabilities, which are the confidences' own.

    So the class that the run gave comes first, with its confidence, and all classes sum to 1.
    """
    kept = min(TOP_CLASSES, result.logs.shape[1])
    packed: list[bytes] = []
    for rows in chunks(len(result.logs)):
        logs = result.logs[rows]
        best = np.argsort(-logs, axis=1, kind="stable")[:, :kept]
        told = np.empty(best.shape, dtype=[("place", "<u2"), ("share", "<u2"), ("cosine", "<i2")])
        told["place"] = best
        shares = np.take_along_axis(softmax(np.float32(result.scale) * logs), best, axis=1)
        told["share"] = np.rint(np.clip(shares, 0, 1) * 65535)
        cosines = np.take_along_axis(result.similarities[rows], best, axis=1)
        told["cosine"] = np.rint(np.clip(cosines, -1, 1) * 32767)
        packed += [line.tobytes() for line in told]
    assert not packed or len(packed[0]) == TOP.size * kept
    return packed


def empty_of(result: Annotation, images: Sequence[int], ids: Sequence[int]) -> list[dict[str, Any]]:
    """The classes without a picture, as a summary has them."""
    return [
        {
            "class": ids[empty.index],
            "why": empty.why,
            "image": images[empty.nearest] if empty.nearest >= 0 else None,
            "similarity": round(empty.similarity, 4),
            "went_to": ids[empty.went_to] if empty.went_to >= 0 else None,
        }
        for empty in result.empty
    ]
