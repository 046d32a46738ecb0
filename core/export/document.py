"""clusters.json: the document that other programs may rely on."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from core.catalog import names
from core.catalog.clusterings import ClusteringRecord, Member
from core.catalog.database import Database
from core.catalog.names import ClusterName, Quality
from core.catalog.paths import path_fields
from core.export.contents import Contents, Group, Root, read_contents
from core.export.folders import Placed, Skipped
from core.export.marker import program_version
from core.project import Project

FILE_NAME = "clusters.json"
DIGITS = 6
"""That floats are rounded to."""

Document = dict[str, Any]


def clusters_document(
    project: Project, db: Database, clustering: ClusteringRecord, numbers: Sequence[int] | None = None
) -> Document:
    """The document of a run, or of some of its clusters, as one dict.

    A cluster's `id` is its number. A member's `path` is relative to its source (`sources[member["source"]]`),
    with `path_b64`, the bytes, where they cannot be shown as they are. Members come nearest the centre first.
    `representative` is the `path` of one of them, `representative_index` its position, and `previews` are
    positions too. `frozen` and `tags` are the user's; `edits` is what the user changed since the run was made
    (`at`, and `said` in words), oldest first. `hash` is the file's 16-byte BLAKE2b. Raises UsageError for a number
    there is not.
    """
    contents = read_contents(project, db, clustering, numbers)
    return head(contents) | {
        "clusters": [cluster_entry(contents, group) for group in contents.groups],
        "unclustered": [member_entry(contents, member) for member in contents.unclustered],
    }


def document_pieces(
    contents: Contents, placed: Placed | None = None, extra: Mapping[str, Any] | None = None
) -> Iterator[str]:
    """The same document as text, a cluster at a time: a million pictures are not held twice.

    With what was put into folders each member has its `file` in the export, and `skipped` says what has none.
    """
    files = placed.files if placed else {}
    top = head(contents) | dict(extra or {})
    if placed:
        top["skipped"] = [skipped_entry(skipped) for skipped in placed.skipped]
    yield _dump(top, indent=1).removesuffix("\n}")
    yield ',\n "clusters": ['
    yield from _joined(cluster_entry(contents, group, files) for group in contents.groups)
    yield '\n ],\n "unclustered": ['
    yield from _joined(member_entry(contents, member, files) for member in contents.unclustered)
    yield "\n ]\n}\n"


def head(contents: Contents) -> Document:
    """All of the document but its clusters."""
    run, encoder = contents.clustering, contents.encoder
    return {
        "generatedAt": datetime.now(UTC).isoformat(timespec="seconds"),
        "program": "shoebox",
        "version": program_version(),
        "model": encoder.label,
        "encoder": encoder.as_dict(),
        "clustering": run.id,
        "clusteredAt": _at(run.created),
        "method": run.method,
        "route": run.route,
        "seed": run.seed,
        "silhouette": finite(run.silhouette),
        "settings": _rounded(run.settings),
        "sources": [source_entry(root) for root in contents.roots],
        "edits": [{"at": _at(edit.made), "said": edit.said} for edit in contents.edits],
        "selection": contents.selection,
        "summary": {
            "total_images": contents.clustered + len(contents.unclustered),
            "num_clusters": len(contents.groups),
            "num_unclustered": len(contents.unclustered),
        },
        "names": names_entry([group.naming for group in contents.groups]),
    }


def source_entry(root: Root) -> Document:
    """A source as the document has it."""
    return {"kind": root.kind, **path_fields(root.path)} | ({"origin": root.origin} if root.origin else {})


def cluster_entry(contents: Contents, group: Group, files: Mapping[int, str] | None = None) -> Document:
    """A cluster as the document has it."""
    members = [member_entry(contents, member, files) for member in group.members]
    return {
        "id": group.number,
        "name": group.name,
        **_naming_entry(group.naming),
        "size": len(members),
        "representative": members[group.representative]["path"],
        "representative_index": group.representative,
        "cohesion": finite(group.cohesion),
        "silhouette": finite(group.silhouette),
        "changed": group.changed,
        "frozen": group.frozen,
        "tags": list(group.tags),
        "previews": group.previews,
        "members": members,
    }


def quality_entry(quality: Quality | None) -> Document | None:
    """How well a name fits, as the document has it; None where it was not measured."""
    if quality is None:
        return None
    figures = {"quality": quality.figure, "auroc": quality.auroc, "near": quality.near, "first": quality.first}
    return {name: finite(value) for name, value in figures.items()} | {"pictures": quality.pictures}


def names_entry(found: Sequence[ClusterName]) -> Document:
    """The names of a run as a whole."""
    whole = names.overall(found)
    return {
        "clusters": whole.clusters,
        "named": whole.named,
        **whole.states,
        "measured": whole.measured,
        "twins": whole.twins,
        "quality": finite(whole.quality),
        "auroc": finite(whole.auroc),
        "first": finite(whole.first),
    }


def member_entry(contents: Contents, member: Member, files: Mapping[int, str] | None = None) -> Document:
    """A picture as the document has it."""
    entry: Document = {
        **path_fields(member.path),
        "source": contents.source_of(member),
        "score": finite(member.score),
        "width": member.width,
        "height": member.height,
        "hash": member.hash.hex(),
    }
    if (origin := contents.url_of(member)) is not None:
        entry["url"], entry["tags"] = origin
    if member.hash in contents.labels:
        entry["label"] = contents.labels[member.hash]
    if files and member.image in files:
        entry["file"] = files[member.image]
    return entry


def skipped_entry(skipped: Skipped) -> Document:
    """A picture that was left out, and why."""
    return {**path_fields(skipped.member.path), "reason": skipped.reason}


def _at(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")


def finite(value: float | None) -> float | None:
    """The number rounded; None where there is none (JSON has no NaN)."""
    return None if value is None or not math.isfinite(value) else round(value, DIGITS)


def _naming_entry(naming: ClusterName) -> Document:
    """The naming of a cluster: where its name comes from, what else was proposed, and how well they fit."""
    proposal = naming.proposal
    return {
        "state": naming.state or None,
        "quality": quality_entry(naming.quality),
        "twins": naming.twins,
        "alternatives": [{"name": a.name, "quality": quality_entry(a.quality)} for a in naming.alternatives],
        "description": naming.description,
        "no_name_because": naming.reason,
        "namer": proposal and {"namer": proposal.namer, "model": proposal.model, "prompt": proposal.prompt},
    }


def _rounded(value: Any) -> Any:
    """What JSON holds, with its floats as `finite` has them."""
    if isinstance(value, dict):
        return {name: _rounded(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_rounded(inner) for inner in value]
    return finite(value) if isinstance(value, float) else value


def _joined(entries: Iterator[Document]) -> Iterator[str]:
    for index, entry in enumerate(entries):
        yield (",\n  " if index else "\n  ") + _dump(entry)


def _dump(value: Document, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)
