"""What a user does to the clusters by hand. Each is one short transaction, journaled so that it can be undone.

No vector is read: a picture keeps the score that the run gave it, and sizes, cohesion, representatives and previews
follow from those; the next run measures anew. An edit of many pictures (CHUNK) is written in several
transactions, each leaving the catalog right as it stands, and undone as one.

`clustering` is the run that the caller looks at: ShoeboxError says so where another one is the latest by now.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from core.catalog import clusterings, edits, names
from core.catalog.database import Database
from core.catalog.edits import Draft, Standing, editing
from core.errors import UsageError

CHUNK = 400
"""Pictures moved in one transaction, so that it stays well under 20 ms."""
TRASH_CHUNK = 200
"""Pictures put into the trash or taken out in one transaction: these change an index of all pictures too."""
PREVIEWS = 16
"""Previews of a cluster that a run has not chosen any for."""

_OF_USE = "i.missing = 0 AND i.trashed = 0 AND i.status = 'ready'"


class _Placed(NamedTuple):
    """A picture where it is now. `counts`: it is there to be seen, and so counts in its cluster's size."""

    image: int
    cluster: int | None
    score: float
    counts: bool


class Taken(NamedTuple):
    """How many pictures are taken from a cluster."""

    cluster: int
    name: str | None
    pictures: int


def rename(db: Database, clustering: int, number: int, name: str | None) -> None:
    """Gives a cluster a name that no namer replaces, or takes it away (None or nothing but spaces).

    To give it the name that was proposed for it is to accept that.
    """
    name = _tidy(name or "") or None
    said = f"named cluster {number} {name}" if name else f"took the name of cluster {number} away"
    with editing(db, clustering, said) as draft:
        before = _standing(db, clustering, number)
        consents = name == before.name and before.name_state in (names.PROPOSED, names.ACCEPTED)
        state = names.ACCEPTED if consents else names.EDITED
        draft.set_cluster(number, before, before._replace(name=name, name_state=state if name else None))


def freeze(db: Database, clustering: int, number: int, frozen: bool) -> None:
    """Freezes a cluster, or lets it go: a new run leaves a frozen one its number, name and members.

    Edits by hand change it as they change any other.
    """
    _set(db, clustering, number, f"{'froze' if frozen else 'unfroze'} cluster {number}", frozen=int(frozen))


def tag(db: Database, clustering: int, number: int, tags: Sequence[str]) -> None:
    """Gives a cluster these tags in place of those it has."""
    kept = [t for t in dict.fromkeys(map(_tidy, tags)) if t]
    said = f"tagged cluster {number} {', '.join(kept)}" if kept else f"took the tags of cluster {number} away"
    _set(db, clustering, number, said, tags=json.dumps(kept))


def unmark_changed(db: Database, clustering: int, number: int) -> None:
    """Takes the mark away that a cluster is no longer what it was in the run before: it was looked at."""
    _set(db, clustering, number, f"looked at cluster {number}", changed=0)


def move(db: Database, clustering: int, image_ids: Iterable[int], to_number: int | None) -> int:
    """Moves pictures of any clusters into one (None: to the unclustered); gives how many were elsewhere before.

    Pictures that the run does not know are left alone.
    """
    if to_number is not None:
        _standing(db, clustering, to_number)
    moving = [p.image for p in _placed(db, clustering, list(image_ids)) if p.cluster != to_number]
    place = "the unclustered" if to_number is None else f"cluster {to_number}"
    _in_chunks(db, clustering, moving, to_number, f"moved {_pictures(len(moving))} to {place}")
    return len(moving)


def new_cluster(db: Database, clustering: int, image_ids: Iterable[int], name: str | None = None) -> int:
    """Makes a cluster of these pictures; gives its number, which no cluster had before.

    Raises UsageError where the run knows none of them.
    """
    moving = [p.image for p in _placed(db, clustering, list(image_ids)) if p.counts]
    if not moving:
        raise UsageError("a new cluster needs pictures", "mark some first")
    said = f"made a new cluster of {_pictures(len(moving))}"
    with editing(db, clustering, said) as draft:
        number = clusterings.highest_number(db) + 1
        name = _tidy(name or "") or None
        state = names.EDITED if name else None
        empty = Standing(name, 0, moving[0], 0.0, None, 0, "[]", 0, "[]", name_state=state)
        draft.set_cluster(number, None, empty)
        _relocate(draft, clustering, moving[:CHUNK], number)
    _in_chunks(db, clustering, moving[CHUNK:], number, said, batch=draft.batch)
    return number


def taken_from(db: Database, clustering: int, image_ids: Iterable[int]) -> list[Taken]:
    """From which clusters these pictures would be taken by another one, that of the most first."""
    placed = Counter(p.cluster for p in _placed(db, clustering, list(image_ids)) if p.counts and p.cluster is not None)
    called = {cluster.number: cluster.name for cluster in clusterings.clusters_of(db, clustering)}
    taken = [Taken(number, called.get(number), pictures) for number, pictures in placed.items()]
    return sorted(taken, key=lambda t: (-t.pictures, t.cluster))


