"""What the Names screen shows of a project, in which order, and the jobs that it asks for."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.catalog import clusterings, names, replies
from core.catalog.jobs import NEEDS_KEY
from core.catalog.names import ACCEPTED, EDITED, PROPOSED, Alternative, ClusterName
from core.jobs.environment import has_key

if TYPE_CHECKING:
    from core.catalog.database import Database
    from core.settings import Settings

SORTS = ("size", "quality", "state")
SORT_WORDS = {"size": "largest first", "quality": "worst quality first", "state": "those to look at first"}
MOST_PREVIEWS = 12
"""Of a cluster: more fit no screen."""
TAKEN = 3
"""Alternatives that have a key."""
_STATES = {"": 0, PROPOSED: 1, ACCEPTED: 2, EDITED: 3}


@dataclass(frozen=True, slots=True)
class NameRow:
    """A cluster and its name. `previews` are the contents of its pictures, nearest the centre first."""

    cluster: ClusterName
    previews: tuple[bytes, ...] = ()

    @property
    def number(self) -> int:
        """The cluster's number."""
        return self.cluster.number

    @property
    def alternatives(self) -> Sequence[Alternative]:
        """The names that the keys 1 to 3 take, in their order."""
        return self.cluster.alternatives[:TAKEN]

    @property
    def unmeasured(self) -> bool:
        """Whether it has a name of which nobody knows how well it fits."""
        quality = self.cluster.quality
        return bool(self.cluster.name) and (quality is None or quality.first is None)


@dataclass(frozen=True, slots=True)
class NamesView:
    """The clusters of the last run with their names, largest first, and what language models were asked so far.

    `cost` is in US dollars. Calls are those of the whole project.
    """

    clustering: int
    rows: tuple[NameRow, ...]
    calls: int = 0
    cost: float = 0.0

    @property
    def namer(self) -> str:
        """Who proposed most of the names; empty where nobody did."""
        proposals = [row.cluster.proposal for row in self.rows if row.cluster.proposal is not None]
        found = Counter(p.model if p.namer == "openai" else f"vocabulary {p.model}" for p in proposals)
        return found.most_common(1)[0][0] if found else ""


def names_view(db: Database) -> NamesView | None:
    """The names as they stand, None where nothing is clustered."""
    latest = clusterings.latest(db)
    if latest is None:
        return None
    found = names.names_of(db, latest.id)
    previews = _previews(db, latest.id)
    spent = replies.spent(db)
    rows = tuple(NameRow(name, previews.get(name.number, ())) for name in found)
    return NamesView(latest.id, rows, spent.calls, spent.cost)


def _previews(db: Database, clustering: int) -> dict[int, tuple[bytes, ...]]:
    """The contents to show of each cluster: its previews, which differ from each other, then what is nearest."""
    chosen: dict[int, list[int]] = {}
    for number, ids in db.execute("SELECT number, previews FROM clusters WHERE clustering = ?", (clustering,)):
        nearest = db.execute(
            "SELECT image FROM assignments WHERE clustering = ? AND cluster = ? ORDER BY score DESC LIMIT ?",
            (clustering, number, MOST_PREVIEWS),
        )
        chosen[number] = list(dict.fromkeys([*json.loads(ids), *(row[0] for row in nearest)]))[: 2 * MOST_PREVIEWS]
    wanted = json.dumps([image for images in chosen.values() for image in images])
    hashes = dict(
        db.execute(
            "SELECT id, hash FROM images WHERE trashed = 0 AND missing = 0 AND hash IS NOT NULL"
            " AND id IN (SELECT value FROM json_each(?))",
            (wanted,),
        ).fetchall()
    )
    return {
        number: tuple(dict.fromkeys(hashes[image] for image in images if image in hashes))[:MOST_PREVIEWS]
        for number, images in chosen.items()
    }


def in_order(rows: Iterable[NameRow], sort: str) -> list[NameRow]:
    """The rows as `sort` has them: by size; worst quality first, what is not measured last; by state."""
    keys: dict[str, Callable[[NameRow], tuple[Any, ...]]] = {
        "size": lambda row: (),
        "quality": lambda row: (_figure(row) is None, _figure(row) or 0.0),
        "state": lambda row: (_STATES.get(row.cluster.state, 0), not row.cluster.outdated),
    }
    key = keys[sort]
    return sorted(rows, key=lambda row: (*key(row), -row.cluster.size, row.number))


def matching(rows: Iterable[NameRow], text: str) -> list[NameRow]:
    """The rows of which every word of `text` is found in number, name, alternatives, state, or is twin or changed."""
    words = text.casefold().split()
    return [row for row in rows if all(word in _searched(row) for word in words)]


def _searched(row: NameRow) -> str:
    cluster = row.cluster
    parts = [str(cluster.number), cluster.name or "unnamed", cluster.state]
    parts += ["twin"] * bool(cluster.twins) + ["changed"] * cluster.outdated
    return " ".join((*parts, *(other.name for other in cluster.alternatives))).casefold()


def _figure(row: NameRow) -> float | None:
    return None if row.cluster.quality is None else row.cluster.quality.figure


def naming_job(
    settings: Settings,
    environment: Mapping[str, str],
    *,
    namer: str,
    clusters: Sequence[int] | None,
    vocabulary: str = "auto",
    again: bool = False,
    hints: Mapping[int, str] | None = None,
) -> dict[str, Any]:
    """The parameters of the job `name`: of `clusters`, or (None) of all whose name is not the user's."""
    naming: dict[str, Any] = {"namer": namer, "vocabulary": vocabulary, "again": again}
    naming["clusters"] = None if clusters is None else list(clusters)
    if hints:
        naming["hints"] = {str(number): hint for number, hint in hints.items()}
    params: dict[str, Any] = {"settings": dataclasses.asdict(settings), "naming": naming}
    if namer == "openai":
        params[NEEDS_KEY] = has_key(environment)
    return params
