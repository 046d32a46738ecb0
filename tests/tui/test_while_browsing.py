"""What happens beside a user who looks at clusters: frames in part, and a clustering that lands."""

import asyncio
from functools import partial
from typing import Any

import pytest
from textual._compositor import CompositorUpdate
from textual.pilot import Pilot

from core.catalog import clusterings, curation, encoders
from core.clustering.run import cluster_project
from core.clustering.settings import ClusterSettings
from core.project import Project
from tests.tui.graphics.emulator import Emulator
from tests.tui.test_clusters_screen import (  # noqa: F401 - fixtures
    LARGE,
    anyio_backend,
    clustered_once,
    clusters,
    lines,
    members,
    opened,
    project,
    settle,
    until,
)
from tui.graphics.canvas import canvas_of
from tui.screens.base import ShoeboxScreen
from tui.screens.help import HelpScreen
from tui.widgets.status_line import StatusLine

pytestmark = pytest.mark.anyio
KEYS = (
    "j",
    "tab",
    "l",
    "j",
    "m",
    "tab",
    "space",
    "k",
    "slash",
    "a",
    "backspace",
    "escape",
    "o",
    "f",
    "escape",
    "G",
    "e",
)


async def test_frames_drawn_in_part_leave_what_a_whole_one_would_show(project):  # noqa: F811
    async with opened(project, LARGE) as (app, pilot):
        terminal = Emulator(*LARGE)

        def drawn(_: object, frame: Any) -> None:
            if isinstance(frame, CompositorUpdate):
                terminal.feed(frame.render_segments(app.console))

        canvas_of(app)._display_text = drawn  # type: ignore[assignment]
        app.screen.refresh(layout=True)  # all of it, once
        for key in ("wait", *KEYS):
            await pilot.press(*([] if key == "wait" else [key]))
            await settle(pilot)
            await until(pilot, lambda: not differing(app, terminal))


def differing(app: Any, terminal: Emulator) -> list[tuple[str, str]]:
    """The lines of the terminal that are not as the app has them."""
    wanted = [strip.text.rstrip() for strip in app.screen._compositor.render_strips()]
    seen = [terminal.line(y).rstrip() for y in range(len(wanted))]
    return [pair for pair in zip(wanted, seen, strict=True) if pair[0] != pair[1]]


async def test_tab_between_the_panes_sends_no_line_of_either_again(project):  # noqa: F811
    async with opened(project, LARGE) as (app, pilot):
        await settle(pilot)
        listed, shown = counted(app.screen.cluster_list), counted(app.screen.grid)
        await pilot.press("tab")
        await settle(pilot)
        assert app.screen.grid.has_focus
        assert len(set(listed)) <= 1  # the line of the cursor
        assert set(shown) <= set(range(app.screen.grid.tiles.tile_height))  # the tile of the cursor


async def test_what_changes_beneath_another_screen_is_drawn_once(project):  # noqa: F811
    async with opened(project, LARGE) as (app, pilot):
        await settle(pilot)
        beneath = app.screen
        for above in (HelpScreen(beneath), ShoeboxScreen()):
            app.push_screen(above)
            await settle(pilot)
            frames: list[Any] = []
            drawn = canvas_of(app)._display_text
            canvas_of(app)._display_text = partial(_note, frames)
            beneath.query_one(StatusLine).refresh()
            for _ in range(4):  # whatever the screen hears, as of a job that runs
                beneath.call_next(lambda: None)
                await pilot.pause(0.1)
            assert len(frames) <= 1
            canvas_of(app)._display_text = drawn
            app.pop_screen()
            await settle(pilot)


def _note(frames: list[Any], _: object, frame: Any) -> None:
    frames.append(frame)


def counted(widget: Any) -> list[int]:
    """The lines that a widget draws from now on."""
    drawn: list[int] = []
    render_line = widget.render_line

    def noted(y: int) -> Any:
        drawn.append(y)
        return render_line(y)

    widget.render_line = noted
    return drawn


async def test_a_clustering_that_lands_moves_nothing_that_the_user_looks_at(project):  # noqa: F811
    with project.database() as db:
        run = clusterings.latest(db)
        assert run is not None
        for number in clusters(project):
            curation.rename(db, run.id, number, f"pile {number}")
    async with opened(project) as (app, pilot):
        screen = app.screen
        await pilot.press("j", "space", "j")
        await until(pilot, lambda: list(screen.pictures.ids) == members(project, screen.row.number))
        await pilot.press("tab", "l")
        looked_at, line = screen.row.number, screen.cluster_list.cursor - screen.cluster_list.scroll_offset.y
        picture, ticks, name = screen.pictures.ids[screen.grid.cursor], set(screen.cluster_list.ticks), screen.row.name
        await land(project, app, pilot)
        assert screen.row.number == looked_at
        assert screen.row.name == name == f"pile {looked_at}"
        assert screen.cluster_list.cursor - screen.cluster_list.scroll_offset.y in (line, screen.cluster_list.cursor)
        assert screen.cluster_list.ticks == ticks & set(clusters(project))
        assert screen.grid.has_focus
        if picture in members(project, looked_at):
            assert screen.pictures.ids[screen.grid.cursor] == picture


async def land(project: Project, app: Any, pilot: Pilot[None]) -> None:  # noqa: F811
    """Another program clusters the project anew, and the app comes to know of it by itself."""
    with project.database() as db:
        record = encoders.last(db)
    assert record is not None
    run = await asyncio.to_thread(cluster_project, project, record, ClusterSettings(clusters=7))
    await until(pilot, lambda: app.screen.view.clustering.id == run)
    await settle(pilot)
