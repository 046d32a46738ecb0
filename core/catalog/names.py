"""Names of clusters: what namers proposed, what the user made of it, and how well each name fits.

A namer's results and the user's decisions are edits: each can be undone. A name that the user accepted or typed is
never replaced by a namer. Quality is measured, not edited: it is kept by cluster and name, and holds as long as the
cluster's members do.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean
from typing import Any

from core.catalog.database import Database
from core.catalog.edits import Draft, Standing, editing
from core.errors import UsageError

PROPOSED, ACCEPTED, EDITED = "proposed", "accepted", "edited"
"""Where a name in force comes from: a namer, a namer and the user's consent, or the user."""
NAMERS = ("openai", "vocabulary")
SAME = 0.75
"""A proposed name holds for a cluster that is at least so much (Jaccard) what it was, as its number does."""
CHUNK = 50
"""Clusters named in one transaction, so that it stays under 20 ms."""


@dataclass(frozen=True, slots=True)
class Proposed:
    """A name that a namer proposes for a cluster, or None with the `reason` why there is none.

    `shown` are the ids of the pictures that the namer learnt from: the name is measured on the others. `model` and
    `prompt` say what it came from: the model's name and the version of its prompt.
    """

    cluster: int
    name: str | None
    alternatives: Sequence[str] = ()
    description: str | None = None
    reason: str | None = None
    shown: Sequence[int] = ()
    model: str = ""
    prompt: str = ""

    @property
    def candidates(self) -> list[str]:
        """The name and the alternatives, none twice."""
        return list(dict.fromkeys(name for name in (self.name, *self.alternatives) if name))


@dataclass(frozen=True, slots=True)
class Proposal(Proposed):
    """A proposal as recorded. `size`: the pictures that the cluster had then; 0 where that is not known."""

    id: int = 0
    namer: str = ""
    made: float = 0.0
    size: int = 0


@dataclass(frozen=True, slots=True)
class Quality:
    """How well a name fits its cluster, on `pictures` of it that its namer was not shown.

    `auroc`: the probability that the name's text is nearer to a picture of the cluster than to one of another
    cluster; `near`: of a neighbouring cluster; 0.5 is chance. `first`: the share of the pictures that rank this name
    first among all names of the run; None for names that are not in force.
    """

    auroc: float
    near: float
    first: float | None
    pictures: int

    @property
    def figure(self) -> float:
        """The one figure that names are ranked and accepted by: the mean of `auroc` and `near`."""
        return (self.auroc + self.near) / 2


@dataclass(frozen=True, slots=True)
class Measured:
    """The quality of one name of one cluster, to be recorded. `twins`: (number, name) of names that mean the same."""

    cluster: int
    name: str
    basis: str
    quality: Quality
    twins: Sequence[tuple[int, str]] = ()


@dataclass(frozen=True, slots=True)
class Alternative:
    """A name that could be taken instead."""

    name: str
    quality: Quality | None


@dataclass(frozen=True, slots=True)
class ClusterName:
    """A cluster's name as it stands. `state` is empty where it has none.

    `alternatives` are what its proposal holds beside the name in force, the best by quality first;
    `twins` the numbers of the clusters whose names mean the same. `quality` is None until it is measured. `outdated`:
    the name was proposed for other pictures than the cluster has by now.
    """

    number: int
    size: int
    name: str | None
    state: str
    quality: Quality | None
    twins: list[int]
    alternatives: list[Alternative]
    proposal: Proposal | None
    basis: str
    outdated: bool = False

    @property
    def description(self) -> str | None:
        """The sentence of the proposal."""
        return self.proposal.description if self.proposal else None

    @property
    def reason(self) -> str | None:
        """Why the namer found no name, where the cluster has none."""
        return self.proposal.reason if self.proposal and not self.name else None

    @property
    def is_users(self) -> bool:
        """Whether the user decided on the name: no namer may replace it."""
        return bool(self.name) and self.state != PROPOSED


