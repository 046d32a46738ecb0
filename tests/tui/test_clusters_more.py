"""More of the Clusters screen on a real project: the marked clustered anew, paths copied, changes seen, marks kept."""

import pytest
from textual.widgets import Input

from core.catalog import images
from core.catalog.clusterings import latest
from tests.tui.test_clusters_screen import (  # noqa: F401 - fixtures
    anyio_backend,
    clustered_once,
    clusters,
    members,
    opened,
    project,
    settle,
    until,
)
from tui.screens.recluster import ReclusterScreen

pytestmark = pytest.mark.anyio


async def test_the_marked_alone_are_clustered_anew(project):  # noqa: F811
    async with opened(project) as (app, pilot):
        before = clusters(project)
        marked = set(members(project, app.screen.row.number))
        await pilot.press("C")
        assert "mark pictures first" in [n.message for n in app._notifications][-1]
        await pilot.press("tab", "asterisk", "C")
        assert isinstance(app.screen, ReclusterScreen)
        app.screen.query_one("#clusters", Input).value = "2"
        await pilot.press("enter")
        await until(pilot, lambda: len(clusters(project)) == len(before) + 1, 60)
        parts = [found for n in clusters(project) if (found := set(members(project, n))) & marked]
        assert len(parts) == 2
        assert parts[0] | parts[1] == marked


async def test_a_cluster_that_a_run_changed_is_flagged_until_it_was_seen(project):  # noqa: F811
    with project.database() as db:  # what a run does to a cluster that is no longer much like the one it continues
        db.execute("UPDATE clusters SET changed = 1 WHERE number = (SELECT max(number) FROM clusters)")
    (flagged,) = (n for n, cluster in clusters(project).items() if cluster.changed)
    async with opened(project) as (app, pilot):
        await pilot.press("v")
        await settle(pilot)
        assert clusters(project)[flagged].changed, "the cursor was on another"
        app.screen.cluster_list.go_to(flagged)
        await until(pilot, lambda: "changed" in str(app.screen.query_one("#heading").content))
        await pilot.press("v")
        await settle(pilot)
        assert not clusters(project)[flagged].changed
        assert "changed" not in str(app.screen.query_one("#heading").content)
        await pilot.press("u")
        await settle(pilot)
        assert clusters(project)[flagged].changed


async def test_the_path_under_the_cursor_is_copied_through_the_terminal(project):  # noqa: F811
    async with opened(project) as (app, pilot):
        written: list[str] = []
        app._driver.write = written.append
        await pilot.press("tab", "l", "y")
        await until(pilot, lambda: app.clipboard)
        with project.database() as db:
            image = images.get(db, app.screen.pictures.ids[1])
        assert app.clipboard == f"{project.directory.parent}/{image.path.decode()}"
        assert any(text.startswith("\x1b]52;c;") for text in written)


async def test_marks_come_back_and_those_of_pictures_that_are_gone_do_not(project):  # noqa: F811
    async with opened(project) as (app, pilot):
        await pilot.press("tab", "m", "l", "m")
        marked = set(app.screen.marks)
        assert len(marked) == 2
    gone = marked.pop()
    with project.database() as db:
        run = latest(db)
        assert run is not None
        db.execute("DELETE FROM assignments WHERE image = ?", (gone,))
        db.execute("DELETE FROM images WHERE id = ?", (gone,))
    async with opened(project) as (app, pilot):
        await until(pilot, lambda: app.screen.marks == marked)
        await pilot.press("tab", "x")
        await settle(pilot)
        assert not app.screen.marks
    async with opened(project) as (app, pilot):
        await settle(pilot)
        assert not app.screen.marks
