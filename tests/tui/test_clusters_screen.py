"""The Clusters screen on a real project: browsing, putting right, undoing, saving."""

import json
import os
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, OptionList, Static

from core.catalog import clusterings, curation, encoders
from core.clustering.run import cluster_project
from core.clustering.settings import ClusterSettings
from core.project import Project, open_project
from tests.conftest import stop_worker
from tests.programs import PATIENCE
from tui import reading
from tui.app import ShoeboxApp
from tui.graphics.terminal import Terminal
from tui.screens.move import MoveScreen
from tui.screens.recluster import ReclusterScreen
from tui.screens.save import SaveScreen
from tui.screens.zoom import ZoomScreen
from tui.widgets.cluster_list import name_cut
from tui.widgets.key_line import KeyLine

pytestmark = pytest.mark.anyio

SMALL, LARGE = (80, 24), (160, 50)


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture(scope="module")
def clustered_once(tmp_path_factory, embedded_once) -> Path:
    """The folder of `pictures`, embedded and put into six clusters: for copying, not for use."""
    folder = tmp_path_factory.mktemp("clustered") / "pictures"
    shutil.copytree(embedded_once, folder)
    project = open_project(folder)
    with project.database() as db:
        record = encoders.last(db)
    assert record is not None
    cluster_project(project, record, ClusterSettings(clusters=6))
    return folder


@pytest.fixture
def project(tmp_path, clustered_once):
    folder = tmp_path / "pictures"
    shutil.copytree(clustered_once, folder)
    yield open_project(folder)
    stop_worker(folder)


@asynccontextmanager
async def opened(project: Project, size=SMALL) -> AsyncIterator[tuple[Any, Pilot[None]]]:
    """The app on its Clusters screen, once the clusters are there."""
    app: Any = ShoeboxApp(project, Terminal(truecolor=True), dict(os.environ))
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: app.screen.query("#list") and app.screen.pictures)
        yield app, pilot


