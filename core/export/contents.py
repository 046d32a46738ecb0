"""What an export holds: one consistent reading of a clustering, for every format to write from."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain

from core.catalog import clusterings, downloads, edits, encoders, names, replies, sources
from core.catalog.clusterings import Cluster, ClusteringRecord, Member
from core.catalog.database import Database
from core.catalog.edits import Edit
from core.catalog.encoders import EncoderRecord
from core.catalog.names import ClusterName
from core.catalog.paths import shown
from core.errors import UsageError
from core.project import Project
from core.sources.places import REMOTE

SAID = 50
"""Cluster numbers that an error names at most."""


@dataclass(frozen=True, slots=True)
class Root:
    """A source of the project, and where its pictures lie now (an absolute path).

    `origin`: where they were downloaded from; empty for a folder.
    """

    kind: str
    path: bytes
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """A cluster and its members that are present, nearest the centre first.

    `representative` and `previews` are positions in `members`. Where the recorded representative is gone, the
    nearest member stands in for it.
    """

    number: int
    name: str | None
    cohesion: float
    silhouette: float | None
    changed: bool
    frozen: bool
    tags: tuple[str, ...]
    members: list[Member]
    representative: int
    previews: list[int]
    naming: ClusterName


@dataclass(frozen=True)
class Contents:
    """The clusters chosen, largest first; pictures that are missing or in the trash are in none of them.

    `numbers`: of every cluster that has a picture, chosen or not. `selection`: those asked for, None for all.
    `unclustered` is empty where a selection left them out. `edits`: what the user changed since the run was made.
    `labels`: the words of those contents that have any.
    """

    clustering: ClusteringRecord
    encoder: EncoderRecord
    roots: list[Root]
    numbers: list[int]
    selection: list[int] | None
    groups: list[Group]
    unclustered: list[Member]
    labels: dict[bytes, str]
    edits: list[Edit]
    _source_places: dict[int, int]
    _origins: dict[int, tuple[str, list[str]]] = field(default_factory=dict)

    @property
    def clustered(self) -> int:
        """How many pictures the chosen clusters hold."""
        return sum(len(group.members) for group in self.groups)

    def source_of(self, member: Member) -> int:
        """The position in `roots` of the source that a picture comes from."""
        return self._source_places[member.source]

    def url_of(self, member: Member) -> tuple[str, list[str]] | None:
        """The URL that a picture was downloaded from, and its tags; None for one of a folder."""
        return self._origins.get(member.image)

    def origin_of(self, member: Member) -> bytes:
        """The absolute path of a picture."""
        return os.path.join(self.roots[self.source_of(member)].path, member.path)


def read_roots(project: Project, db: Database) -> tuple[list[Root], dict[int, int]]:
    """The sources of a project, and by a source's id its position among them: a document's `source` is that."""
    found = sources.all_sources(db)
    roots = [
        Root(source.kind, project.root_of(source), shown(source.root) if source.kind in REMOTE else "")
        for source in found
    ]
    return roots, {source.id: place for place, source in enumerate(found)}


def read_contents(
    project: Project,
    db: Database,
    clustering: ClusteringRecord,
    numbers: Sequence[int] | None = None,
    *,
    unclustered: bool = False,
) -> Contents:
    """Reads the clusters `numbers` of a run (None: all of them, and the unclustered).

    `unclustered` reads those with a selection too. Raises UsageError for a number there is not, naming those
    there are.
    """
    with snapshot(db):
        recorded = clusterings.clusters_of(db, clustering.id)
        existing = _existing(db, clustering, recorded)
        chosen = _chosen(existing, numbers)
        named = {found.number: found for found in names.names_of(db, clustering.id)}
        groups = [
            _group(cluster, list(clusterings.members(db, clustering.id, cluster.number)), named[cluster.number])
            for cluster in recorded
            if cluster.number in chosen
        ]
        loose = list(clusterings.members(db, clustering.id, None)) if numbers is None or unclustered else []
        roots, places = read_roots(project, db)
        encoder = encoders.get(db, clustering.encoder)
        remote = {source for source, place in places.items() if roots[place].origin}
        brought = (m.image for m in chain(loose, *(g.members for g in groups)) if m.source in remote)
        origins = downloads.origins(db, brought)
        labels = replies.every_label(db)
        made = edits.made_on(db, clustering.id)
    return Contents(
        clustering=clustering,
        encoder=encoder,
        roots=roots,
        numbers=existing,
        selection=None if numbers is None else sorted(chosen),
        groups=sorted(groups, key=lambda group: (-len(group.members), group.number)),
        unclustered=loose,
        labels=labels,
        edits=made,
        _source_places=places,
        _origins=origins,
    )


def member_paths(
    project: Project, db: Database, clustering: ClusteringRecord, numbers: Sequence[int] | None = None
) -> Iterator[bytes]:
    """Absolute paths of the members of the clusters `numbers` (None: all), cluster by cluster as asked for.

    Raises UsageError, before the first path, for a number there is not.
    """
    existing = _existing(db, clustering, clusterings.clusters_of(db, clustering.id))
    _chosen(existing, numbers)
    roots = {source.id: project.root_of(source) for source in sources.all_sources(db)}
    return (
        os.path.join(roots[member.source], member.path)
        for number in dict.fromkeys(existing if numbers is None else numbers)
        for member in clusterings.members(db, clustering.id, number)
    )


@contextmanager
def snapshot(db: Database) -> Iterator[None]:
    """What is read inside is of one moment: the catalog may be edited meanwhile."""
    db.execute("BEGIN")
    try:
        yield
    finally:
        db.execute("ROLLBACK")


def _existing(db: Database, clustering: ClusteringRecord, recorded: list[Cluster]) -> list[int]:
    """The numbers of the clusters that have a picture left."""
    return [c.number for c in recorded if any(True for _ in clusterings.members(db, clustering.id, c.number))]


def _chosen(existing: list[int], numbers: Sequence[int] | None) -> set[int]:
    if numbers is None:
        return set(existing)
    unknown = sorted(set(numbers) - set(existing))
    if unknown:
        raise UsageError(
            f"there is no cluster {_listed(unknown)} with pictures in it", f"there are: {_listed(sorted(existing))}"
        )
    return set(numbers)


def _listed(numbers: list[int]) -> str:
    more = f" and {len(numbers) - SAID} more" if len(numbers) > SAID else ""
    return (", ".join(map(str, numbers[:SAID])) or "none") + more


def _group(cluster: Cluster, members: list[Member], naming: ClusterName) -> Group:
    places = {member.image: place for place, member in enumerate(members)}
    return Group(
        number=cluster.number,
        name=cluster.name,
        cohesion=cluster.cohesion,
        silhouette=cluster.silhouette,
        changed=cluster.changed,
        frozen=cluster.frozen,
        tags=cluster.tags,
        members=members,
        representative=places.get(cluster.representative, 0),
        previews=[places[image] for image in cluster.previews if image in places],
        naming=naming,
    )