@dataclass(frozen=True, slots=True)
class Overall:
    """The names of a run as a whole: counts of clusters, and means over those whose names are measured.

    `first` is the share of all their pictures that rank the name of their own cluster first, by size of cluster.
    """

    clusters: int
    named: int
    states: dict[str, int] = field(default_factory=dict)
    measured: int = 0
    quality: float | None = None
    auroc: float | None = None
    first: float | None = None
    twins: int = 0


def names_of(db: Database, clustering: int) -> list[ClusterName]:
    """The names of a run's clusters that are not empty, largest cluster first."""
    rows = db.execute(
        "SELECT number, name, size, cohesion, name_state, proposal FROM clusters"
        " WHERE clustering = ? AND size > 0 ORDER BY size DESC, number",
        (clustering,),
    ).fetchall()
    proposals = _proposals(db, [row["proposal"] for row in rows if row["proposal"] is not None])
    measured = _measured(db, clustering)
    current = {row["number"]: row["name"] for row in rows}
    same = _spelt_the_same(current)
    found = [_cluster_name(row, proposals.get(row["proposal"]), measured, current, same) for row in rows]
    outdated = _outdated(db, clustering, found)
    return [replace(n, outdated=True) if n.number in outdated else n for n in found]


def overall(found: Sequence[ClusterName]) -> Overall:
    """The names of a run as a whole."""
    named = [n for n in found if n.name]
    states = {state: sum(1 for n in named if n.state == state) for state in (PROPOSED, ACCEPTED, EDITED)}
    known = [(n.size, n.quality) for n in named if n.quality is not None]
    twins = sum(1 for n in named if n.twins)
    if not known:
        return Overall(len(found), len(named), states, twins=twins)
    first = [(size, q.first) for size, q in known if q.first is not None]
    return Overall(
        clusters=len(found),
        named=len(named),
        states=states,
        measured=len(known),
        quality=fmean(q.figure for _, q in known),
        auroc=fmean(q.auroc for _, q in known),
        first=sum(size * share for size, share in first) / sum(size for size, _ in first) if first else None,
        twins=twins,
    )


def record(
    db: Database, clustering: int, namer: str, proposals: Sequence[Proposed], *, said: str, batch: int | None = None
) -> tuple[int, int | None]:
    """Records proposals, and gives each cluster its name unless the user decided on one.

    A proposal without a name leaves the name that there is. Clusters that are gone by now are passed over. It is
    journaled as `said`, together with the edits of `batch`; gives how many names it set, and the batch. Raises
    ShoeboxError where another run is the latest by now.
    """
    changed = 0
    for start in range(0, len(proposals), CHUNK):
        with editing(db, clustering, said, batch=batch) as draft:
            changed += sum(_propose(draft, clustering, namer, p) for p in proposals[start : start + CHUNK])
        batch = batch or draft.batch
    return changed, batch


def accept(db: Database, clustering: int, number: int) -> None:
    """Accepts the name that a cluster has. Raises UsageError where it has none."""
    with editing(db, clustering, f"accepted the name of cluster {number}") as draft:
        before = _named(db, clustering, number)
        if before.name_state == PROPOSED:
            draft.set_cluster(number, before, before._replace(name_state=ACCEPTED))


def accept_all(db: Database, clustering: int, above: float) -> int:
    """Accepts the proposed names whose quality figure is `above` or more and that have no twin; gives how many."""
    good = [
        n.number
        for n in names_of(db, clustering)
        if n.name and n.state == PROPOSED and not n.twins and n.quality is not None and n.quality.figure >= above
    ]
    said, batch = f"accepted {len(good)} names of quality {above:g} and more", None
    for start in range(0, len(good), CHUNK):
        with editing(db, clustering, said, batch=batch) as draft:
            for number in good[start : start + CHUNK]:
                before = _named(db, clustering, number)
                draft.set_cluster(number, before, before._replace(name_state=ACCEPTED))
        batch = batch or draft.batch
    return len(good)