async def until(pilot, happened, seconds=PATIENCE):
    """Waits for something that a thread brings."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        await pilot.pause(0.02)
    await pilot.pause()


async def write(pilot, text):
    await pilot.press(*({" ": "space"}.get(c, c) for c in text))


def lines(app) -> list[str]:
    """What the list of clusters shows, line by line."""
    shown = app.screen.cluster_list
    return ["".join(s.text for s in shown.render_line(y)).rstrip() for y in range(shown.size.height)]


def run_of(db) -> int:
    """The run that is shown."""
    latest = clusterings.latest(db)
    assert latest is not None
    return latest.id


def clusters(project: Project) -> dict[int, clusterings.Cluster]:
    with project.database() as db:
        return {c.number: c for c in clusterings.clusters_of(db, run_of(db))}


def members(project: Project, number: int) -> list[int]:
    with project.database() as db:
        return list(reading.picture_ids(db, run_of(db), number))


async def settle(pilot):
    """Until no edit is under way and what it changed was read."""
    for _ in range(3):
        await pilot.app.workers.wait_for_complete([w for w in pilot.app.workers if w.group != "pages"])
        await pilot.pause()


@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_clusters_are_listed_by_size_and_their_pictures_nearest_the_centre_first(project, size):
    async with opened(project, size) as (app, pilot):
        screen = app.screen
        sizes = [c.size for c in clusters(project).values()]
        assert [row.size for row in screen.cluster_list.rows] == sorted(sizes, reverse=True)
        first = screen.row
        assert list(screen.pictures.ids) == members(project, first.number)
        assert screen.grid.item(0).starred == (first.representative == screen.pictures.ids[0])
        starred = [item.image for item in (screen.grid.item(at) for at in range(first.size)) if item.starred]
        assert starred == [first.representative]
        await pilot.press("j")
        await until(pilot, lambda: list(screen.pictures.ids) == members(project, screen.row.number))
        assert screen.row.number != first.number


async def test_filter_narrows_as_one_types_and_the_order_changes(project):
    with project.database() as db:
        run = run_of(db)
        for number, name in zip(clusters(project), ("red cars", "fish", "cars by night"), strict=False):
            curation.rename(db, run, number, name)
    async with opened(project) as (app, pilot):
        await pilot.press("slash")
        await write(pilot, "cars")
        assert [row.name for row in app.screen.cluster_list.rows] == ["red cars", "cars by night"]
        await pilot.press("enter", "o", "o")
        assert [row.name for row in app.screen.cluster_list.rows] == ["cars by night", "red cars"]
        await pilot.press("escape")
        assert len(app.screen.cluster_list.rows) == len(clusters(project))
        await pilot.press("slash")
        await write(pilot, "a-b+c")  # letters of a name here, not keys
        assert app.screen.query_one("#filter", Input).value == "a-b+c"
        assert app.screen.cluster_list.rows == []


async def test_a_cluster_is_renamed_in_place_and_undone_after_a_restart(project):
    async with opened(project) as (app, pilot):
        number = app.screen.row.number
        await pilot.press("e")
        await write(pilot, "red cars")
        await pilot.press("enter")
        await settle(pilot)
        assert clusters(project)[number].name == "red cars"
        assert "red cars" in lines(app)[0]
        assert app.screen.cluster_list.has_focus
    async with opened(project) as (app, pilot):
        await pilot.press("u")
        await settle(pilot)
        assert clusters(project)[number].name is None
        await pilot.press("ctrl+r")
        await settle(pilot)
        assert clusters(project)[number].name == "red cars"


async def test_escape_leaves_a_name_as_it_was(project):
    async with opened(project) as (app, pilot):
        await pilot.press("e")
        await write(pilot, "no")
        await pilot.press("escape")
        await settle(pilot)
        assert not any(c.name for c in clusters(project).values())
        assert not app.screen.query_one("#rename").display


async def test_marked_pictures_move_to_another_cluster_and_to_a_new_one(project):
    async with opened(project) as (app, pilot):
        browser = app.screen
        source, target = (row.number for row in browser.cluster_list.rows[:2])
        first, second = members(project, source)[:2]
        await pilot.press("tab", "m", "l", "m")
        assert browser.marks == {first, second}
        assert browser.grid.item(0).marked
        await pilot.press("M")
        assert isinstance(app.screen, MoveScreen)
        await write(pilot, str(target))
        await pilot.press("enter")
        await settle(pilot)
        assert {first, second} <= set(members(project, target))
        assert not browser.marks
        assert first not in browser.pictures.ids
        under = browser.pictures.ids[browser.grid.cursor]
        await pilot.press("M")
        await write(pilot, "by night")
        await pilot.press("enter")
        await settle(pilot)
        made = next(c for c in clusters(project).values() if c.name == "by night")
        assert members(project, made.number) == [under]


async def test_trash_hides_and_its_row_restores(project):
    async with opened(project) as (app, pilot):
        number = app.screen.row.number
        before = members(project, number)
        await pilot.press("tab", "m", "x")
        await settle(pilot)
        assert members(project, number) == before[1:]
        await pilot.press("T")
        await until(pilot, lambda: list(app.screen.pictures.ids) == before[:1])
        assert app.screen.grid.item(0).dimmed
        await pilot.press("x")
        await settle(pilot)
        assert members(project, number) == before
        assert all(row.number != reading.TRASH for row in app.screen.cluster_list.rows)
        await pilot.press("u", "u")
        await settle(pilot)
        assert members(project, number) == before


async def test_x_in_the_list_trashes_nothing(project):
    async with opened(project) as (app, pilot):
        before = members(project, app.screen.row.number)
        await pilot.press("x")
        await settle(pilot)
        assert members(project, app.screen.row.number) == before


async def test_the_line_of_keys_offers_what_works(project):
    async with opened(project) as (app, pilot):
        offered = lambda: app.screen.query_one(KeyLine).render().plain  # noqa: E731
        assert "space tick" in offered() and "mark" not in offered() and "trash" not in offered()
        await pilot.press("e")
        await until(pilot, lambda: "space tick" not in offered())
        assert "filter" not in offered()
        await pilot.press("escape", "tab")
        await until(pilot, lambda: "m mark" in offered())


async def test_ticked_clusters_are_merged_frozen_and_tagged(project):
    async with opened(project) as (app, pilot):
        one, two = (row.number for row in app.screen.cluster_list.rows[:2])
        both = set(members(project, one)) | set(members(project, two))
        await pilot.press("j", "space", "k", "J")
        await settle(pilot)
        assert set(members(project, one)) == both
        assert two not in clusters(project)
        assert app.screen.cluster_list.ticks == set()
        await pilot.press("F", "t")
        await write(pilot, "red,big")
        await pilot.press("enter")
        await settle(pilot)
        assert clusters(project)[one].frozen
        assert tuple(clusters(project)[one].tags) == ("red", "big")
        assert "◆" in lines(app)[0]


async def test_a_refresh_moves_nothing_that_the_user_looks_at(project):
    async with opened(project) as (app, pilot):
        screen = app.screen
        await pilot.press("j", "space", "j", "j")
        await until(pilot, lambda: list(screen.pictures.ids) == members(project, screen.row.number))
        await pilot.press("tab", "l")
        looked_at, line = screen.row.number, screen.cluster_list.cursor - screen.cluster_list.scroll_offset.y
        picture, ticks = screen.pictures.ids[screen.grid.cursor], set(screen.cluster_list.ticks)
        last = list(clusters(project))[-1]
        with project.database() as db:  # another program: the smallest cluster becomes the largest, and a new one comes
            run = run_of(db)
            curation.merge(db, run, [screen.cluster_list.rows[0].number], last)
            mine = members(project, looked_at)
            curation.move(db, run, [next(i for i in mine if i != picture)], last)
        screen.refresh_from_catalog()
        await until(pilot, lambda: screen.cluster_list.rows[0].number == last)
        await settle(pilot)
        assert screen.row.number == looked_at
        assert screen.cluster_list.cursor - screen.cluster_list.scroll_offset.y in (line, screen.cluster_list.cursor)
        assert screen.cluster_list.ticks == ticks
        assert screen.pictures.ids[screen.grid.cursor] == picture


async def test_a_name_being_typed_outlives_a_refresh(project):
    async with opened(project) as (app, pilot):
        screen = app.screen
        number = screen.row.number
        await pilot.press("e")
        await write(pilot, "half a na")
        with project.database() as db:
            rest = [n for n in clusters(project) if n != number]
            curation.merge(db, run_of(db), rest[1:], rest[0])
        screen.refresh_from_catalog()
        await until(pilot, lambda: len(screen.cluster_list.rows) == 2)
        await write(pilot, "me")
        await pilot.press("enter")
        await settle(pilot)
        assert clusters(project)[number].name == "half a name"


async def test_screen_cluster_filter_and_ticks_come_back(project):
    async with opened(project) as (app, pilot):
        await pilot.press("space", "j", "j")
        await until(pilot, lambda: list(app.screen.pictures.ids) == members(project, app.screen.row.number))
        await pilot.press("tab", "l")
        number, ticks, picture = app.screen.row.number, set(app.screen.cluster_list.ticks), app.screen.grid.cursor
        assert picture == 1
    async with opened(project) as (app, pilot):
        await until(pilot, lambda: list(app.screen.pictures.ids) == members(project, number))
        assert app.screen.row.number == number
        assert app.screen.cluster_list.ticks == ticks
        assert app.screen.grid.cursor == picture


async def test_zoom_tells_the_facts_and_walks_to_a_neighbour(project):
    async with opened(project, LARGE) as (app, pilot):
        browser = app.screen
        await pilot.press("tab", "z")
        assert isinstance(app.screen, ZoomScreen)
        zoom = app.screen
        await until(pilot, lambda: zoom.query_one(OptionList).option_count)
        text = str(zoom.query_one("#zoom-facts", Static).content)
        folder = str(project.directory.parent)
        assert folder in text.replace("\n", "")
        assert "similarity" in text
        nearest = int(zoom.query_one(OptionList).get_option_at_index(0).id or 0)
        assert nearest == nearest_by_vectors(project, browser.pictures.ids[0])
        zoom.query_one(OptionList).focus()
        await pilot.press("home", "enter")
        assert zoom.image == nearest
        await pilot.press("l", "escape")
        assert browser.grid.cursor == 1


async def test_in_the_zoom_a_picture_is_thrown_out_moved_and_brought_back_one_key_each(project):
    async with opened(project, LARGE) as (app, pilot):
        number, (first, second, third, *_) = app.screen.row.number, app.screen.pictures.ids
        await pilot.press("tab", "z")
        zoom = app.screen
        await until(pilot, lambda: zoom.query_one(OptionList).option_count)
        await pilot.press("x")
        await until(pilot, lambda: zoom.image == second)
        assert first not in members(project, number)
        await until(pilot, lambda: zoom.query_one(OptionList).option_count)
        await pilot.press("M", *"odd ones", "enter")
        await until(pilot, lambda: zoom.image == third)
        assert second not in members(project, number)
        await pilot.press("u")
        await until(pilot, lambda: second in members(project, number) and zoom.image == second)
        await pilot.press("u")
        await until(pilot, lambda: first in members(project, number) and zoom.image == first)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen.pictures and first in app.screen.pictures.ids)


def nearest_by_vectors(project: Project, image: int) -> int:
    with project.database() as db:
        record = encoders.last(db)
        assert record is not None
        ids, rows = encoders.embedded_images(db, record.id)
    vectors = project.vector_file(record).read(record.rows)[rows].astype("f4")
    cosines = vectors @ vectors[ids.index(image)]
    cosines[ids.index(image)] = -1
    return ids[int(cosines.argmax())]


async def test_ticked_clusters_are_saved_and_it_is_said_where(project, tmp_path):
    async with opened(project) as (app, pilot):
        number = app.screen.row.number
        await pilot.press("space", "s")
        assert isinstance(app.screen, SaveScreen)
        target = tmp_path / "saved"
        app.screen.query_one("#output", Input).value = str(target)
        app.screen.query_one("#save").focus()
        await pilot.press("enter")
        await until(pilot, lambda: any(str(target) in n.message for n in app._notifications))
        saved = json.loads((target / "clusters.json").read_text())
        assert [c["id"] for c in saved["clusters"]] == [number]


async def test_finer_is_a_job_and_undo_goes_back(project):
    async with opened(project) as (app, pilot):
        before = set(clusters(project))
        await pilot.press("plus")
        await until(pilot, lambda: len(clusters(project)) == len(before) + 1)
        await until(pilot, lambda: sum(row.is_cluster for row in app.screen.cluster_list.rows) == len(before) + 1)
        await pilot.press("u")
        await settle(pilot)
        assert set(clusters(project)) == before


async def test_impossible_settings_are_told_before_any_work(project):
    async with opened(project, LARGE) as (app, pilot):
        await pilot.press("c")
        assert isinstance(app.screen, ReclusterScreen)
        app.screen.query_one("#clusters", Input).value = "1000"
        await pilot.press("enter")
        assert isinstance(app.screen, ReclusterScreen)
        assert "1000" in str(app.screen.query_one(".wrong", Static).content)


async def test_a_cluster_is_split_in_two(project):
    async with opened(project) as (app, pilot):
        row, before = app.screen.row, clusters(project)
        whole = set(members(project, row.number))
        await pilot.press("d")
        await until(pilot, lambda: len(clusters(project)) == len(before) + 1)
        others = {n: set(members(project, n)) for n in clusters(project)}
        parts = [found for found in others.values() if found & whole]
        assert len(parts) == 2
        assert parts[0] | parts[1] == whole
        larger, smaller = sorted(map(len, parts), reverse=True)
        told = f"split into 2 of {larger} and {smaller} pictures"
        await until(pilot, lambda: any(told in note.message for note in app._notifications))


async def test_jump_mode_goes_to_a_line_by_its_letter(project):
    async with opened(project) as (app, pilot):
        await pilot.press("f", "d")
        assert app.screen.cluster_list.cursor == 2
        await pilot.press("f", "escape", "j")
        assert app.screen.cluster_list.cursor == 3


async def test_both_panes_at_160_columns_one_at_80_while_in_the_pictures(project):
    async with opened(project, SMALL) as (app, pilot):
        side = app.screen.query_one("#side")
        assert side.display
        await pilot.press("tab")
        assert not side.display
        await pilot.resize_terminal(*LARGE)
        assert side.display
        await pilot.resize_terminal(*SMALL)
        await pilot.press("tab")
        assert side.display
        assert app.screen.cluster_list.has_focus


async def test_without_clusters_the_screen_says_what_to_do(embedded):
    app = ShoeboxApp(open_project(embedded), Terminal(truecolor=True), dict(os.environ))
    async with app.run_test(size=SMALL) as pilot:
        app.go("clusters")
        await until(pilot, lambda: app.screen.query("#empty") and app.screen.query_one("#empty").display)
        await pilot.press("M", "x", "e", "s", "plus")  # nothing to do these to
        assert "no clusters" in str(app.screen.query_one("#empty", Static).content)


async def test_a_number_typed_in_full_is_that_cluster_whatever_else_holds_its_digits(project):
    with project.database() as db:
        largest = max(clusters(project).values(), key=lambda c: c.size).number
        other = next(n for n in clusters(project) if n != largest)
        curation.rename(db, run_of(db), largest, f"{other} on top")
    async with opened(project) as (_, pilot):
        image = members(project, largest)[0]
        await pilot.press("tab", "M")
        await write(pilot, str(other))
        await pilot.press("enter")
        await settle(pilot)
        assert image in members(project, other)


@pytest.mark.parametrize(("width", "shown"), [(12, "IMG_0012.jpg"), (10, "IMG_0012"), (8, "IMG_0012"), (7, "IMG…012")])
def test_a_name_that_is_cut_keeps_the_end_of_its_stem(width, shown):
    assert name_cut("IMG_0012.jpg", width) == shown
