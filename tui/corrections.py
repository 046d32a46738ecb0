"""`shoebox corrections`, and the files of corrections that `shoebox annotate` reads: what the user said of pictures."""

from __future__ import annotations

import base64
import csv
import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.catalog import classes, edits, images, sources
from core.catalog.database import Database
from core.catalog.paths import path_fields, shown
from core.errors import ShoeboxError, UsageError
from core.project import Project
from tui import report
from tui.figures import count
from tui.stages import Request

Given = tuple[str, str | None]
"""A path, and the name of a class, or None for none of them."""

MAX_BYTES = 50_000_000
LEARNS = "shoebox annotate learns from it"
NO_CLASS = ("", "none", "none of the classes")
"""How it is said that no class fits."""


def run_corrections(request: Request, files: Sequence[Path], *, class_: str | None, forget: bool, undo: bool) -> None:
    """Lists what was said of pictures; or says it, or takes it back."""
    if sum((class_ is not None, forget, undo)) > 1:
        raise UsageError("--class, --forget and --undo are three wishes", "give one")
    if (class_ is not None or forget) and not files:
        raise UsageError("no picture is named", "name the files")
    if class_ is not None and not class_.strip():
        raise UsageError("--class is empty", "name a class, or none")
    if undo and files:
        raise UsageError("--undo takes back the last edit, whatever it was of", "leave the files out, or use --forget")
    project = request.open_existing()
    with project.database() as db:
        chosen = _chosen(project, db, files)
        if class_ is not None:
            known = [c.name for c in classes.in_force(db)]
            ids = {c.name: c.id for c in classes.in_force(db)}
            name = class_named(class_, known)
            number = classes.correct(db, dict.fromkeys(chosen, None if name is None else ids[name]))
            _tell(request, {"corrected": number}, f"{count(number, 'picture')} corrected; {LEARNS}")
        elif forget:
            number = classes.forget(db, chosen)
            _tell(request, {"forgotten": number}, f"took back what was said of {count(number, 'picture')}; {LEARNS}")
        elif undo:
            said = edits.undo(db, of="annotation", kinds=("corrections", "annotated"))
            _tell(request, {"undone": said}, f"undone: {said}" if said else "nothing to be undone")
        else:
            _list(db, request, chosen if files else None)


def _chosen(project: Project, db: Database, files: Sequence[Path]) -> list[int]:
    roots = {source.id: project.root_of(source) for source in sources.all_sources(db)}
    found, unknown = images.find(db, roots, files)
    if unknown:
        raise ShoeboxError(f"not in this project: {', '.join(unknown[:3])}", "name files that shoebox info counts")
    return found


def _tell(request: Request, document: dict[str, Any], words: str) -> None:
    if request.as_json:
        report.print_json(document)
    else:
        print(words)


def _list(db: Database, request: Request, chosen: Sequence[int] | None) -> None:
    found = classes.all_corrections(db)
    if chosen is not None:
        pictures = [images.get(db, image) for image in chosen]
        wanted = {(picture.source, picture.path) for picture in pictures}
        found = [c for c in found if (c.source, c.path) in wanted]
    if not request.as_json:
        for c in found:
            asleep = "" if c.in_force else "  (not among the classes now)"
            print(f"{shown(c.path)}: {'none of the classes' if c.name is None else c.name}{asleep}")
        print(count(len(found), "correction"))
        return
    report.print_json(
        {
            "corrections": [
                {
                    **path_fields(c.path),
                    "class": c.name,
                    "in_force": c.in_force,
                    "at": datetime.fromtimestamp(c.made, UTC).isoformat(timespec="seconds"),
                }
                for c in found
            ]
        }
    )


def class_named(text: str, names: Sequence[str]) -> str | None:
    """The class that a user means, in whatever case; None for none of them. Raises UsageError where there is none."""
    wanted = text.strip()
    if wanted in names:
        return wanted
    by_key = {name.casefold(): name for name in names}
    if wanted.casefold() in by_key:
        return by_key[wanted.casefold()]
    if wanted.casefold() in NO_CLASS:
        return None
    raise UsageError(f"there is no class {wanted[:80]}", f"the classes are {', '.join(names[:20])}")


def read_corrections(file: str, names: Sequence[str], project: Project) -> list[Given]:
    """What a file says of pictures. Relative paths are relative to the source, or else to where the user stands."""
    data = _text(file)
    try:
        rows = _from_json(json.loads(data)) if data.lstrip()[:1] in ("[", "{") else _from_csv(data)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, csv.Error) as error:
        raise UsageError(
            f"{file} is no list of corrections", "write a CSV with the columns path and class, or JSON {path: class}"
        ) from error
    with project.database() as db:
        roots = [os.fsdecode(project.root_of(source)) for source in sources.all_sources(db)]
    found: list[Given] = []
    for path, class_ in rows:
        try:
            name = class_named(class_ or "", names)
        except UsageError as error:
            raise UsageError(f"{file}: {error.what}", error.todo) from None
        places = [os.path.join(folder, path) for folder in (*roots, os.getcwd())]
        found.append((next((p for p in places if os.path.lexists(p)), places[0]), name))
    return found


def _text(file: str) -> str:
    try:
        with Path(file).open("rb") as opened:
            data = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise ShoeboxError(f"cannot read {file} ({error.strerror})", "check the path") from error
    if len(data) > MAX_BYTES:
        raise UsageError(f"{file} is too large for a list of corrections", "split it")
    return data.decode("utf-8-sig", "surrogateescape")


def _from_json(data: Any) -> list[Given]:
    """{path: class}, or a list of {path, class}, or what `shoebox corrections --json` prints."""
    if isinstance(data, dict) and isinstance(data.get("corrections"), list):
        data = data["corrections"]
    if isinstance(data, dict):
        data = [{"path": path, "class": class_} for path, class_ in data.items()]
    return [(_path(row), None if row["class"] is None else str(row["class"])) for row in data]


def _from_csv(data: str) -> list[Given]:
    reader = csv.DictReader(data.splitlines(keepends=True))
    if not {"path", "class"} <= set(reader.fieldnames or ()):
        raise ValueError("no such columns")
    return [(_path(row), row["class"]) for row in reader]


def _path(row: dict[str, Any]) -> str:
    """The path of a row; its bytes where the row has them (`path_b64`)."""
    if row.get("path_b64"):
        return os.fsdecode(base64.b64decode(row["path_b64"], validate=True))
    if not row["path"]:
        raise ValueError("no path")
    return str(row["path"])
