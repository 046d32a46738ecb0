"""What the terminal app remembers: of a project (screen, cluster, scroll, filter, ticks), and of the user."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator, Mapping, MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.catalog import clusterings, jobs
from tui.screens import SCREENS

if TYPE_CHECKING:
    from core.project import Project

FILE_NAME = "screen.json"
MOST_RECENT = 30
"""Projects remembered."""


class State(MutableMapping[str, Any]):
    """A small dict of JSON values kept in a file. Nothing in it is precious: a damaged file begins anew."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._values: dict[str, Any] = {} if path is None else _read(path)
        self._saved = json.dumps(self._values)

    def __getitem__(self, key: str) -> Any:
        return self._values[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._values[key] = value

    def __delitem__(self, key: str) -> None:
        del self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def save(self) -> None:
        """Writes what changed, aside and then in place. A disk that takes nothing costs only the memory of it."""
        text = json.dumps(self._values)
        if self.path is None or text == self._saved:
            return
        aside = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            aside.write_text(text, encoding="utf-8")
            aside.replace(self.path)
            self._saved = text
        except OSError:
            aside.unlink(missing_ok=True)


def state_of(project: Project | None) -> State:
    """What is remembered of a project; nothing outlives the app where there is none."""
    return State(None if project is None else project.state_dir / FILE_NAME)


def first_stage(project: Project | None, state: State) -> str:
    """The screen to begin with: where the user left the project; else as far as it has come."""
    if project is None:
        return "source"
    if (left := state.get("screen")) in SCREENS:
        return str(left)
    with project.database() as db:
        if clusterings.latest(db) is not None:
            return "clusters"
        return "embed" if jobs.unfinished(db) else "source"


def user_state() -> State:
    """What is remembered of the user: the theme, and the projects opened last."""
    import platformdirs

    return State(platformdirs.user_state_path("shoebox") / "app.json")


def remember_project(user: State, directory: Path) -> None:
    """Puts a project first among the recent ones."""
    path = str(directory)
    user["recent"] = [path, *(p for p in _recent(user) if p != path)][:MOST_RECENT]


def forget_project(user: State, directory: Path) -> None:
    """Takes a project off the recent ones; it stays where it is."""
    user["recent"] = [p for p in _recent(user) if p != str(directory)]


def recent_projects(user: State) -> list[Path]:
    """The projects opened last, newest first, those that are still there."""
    return [Path(path) for path in _recent(user) if os.path.isdir(path)]


def _recent(user: State) -> list[str]:
    recent = user.get("recent")
    return [path for path in recent if isinstance(path, str)] if isinstance(recent, list) else []


def _read(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}


def give_way(kept: Mapping[str, Any], named: Collection[str]) -> dict[str, Any]:
    """What was chosen before, but for the settings that the command line or the environment names now."""
    gone = {*named, "encoder"} if "weights" in named else set(named)
    return {name: value for name, value in kept.items() if name not in gone}