def merge(db: Database, clustering: int, numbers: Iterable[int], into: int) -> None:
    """Merges clusters into one, which keeps its number and its name, or takes the largest one's where it has none.

    A name that the user gave goes before one that was proposed. Tags are joined. Raises UsageError where one of the
    clusters does not exist.
    """
    others = [number for number in dict.fromkeys(numbers) if number != into]
    if not others:
        return
    said = f"merged {_clusters(others)} into cluster {into}"
    with editing(db, clustering, said) as draft:
        target = _standing(db, clustering, into)
        merged = sorted((_standing(db, clustering, number) for number in others), key=lambda s: -s.size)
        tags = list(dict.fromkeys(tag for s in (target, *merged) for tag in json.loads(s.tags)))
        called = [s for s in (target, *merged) if s.name]
        named = next((s for s in called if s.name_state != names.PROPOSED), called[0] if called else target)
        joined = target._replace(
            name=named.name,
            name_state=named.name_state,
            proposal=named.proposal,
            tags=json.dumps(tags),
            previews=json.dumps(_nearest_first(db, clustering, (target, *merged))),
        )
        draft.set_cluster(into, target, joined)
        _relocate(draft, clustering, _some_of(db, clustering, others), into)
    while moving := _some_of(db, clustering, others):
        _in_chunks(db, clustering, moving, into, said, batch=draft.batch)


def trash(db: Database, image_ids: Iterable[int]) -> int:
    """Puts pictures into the trash: no file is touched. Gives how many were not there before."""
    return _set_trashed(db, image_ids, trashed=True)


def restore(db: Database, image_ids: Iterable[int]) -> int:
    """Takes pictures out of the trash, back to where they were; gives how many.

    One that the latest run left out, because it was in the trash then, comes back among the unclustered.
    """
    return _set_trashed(db, image_ids, trashed=False)


def _set(db: Database, clustering: int, number: int, said: str, **fields: object) -> None:
    with editing(db, clustering, said) as draft:
        before = _standing(db, clustering, number)
        draft.set_cluster(number, before, before._replace(**fields))  # type: ignore[arg-type]


def _in_chunks(
    db: Database, clustering: int, moving: Sequence[int], to: int | None, said: str, *, batch: int | None = None
) -> None:
    for chunk in _chunks(moving):
        with editing(db, clustering, said, batch=batch) as draft:
            _relocate(draft, clustering, chunk, to)
        batch = batch or draft.batch


def _relocate(draft: Draft, clustering: int, image_ids: Sequence[int], to: int | None) -> None:
    """Moves pictures, and lets the clusters that they leave and join follow."""
    moving = [p for p in _placed(draft.db, clustering, image_ids) if p.cluster != to]
    moving.sort(key=lambda p: p.cluster or 0)
    for cluster, leaving in groupby(moving, key=lambda p: p.cluster):
        gone = list(leaving)
        draft.assign([p.image for p in gone], cluster, to)
        _follow(draft, clustering, cluster, left=gone, members_differ=True)
    if moving:
        _follow(draft, clustering, to, joined=moving, members_differ=True)


def _set_trashed(db: Database, image_ids: Iterable[int], *, trashed: bool) -> int:
    clustering = edits.current_run(db)
    changing = _with_trashed(db, list(image_ids), trashed=not trashed)
    said = f"moved {_pictures(len(changing))} to the trash" if trashed else f"restored {_pictures(len(changing))}"
    batch = None
    for chunk in _chunks(changing, TRASH_CHUNK):
        with editing(db, clustering, said, batch=batch) as draft:
            _turn(draft, clustering, _with_trashed(db, chunk, trashed=not trashed), trashed=trashed)
        batch = batch or draft.batch
    return len(changing)


def _turn(draft: Draft, clustering: int | None, image_ids: Sequence[int], *, trashed: bool) -> None:
    if not image_ids:
        return
    if clustering is None:
        draft.set_trashed(image_ids, trashed=trashed)
        return
    leaving = _placed(draft.db, clustering, image_ids) if trashed else []
    draft.set_trashed(image_ids, trashed=trashed)
    if not trashed and (unknown := _unknown(draft.db, clustering, image_ids)):
        draft.enlist(unknown)
    coming = [] if trashed else _placed(draft.db, clustering, image_ids)
    affected = sorted((p for p in (*leaving, *coming) if p.counts), key=lambda p: p.cluster or 0)
    for cluster, some in groupby(affected, key=lambda p: p.cluster):
        pictures = list(some)
        _follow(draft, clustering, cluster, left=pictures if trashed else (), joined=() if trashed else pictures)
    draft.count(images=-len(affected) if trashed else len(affected))