def take(db: Database, clustering: int, number: int, name: str) -> None:
    """Takes one of the names that were proposed for a cluster. Raises UsageError for one that was not."""
    with editing(db, clustering, f"named cluster {number} {name}, as proposed") as draft:
        before = _standing(db, clustering, number)
        proposal = _proposals(db, [before.proposal]).get(before.proposal) if before.proposal is not None else None
        if proposal is None or name not in proposal.candidates:
            raise UsageError(f"{name} was not proposed for cluster {number}", "type it to give it that name")
        draft.set_cluster(number, before, before._replace(name=name, name_state=ACCEPTED))


def put_quality(db: Database, clustering: int, measured: Sequence[Measured]) -> None:
    """Records what was measured, in place of what was known of the same names."""
    for start in range(0, len(measured), CHUNK):
        with db.transaction():
            if db.one("SELECT 1 FROM clusterings WHERE id = ?", (clustering,)) is None:
                return
            db.executemany(
                # A name that is not in force keeps what was known of it when it was: undo may bring it back.
                "INSERT INTO name_quality VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (clustering, cluster, name)"
                " DO UPDATE SET auroc = excluded.auroc, near = excluded.near, pictures = excluded.pictures,"
                " twins = excluded.twins, basis = excluded.basis, first = coalesce(excluded.first,"
                " CASE WHEN excluded.basis = name_quality.basis THEN name_quality.first END)",
                (
                    (
                        *(clustering, m.cluster, m.name, m.basis, m.quality.auroc, m.quality.near, m.quality.first),
                        *(m.quality.pictures, json.dumps(list(m.twins))),
                    )
                    for m in measured[start : start + CHUNK]
                ),
            )


def proposed_before(db: Database, clustering: int, number: int, namer: str) -> set[str]:
    """The names, case folded, that a namer proposed first for a cluster of this run, in force or not."""
    rows = db.execute(
        "SELECT name FROM proposals WHERE clustering = ? AND cluster = ? AND namer = ? AND name IS NOT NULL",
        (clustering, number, namer),
    )
    return {row[0].casefold() for row in rows}


def is_measured(db: Database, clustering: int) -> bool:
    """Whether the quality of every name in force is known as the clusters are now."""
    return all(n.quality is not None and n.quality.first is not None for n in names_of(db, clustering) if n.name)


