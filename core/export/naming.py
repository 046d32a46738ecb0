"""cluster_names.json and cluster_descriptions.json: names and labels in the form that an earlier system wrote."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from core.catalog.clusterings import Member
from core.catalog.paths import path_fields, shown
from core.export.contents import Contents, Group

NAMES_FILE = "cluster_names.json"
DESCRIPTIONS_FILE = "cluster_descriptions.json"


def names_pieces(contents: Contents) -> Iterator[str]:
    """A list of `{cluster_id, category, descriptions}`: the name (or null), and the labels of the pictures."""
    yield _dump(
        [
            {
                "cluster_id": group.number,
                "category": group.name,
                "descriptions": [contents.labels[member.hash] for member in _labelled(contents, group)],
            }
            for group in contents.groups
        ]
    )


def descriptions_pieces(contents: Contents) -> Iterator[str]:
    """By the cluster's id, `{path, description}` of each picture that has a label; `url` for one from the web."""
    yield _dump(
        {
            str(group.number): [
                _place(contents, member) | {"description": contents.labels[member.hash]}
                for member in _labelled(contents, group)
            ]
            for group in contents.groups
        }
    )


def _labelled(contents: Contents, group: Group) -> list[Member]:
    return [member for member in group.members if member.hash in contents.labels]


def _place(contents: Contents, member: Member) -> dict[str, Any]:
    if contents.roots[contents.source_of(member)].kind == "folder":
        return path_fields(member.path)
    return {"url": shown(member.path)}


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, indent=1) + "\n"
