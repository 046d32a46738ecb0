"""The file that says what a folder is: scans skip what shoebox wrote."""

from __future__ import annotations

import importlib.metadata
import json
import os
from datetime import UTC, datetime
from pathlib import Path

from core.catalog.paths import shown
from core.project import Project
from core.sources.folder import EXPORT_MARKER


def program_version() -> str:
    """The version of the installed shoebox."""
    return importlib.metadata.version("shoebox")


def write_marker(folder: Path, project: Project) -> None:
    """Marks `folder` as an export of `project`."""
    said = {
        "program": "shoebox",
        "version": program_version(),
        "project": shown(os.fsencode(project.directory)),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "note": "written by shoebox export; a folder with this file in it is not scanned for pictures",
    }
    (folder / os.fsdecode(EXPORT_MARKER)).write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")


def is_marked(folder: Path, project: Project) -> bool:
    """Whether `folder` is an export of `project`, whole or not."""
    try:
        said = json.loads((folder / os.fsdecode(EXPORT_MARKER)).read_text(encoding="utf-8"))
        return bool(said["project"] == shown(os.fsencode(project.directory)))
    except (OSError, ValueError, KeyError, TypeError):
        return False
