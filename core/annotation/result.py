"""What a method of annotation answers: the same type for all, each picture's class with what speaks for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.clustering.vectors import Floats, Labels


@dataclass(frozen=True)
class Iteration:
    """One round, as it is drawn live.

    Mean confidence, classes with any picture, the text's share in the decision (0 to 1), pictures that changed their
    class, and the pictures of each class [K].
    """

    number: int
    mean_confidence: float
    active: int
    text_weight: float
    moved: int
    distribution: tuple[int, ...]


Report = Callable[[Iteration], None]


@dataclass(frozen=True)
class EmptyClass:
    """A class that no picture was given to: why, the picture nearest to its words, and the class that has that one."""

    index: int
    why: str
    nearest: int
    similarity: float
    went_to: int


@dataclass(frozen=True)
class Annotation:
    """The classes of N pictures.

    `labels` [N] (NONE where none fits); `confidences` [N], the probability of each one's class; `calibrated`: fitted on
    corrections, else an estimate; `margins` [N], log-odds to the second class; `similarities` [N, K], raw cosines to
    the prompts; `logs` [N, K], the method's own log-probabilities, which are too sure of themselves: taken `scale`
    times, and made probabilities again, they are what is shown.
    """

    method: str
    labels: Labels
    confidences: Floats
    margins: Floats
    similarities: Floats
    logs: Floats
    scale: float
    iterations: tuple[Iteration, ...]
    empty: tuple[EmptyClass, ...]
    notes: tuple[str, ...] = ()
    calibrated: bool = False

    @property
    def distribution(self) -> NDArray[np.int64]:
        """The pictures of each class [K]."""
        return np.bincount(self.labels[self.labels >= 0], minlength=self.similarities.shape[1])


def nobody(iteration: Iteration) -> None:
    """A Report for nobody."""


def describe(
    number: int, labels: Labels, before: Labels | None, confidences: Floats, classes: int, text_weight: float
) -> Iteration:
    """The figures of a round, from its labels and those before it (None in the first: nothing moved)."""
    sizes = np.bincount(labels[labels >= 0], minlength=classes)
    return Iteration(
        number=number,
        mean_confidence=float(confidences.mean()) if len(confidences) else 0.0,
        active=int(np.count_nonzero(sizes)),
        text_weight=text_weight,
        moved=0 if before is None else int(np.count_nonzero(labels != before)),
        distribution=tuple(sizes.tolist()),
    )


def empty_classes(
    labels: Labels, similarities: Floats, names: Sequence[str], let_go: Sequence[int] = ()
) -> tuple[EmptyClass, ...]:
    """The classes without a picture, each with its reason in words."""
    classes = similarities.shape[1]
    found = []
    for index in np.flatnonzero(np.bincount(labels[labels >= 0], minlength=classes) == 0).tolist():
        if not len(labels):
            found.append(EmptyClass(index, "there are no pictures", -1, 0.0, -1))
            continue
        nearest = int(similarities[:, index].argmax())
        similarity = float(similarities[nearest, index])
        went = int(labels[nearest])
        place = names[went] if went >= 0 else "none of the classes"
        if index in let_go:
            why = f"let go: all scores together say that no picture shows it; the nearest ({similarity:.2f}) is {place}"
        elif went >= 0 and similarities[nearest, went] <= similarity:
            why = f"its nearest picture ({similarity:.2f}) was drawn to {place} by the pictures like it"
        else:
            why = f"every picture is nearer to another class; its nearest ({similarity:.2f}) is {place}"
        found.append(EmptyClass(index, why, nearest, similarity, went))
    return tuple(found)