def _follow(
    draft: Draft,
    clustering: int,
    number: int | None,
    *,
    left: Sequence[_Placed] = (),
    joined: Sequence[_Placed] = (),
    members_differ: bool = False,
) -> None:
    """Brings a cluster's row up to date after pictures left or joined it; all but those have their places already.

    `members_differ`: its silhouette is of other members, so nothing is known of it any more.
    """
    gone, come = [p for p in left if p.counts], [p for p in joined if p.counts]
    if number is None:
        draft.count(unclustered=len(come) - len(gone))
        return
    before = _standing(draft.db, clustering, number, empty=True)
    size = max(0, before.size + len(come) - len(gone))
    total = before.cohesion * before.size + sum(p.score for p in come) - sum(p.score for p in gone)
    absent = {p.image for p in left}
    previews = [image for image in json.loads(before.previews) if image not in absent]
    after = before._replace(
        size=size,
        cohesion=total / size if size else 0.0,
        silhouette=None if members_differ else before.silhouette,
        previews=json.dumps(previews),
    )
    if size and not previews:
        after = after._replace(previews=json.dumps(_best(draft.db, clustering, number, PREVIEWS)))
    if size and (before.representative in absent or not before.size):
        best = _best(draft.db, clustering, number, 1)
        after = after._replace(representative=best[0] if best else before.representative)
    draft.set_cluster(number, before, after)


def _standing(db: Database, clustering: int, number: int, *, empty: bool = False) -> Standing:
    """A cluster's row. Raises UsageError where there is no such cluster, or it is empty (unless that is allowed)."""
    row = db.one(
        f"SELECT {', '.join(Standing._fields)} FROM clusters WHERE clustering = ? AND number = ?",
        (clustering, number),
    )
    if row is None or not (empty or row["size"]):
        raise UsageError(f"there is no cluster {number}", "look at the clusters as they are now")
    return Standing(*row)


def _placed(db: Database, clustering: int, image_ids: Sequence[int]) -> list[_Placed]:
    """Where these pictures are in a run, in their order; those that it does not know are left out."""
    rows = db.execute(
        f"SELECT a.image, a.cluster, a.score, {_OF_USE} FROM json_each(?) j"
        " CROSS JOIN assignments a ON a.clustering = ? AND a.image = j.value CROSS JOIN images i ON i.id = a.image",
        (_unique(image_ids), clustering),
    )
    return [_Placed(image, cluster, score, bool(counts)) for image, cluster, score, counts in rows]


def _unknown(db: Database, clustering: int, image_ids: Sequence[int]) -> list[int]:
    """Those of the pictures that are embedded as the run's are, but that the run does not know."""
    rows = db.execute(
        "SELECT i.id FROM json_each(?1) j CROSS JOIN images i ON i.id = j.value JOIN clusterings r ON r.id = ?2"
        f" JOIN embeddings e ON e.encoder = r.encoder AND e.hash = i.hash WHERE {_OF_USE}"
        " AND NOT EXISTS (SELECT 1 FROM assignments a WHERE a.clustering = ?2 AND a.image = i.id)",
        (json.dumps(image_ids), clustering),
    )
    return [row[0] for row in rows]


def _with_trashed(db: Database, image_ids: Sequence[int], *, trashed: bool) -> list[int]:
    rows = db.execute(
        "SELECT i.id FROM json_each(?) j CROSS JOIN images i ON i.id = j.value WHERE i.trashed = ?",
        (_unique(image_ids), int(trashed)),
    )
    return [row[0] for row in rows]


def _best(db: Database, clustering: int, number: int, limit: int) -> list[int]:
    rows = db.execute(
        "SELECT a.image FROM assignments a CROSS JOIN images i ON i.id = a.image"
        f" WHERE a.clustering = ? AND a.cluster = ? AND {_OF_USE} ORDER BY a.score DESC, a.image LIMIT ?",
        (clustering, number, limit),
    )
    return [row[0] for row in rows]


def _some_of(db: Database, clustering: int, numbers: Sequence[int]) -> list[int]:
    """The next CHUNK pictures of these clusters, in no order."""
    rows = db.execute(
        "SELECT a.image FROM assignments a CROSS JOIN images i ON i.id = a.image"
        " WHERE a.clustering = ? AND a.cluster IN (SELECT value FROM json_each(?)) LIMIT ?",
        (clustering, json.dumps(numbers), CHUNK),
    )
    return [row[0] for row in rows]


def _nearest_first(db: Database, clustering: int, clusters: Iterable[Standing]) -> list[int]:
    """The previews of several clusters as those of one."""
    previews = [image for cluster in clusters for image in json.loads(cluster.previews)]
    shown = sorted(_placed(db, clustering, previews), key=lambda p: (-p.score, p.image))
    return [p.image for p in shown if p.counts][:PREVIEWS]


def _unique(image_ids: Iterable[int]) -> str:
    return json.dumps(list(dict.fromkeys(image_ids)))


def _chunks(image_ids: Sequence[int], size: int = CHUNK) -> Iterator[Sequence[int]]:
    for start in range(0, len(image_ids), size):
        yield image_ids[start : start + size]


def _tidy(text: str) -> str:
    """On one line, without spaces at the ends."""
    return " ".join(text.split())


def _pictures(count: int) -> str:
    return "1 picture" if count == 1 else f"{count:,} pictures"


def _clusters(numbers: Sequence[int]) -> str:
    if len(numbers) == 1:
        return f"cluster {numbers[0]}"
    return f"clusters {', '.join(map(str, numbers[:-1]))} and {numbers[-1]}"
