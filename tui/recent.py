"""The projects opened last, with what each holds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.catalog.database import Database
from core.errors import ShoeboxError
from core.project import reopen
from tui.facts import Facts, read_facts


@dataclass(frozen=True, slots=True)
class Recent:
    """One of them; `facts` is None where its catalog cannot be read."""

    directory: Path
    facts: Facts | None
    trouble: str = ""


def read_recent(directory: Path) -> Recent:
    """What a project holds, read without changing anything. For a thread."""
    project = reopen(directory)
    try:
        with Database(project.catalog_path, read_only=True) as db:
            return Recent(directory, read_facts(project, db))
    except ShoeboxError as error:
        return Recent(directory, None, error.what)
    except Exception:  # a catalog of another version, which lacks what is asked for
        return Recent(directory, None, "its catalog is of another version")
