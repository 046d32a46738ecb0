"""Measures the names of a run's clusters, whoever gave them, and ranks what a namer proposed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.catalog import names
from core.catalog.names import ClusterName, Measured, Proposed, Quality
from core.naming.pile import Pile, read_pile
from core.naming.quality import chance, first_shares, fit
from core.naming.rank import share_out
from core.naming.texts import Texts, Tick
from core.naming.twins import twin_groups

if TYPE_CHECKING:
    from core.catalog.database import Database
    from core.catalog.encoders import EncoderRecord
    from core.clustering.vectors import Floats
    from core.project import Project

PICTURES = 20_000
"""Held-out pictures that names are measured on, in all."""
EACH = (20, 400)
"""Of one cluster, at least and at most."""
PREFERRED = 0.02
"""By so much at least another candidate must measure better than the language model's own choice to go before it."""


def no_tick(words: str, share: float) -> None:
    """A Tick for nobody."""


def measure_names(
    project: Project,
    db: Database,
    clustering: int,
    record: EncoderRecord,
    texts: Texts,
    *,
    seed: int = 0,
    tick: Tick = no_tick,
) -> int:
    """Measures the names in force and those proposed beside them; gives how many names it could measure.

    Without an encoder in `texts` that is those whose texts were encoded before.
    """
    found = [n for n in names.names_of(db, clustering) if n.name or n.alternatives]
    wanted = [(n, name) for n in found for name in (n.name, *(a.name for a in n.alternatives)) if name]
    if not texts.can_encode:
        known = set(texts.known([name for _, name in wanted]))
        wanted = [(n, name) for n, name in wanted if name in known]
    if not wanted or not texts.knows_background():
        return 0
    vectors = texts.encode([name for _, name in wanted], tick)
    pile = read_pile(project, db, clustering, record)
    held = held_out(pile, (image for n in found if n.proposal for image in n.proposal.shown), seed)
    place = {number: index for index, number in enumerate(pile.numbers)}
    kept = [index for index, (n, _) in enumerate(wanted) if n.number in place]
    wanted, vectors = [wanted[index] for index in kept], vectors[kept]
    owners = np.array([place[n.number] for n, _ in wanted], dtype=np.int64)
    seen, labels = pile.vectors(held), pile.labels[held]
    fits = fit(seen, labels, len(place), vectors, owners, tick=lambda share: tick("measuring names", share))
    counts = np.bincount(labels, minlength=len(place))
    in_force = np.array([name == n.name for n, name in wanted], dtype=bool)
    chosen = np.flatnonzero(in_force)
    first = np.full(len(wanted), np.nan)
    first[chosen] = first_shares(seen, labels, len(place), vectors[chosen], owners[chosen])
    twins = _twins([wanted[index] for index in chosen], vectors[chosen], texts.background())
    names.put_quality(
        db,
        clustering,
        [
            Measured(
                cluster=n.number,
                name=name,
                basis=n.basis,
                quality=Quality(
                    auroc=round(float(fits.auroc[index]), 4),
                    near=round(float(fits.near[index]), 4),
                    first=round(float(first[index]), 4) if in_force[index] else None,
                    pictures=int(counts[owners[index]]),
                ),
                twins=twins.get(n.number, ()) if in_force[index] else (),
            )
            for index, (n, name) in enumerate(wanted)
        ],
    )
    return len(wanted)


def ranked(
    project: Project,
    db: Database,
    clustering: int,
    record: EncoderRecord,
    texts: Texts,
    proposals: Sequence[Proposed],
    *,
    seed: int = 0,
) -> list[Proposed]:
    """A language model's proposals with their candidates in order of quality.

    The model saw the pictures and chose: another candidate goes before its own name only if it measures better by more
    than PREFERRED, and by more than chance makes out (`quality.chance`). Over all clusters no name is given twice,
    nor one that a cluster keeps, as far as the candidates reach (Hungarian method, as for words).
    """
    pairs = [(p.cluster, name) for p in proposals if p.name for name in p.candidates]
    if not pairs or not texts.can_encode:
        return list(proposals)
    pile = read_pile(project, db, clustering, record)
    place = {number: index for index, number in enumerate(pile.numbers)}
    pairs = [(number, name) for number, name in pairs if number in place]
    held = held_out(pile, (image for p in proposals for image in p.shown), seed)
    owners = np.array([place[number] for number, _ in pairs], dtype=np.int64)
    labels = pile.labels[held]
    measured = fit(pile.vectors(held), labels, len(place), texts.encode([name for _, name in pairs]), owners).figure
    own = np.bincount(labels, minlength=len(place))[owners]
    advance = np.maximum(chance(measured, own, len(held) - own), PREFERRED)
    chosen = {p.cluster: p.name for p in proposals}
    worth = {
        (number, name): float(figure + (extra if name == chosen[number] else 0))
        for (number, name), figure, extra in zip(pairs, measured, advance, strict=True)
    }
    taken = {
        n.name.casefold() for n in names.names_of(db, clustering) if n.name and (n.is_users or n.number not in chosen)
    }
    return _without_doubles(proposals, worth, taken)


def twins_among(texts: Texts, called: Sequence[tuple[int, str]], tick: Tick = no_tick) -> list[list[int]]:
    """Groups of clusters, by number, whose names mean the same. `called`: each cluster's number and name."""
    spelt = [name for _, name in called]
    if not called:
        return []
    groups = twin_groups(spelt, texts.encode(spelt, tick), texts.background())
    return [[called[place][0] for place in group] for group in groups]


def _without_doubles(
    proposals: Sequence[Proposed], worth: dict[tuple[int, str], float], taken: set[str]
) -> list[Proposed]:
    """The proposals, each with the name by which they are worth the most together; the others by their worth."""
    spelt = sorted({name.casefold() for _, name in worth} - taken)
    column = {name: index for index, name in enumerate(spelt)}
    row = {p.cluster: index for index, p in enumerate(proposals)}
    found = np.full((len(row), len(spelt)), -np.inf, dtype=np.float32)
    for (number, name), value in worth.items():
        if name.casefold() in column:
            found[row[number], column[name.casefold()]] = value
    given = {p.cluster: spelt[at] if at >= 0 else "" for p, at in zip(proposals, share_out(found), strict=True)}

    def before(number: int, name: str) -> tuple[bool, float]:
        return name.casefold() == given[number], worth.get((number, name), 0.0)

    def ordered(p: Proposed) -> Proposed:
        first, *others = sorted(p.candidates, key=lambda name: before(p.cluster, name), reverse=True)
        return dataclasses.replace(p, name=first, alternatives=others)

    return [ordered(p) if p.name else p for p in proposals]


def held_out(pile: Pile, shown: Iterable[int], seed: int) -> NDArray[np.int64]:
    """Places of the pictures that names are measured on: none of those that their namers were `shown`, by id."""
    return pile.draw(_each(len(pile.numbers)), seed, without=shown)


def _each(clusters: int) -> int:
    least, most = EACH
    return min(most, max(least, PICTURES // max(clusters, 1)))


def _twins(
    called: Sequence[tuple[ClusterName, str]], vectors: Floats, background: Floats
) -> dict[int, list[tuple[int, str]]]:
    """For each cluster's number the twins of its name: their numbers and names."""
    found: dict[int, list[tuple[int, str]]] = {}
    for group in twin_groups([name for _, name in called], vectors, background):
        members = [(called[place][0].number, called[place][1]) for place in group]
        for number, _ in members:
            found[number] = [other for other in members if other[0] != number]
    return found
