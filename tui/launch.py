"""Opens the terminal app: the project, the terminal's answer to the probe, then the screen."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import ShoeboxError, UsageError
from core.project import FOLDER_NAME, open_project
from core.settings import environment_of
from tui import options
from tui.state import recent_projects, user_state

if TYPE_CHECKING:
    from core.project import Project
    from tui.app import ShoeboxApp


SWITCH_SECONDS = 0.001
"""How long a thread may hold the interpreter's lock while another waits: by default 5 ms, each time a key needs it."""


def interactive() -> bool:
    """Whether there is a terminal on both sides."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def open_app(
    path: str | None,
    project_dir: Path | None = None,
    *,
    graphics: str = "auto",
    given: Mapping[str, Any] | None = None,
    sort: dict[str, Any] | None = None,
) -> None:
    """Opens the app on a folder, on a project, or on the last one; says on leaving what still runs.

    `given`: settings of the command line. `sort`: settings by which to embed and cluster at once what was never
    clustered.
    Raises UsageError where there is no terminal, ShoeboxError where the project cannot be opened.
    """
    if not interactive():
        raise UsageError("the terminal app needs a terminal", "shoebox run PATH sorts a folder without one")
    project = _project(path, project_dir)

    from tui.graphics.probe import probe
    from tui.graphics.terminal import prepare_environment

    terminal = probe(graphics, environment=os.environ)
    prepare_environment(terminal)

    sys.setswitchinterval(SWITCH_SECONDS)
    gc.disable()  # until the first frame is there: nothing that is made before it goes away
    from tui.app import ShoeboxApp
    from tui.graphics.typed import take_any_bytes

    app = ShoeboxApp(project, terminal, start=_job(project, sort), given=given or {})
    take_any_bytes()
    app.run()
    if app.return_code:
        raise ShoeboxError("the screen ended unexpectedly", "what ran goes on by itself; see above")
    for line in last_words(app):
        options.error(line)


def _project(path: str | None, project_dir: Path | None) -> Project | None:
    if path is not None or project_dir is not None:
        return open_project(path, project_dir)
    for directory in recent_projects(user_state()):
        try:
            return open_project(None, directory)
        except ShoeboxError:
            continue
    return None


def _job(project: Project | None, sort: dict[str, Any] | None) -> tuple[str, dict[str, Any]] | None:
    """The job to begin with."""
    if project is None or sort is None:
        return None
    from core.catalog import clusterings
    from tui.sorting import sorting

    with project.database() as db:
        if clusterings.latest(db) is not None:
            return None
    return sorting(project.settings(environment_of(project.directory.parent), sort))


def last_words(app: ShoeboxApp) -> list[str]:
    """What to tell who has left: that a job goes on, and how to come back to it or end it."""
    running = [job for job in app.unfinished if not job.cancel]
    if app.project is None or not running:
        return []
    folder = app.project.directory
    where = str(folder.parent) if folder.name == FOLDER_NAME else f"--project {folder}"
    held = "is paused" if running[0].paused else "goes on by itself"
    return [f"{running[0].kind} {held}: shoebox {where} shows it, shoebox stop {where} ends it"]
