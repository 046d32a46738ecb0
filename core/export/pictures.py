"""Writes chosen pictures into a new folder, in the order they are given: what a search found, say."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from core.catalog import rows, sources
from core.catalog.paths import shown
from core.errors import ShoeboxError
from core.export.document import skipped_entry
from core.export.folders import Placement, place_pictures, sizes_of
from core.export.names import UniqueNames, safe_name
from core.export.staging import choose_target, new_folder
from core.project import Project

FOLDER = "pictures"


def export_pictures(
    project: Project,
    image_ids: Sequence[int],
    *,
    output: str | None,
    working_directory: str,
    mode: str,
    name: str,
    progress: Callable[[int, int], None],
    checkpoint: Callable[[], None],
) -> dict[str, Any]:
    """Puts these pictures by `mode` (copy, hardlink, symlink) into FOLDER of a new folder: `output`, or NAME-DATE.

    Each is called by its place in the order and its own name (`0001-dog.jpg`). Written aside and renamed; what cannot
    be read is left out and named. Gives `output`, `files` and `skipped`. Raises UsageError for an `output` among the
    pictures, ShoeboxError where there is nothing to write or the disk takes no more.
    """
    with project.database() as db:
        roots = {source.id: project.root_of(source) for source in sources.all_sources(db)}
        known = rows.members_at(db, image_ids)
    names = UniqueNames()
    members = [known[image] for image in image_ids if image in known]
    if not members:
        raise ShoeboxError("there is nothing to write", "nothing was found")
    placements = [
        Placement(
            member,
            os.path.join(roots[member.source], member.path),
            FOLDER,
            names.take(safe_name(b"%04d-" % number + os.path.basename(member.path))),
        )
        for number, member in enumerate(members, start=1)
    ]
    target = choose_target(output, working_directory, list(roots.values()), name=os.fsencode(name))
    with new_folder(target, project, sizes_of(placements) if mode == "copy" else []) as new:
        placed = place_pictures(new.folder, placements, mode, progress=progress, checkpoint=checkpoint)
        if not placed.files:
            raise ShoeboxError(
                f"none of the {len(placed.skipped):,} pictures could be taken: {placed.skipped[0].reason}",
                "check that the disk with the pictures is there",
            )
    assert new.final is not None
    return {
        "output": shown(os.fsencode(new.final)),
        "files": len(placed.files),
        "skipped": [skipped_entry(skipped) for skipped in placed.skipped],
    }