def tidy(text: str) -> str:
    """A name on one line, without spaces at the ends and without what does not print."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _propose(draft: Draft, clustering: int, namer: str, proposed: Proposed) -> bool:
    row = _row(draft.db, clustering, proposed.cluster)
    if row is None or not row.size:
        return False
    candidates = [name for name in map(tidy, proposed.candidates) if name]
    name = candidates[0] if proposed.name and candidates else None
    cursor = draft.db.execute(
        "INSERT INTO proposals (clustering, cluster, made, namer, model, prompt, name, reason, alternatives,"
        " description, shown, size) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(clustering, proposed.cluster, time.time(), namer, proposed.model, proposed.prompt, name),
            *(proposed.reason, json.dumps(candidates[1:] if name else candidates), proposed.description),
            *(json.dumps(list(proposed.shown)), row.size),
        ),
    )
    after = row._replace(proposal=int(cursor.lastrowid or 0))
    free = not row.name or row.name_state == PROPOSED
    if name and free:
        after = after._replace(name=name, name_state=PROPOSED)
    draft.set_cluster(proposed.cluster, row, after)
    return after.name != row.name


def _cluster_name(
    row: Any,
    proposal: Proposal | None,
    measured: dict[tuple[int, str, str], tuple[Quality, list[tuple[int, str]]]],
    current: dict[int, str | None],
    same: dict[str, list[int]],
) -> ClusterName:
    number, name = row["number"], row["name"]
    basis = basis_of(row["size"], row["cohesion"])
    quality, twins = measured.get((number, name, basis), (None, []))
    alike = {other for other, called in twins if current.get(other) == called}
    alike |= set(same.get((name or "").casefold(), ())) - {number}
    others = [
        Alternative(other, measured.get((number, other, basis), (None, []))[0])
        for other in (proposal.candidates if proposal else ())
        if other != name
    ]
    return ClusterName(
        number=number,
        size=row["size"],
        name=name,
        state=(row["name_state"] or EDITED) if name else "",
        quality=quality,
        twins=sorted(alike),
        alternatives=sorted(others, key=lambda other: -other.quality.figure if other.quality else 0.0),
        proposal=proposal,
        basis=basis,
    )


def _outdated(db: Database, clustering: int, found: Sequence[ClusterName]) -> set[int]:
    """The clusters that have changed since the name in force was proposed for them.

    How many of the pictures of then are still there is told by those that the namer was shown.
    """
    proposed = {n.number: n.proposal for n in found if n.state == PROPOSED and n.proposal is not None}
    shown = [image for p in proposed.values() if p.size for image in p.shown]
    where = dict(
        db.execute(
            "SELECT j.value, a.cluster FROM json_each(?) j"
            " CROSS JOIN assignments a ON a.clustering = ? AND a.image = j.value",
            (json.dumps(shown), clustering),
        ).fetchall()
    )
    outdated = set()
    for n in found:
        proposal = proposed.get(n.number)
        if proposal is not None and proposal.size and proposal.shown:
            still = sum(where.get(image) == n.number for image in proposal.shown) / len(proposal.shown)
            common = min(still * proposal.size, n.size)
            if common < SAME * (proposal.size + n.size - common):
                outdated.add(n.number)
    return outdated


def basis_of(size: int, cohesion: float) -> str:
    """Changes with the members of a cluster: they all count in its cohesion."""
    return f"{size}:{cohesion:.9f}"


def _spelt_the_same(current: dict[int, str | None]) -> dict[str, list[int]]:
    groups: dict[str, list[int]] = {}
    for number, name in current.items():
        if name:
            groups.setdefault(name.casefold(), []).append(number)
    return groups


def _measured(db: Database, clustering: int) -> dict[tuple[int, str, str], tuple[Quality, list[tuple[int, str]]]]:
    """What was measured of a run, by cluster, name and basis: the quality, and the twins with their names."""
    return {
        (cluster, name, basis): (Quality(auroc, near, first, pictures), [(n, text) for n, text in json.loads(twins)])
        for cluster, name, basis, auroc, near, first, pictures, twins in db.execute(
            "SELECT cluster, name, basis, auroc, near, first, pictures, twins FROM name_quality WHERE clustering = ?",
            (clustering,),
        )
    }


def _proposals(db: Database, ids: Sequence[int]) -> dict[int, Proposal]:
    return {p.id: p for p in _read(db, ids)}


def _read(db: Database, ids: Sequence[int]) -> Iterator[Proposal]:
    for row in db.execute("SELECT * FROM proposals WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(ids),)):
        yield Proposal(
            cluster=row["cluster"],
            name=row["name"],
            alternatives=json.loads(row["alternatives"]),
            description=row["description"],
            reason=row["reason"],
            shown=json.loads(row["shown"]),
            model=row["model"],
            prompt=row["prompt"],
            id=row["id"],
            namer=row["namer"],
            made=row["made"],
            size=row["size"] or 0,
        )


def _row(db: Database, clustering: int, number: int) -> Standing | None:
    row = db.one(
        f"SELECT {', '.join(Standing._fields)} FROM clusters WHERE clustering = ? AND number = ?", (clustering, number)
    )
    return None if row is None else Standing(*row)


def _standing(db: Database, clustering: int, number: int) -> Standing:
    row = _row(db, clustering, number)
    if row is None or not row.size:
        raise UsageError(f"there is no cluster {number}", "look at the clusters as they are now")
    return row


def _named(db: Database, clustering: int, number: int) -> Standing:
    row = _standing(db, clustering, number)
    if not row.name:
        raise UsageError(f"cluster {number} has no name to accept", "type one, or let it be named")
    return row
