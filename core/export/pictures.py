"""Writes chosen pictures into a new folder, in the order they are given: what a search found, say."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from core.catalog import rows
from core.catalog.paths import path_fields, shown
from core.errors import ShoeboxError
from core.export.contents import read_roots
from core.export.document import skipped_entry, source_entry
from core.export.folders import Placement, place_pictures, sizes_of
from core.export.names import UniqueNames, safe_name
from core.export.staging import choose_target, new_folder
from core.project import Project

FOLDER = "pictures"
RESULTS = "results.json"


def export_pictures(
    project: Project,
    image_ids: Sequence[int],
    *,
    output: str | None,
    working_directory: str,
    mode: str,
    name: str,
    found: Mapping[str, Any] | None = None,
    scores: Sequence[float] = (),
    progress: Callable[[int, int], None],
    checkpoint: Callable[[], None],
) -> dict[str, Any]:
    """Puts these pictures by `mode` (copy, hardlink, symlink) into FOLDER of a new folder: `output`, or NAME-DATE.

    Each is called by its place in the order and its own name (`0001-dog.jpg`). Written aside and renamed; what cannot
    be read is left out and named. With `found`, what they were found by, that is written beside them in RESULTS, with
    `sources` and `results`: each picture's path, its score (`scores` are beside `image_ids`), and its file. Gives
    `output`, `files` and `skipped`. Raises UsageError for an `output` among the pictures, ShoeboxError where there is
    nothing to write or the disk takes no more.
    """
    with project.database() as db:
        sources, places = read_roots(project, db)
        known = rows.members_at(db, image_ids)
    roots = {source: sources[place].path for source, place in places.items()}
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
        if found is not None:
            score_of = dict(zip(image_ids, scores, strict=True))
            results = [
                {
                    **path_fields(member.path),
                    "score": score_of[member.image],
                    "source": places[member.source],
                    "file": placed.files.get(member.image),
                }
                for member in members
            ]
            document = {**found, "sources": [source_entry(source) for source in sources], "results": results}
            (new.folder / RESULTS).write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", "utf-8")
        checkpoint()  # the last look before it is there for all to see
    assert new.final is not None
    return {
        "output": shown(os.fsencode(new.final)),
        "files": len(placed.files),
        "skipped": [skipped_entry(skipped) for skipped in placed.skipped],
    }
