"""The Names screen on a real project: naming, reviewing, typing, undoing."""

import asyncio
import shutil
import time
from pathlib import Path

import pytest
from textual.app import App
from textual.widgets import Button, Input

from core.catalog import clusterings, curation, edits, encoders, names
from core.catalog.names import ClusterName, Measured, Proposed, Quality, basis_of
from core.clustering.run import cluster_project
from core.clustering.settings import ClusterSettings
from core.project import Project, open_project
from tests.conftest import stop_worker
from tests.naming.server import FakeServer, data_of, kind_of
from tests.programs import PATIENCE
from tests.test_imports import loaded_by
from tests.tui.driving import HALFCELL, Driver, drive
from tui.naming import NameRow
from tui.widgets.name_list import NameList

SMALL, LARGE = (80, 24), (200, 60)
QUALITIES = {1: 0.97, 2: 0.95, 3: 0.6, 4: 0.8}


@pytest.fixture(scope="module")
def clustered_once(tmp_path_factory, embedded_once) -> Path:
    """The folder of `pictures`, embedded and put into four clusters: for copying, not for use."""
    folder = tmp_path_factory.mktemp("clustered") / "pictures"
    shutil.copytree(embedded_once, folder)
    project = open_project(folder)
    with project.database() as db:
        record = encoders.last(db)
    assert record is not None
    cluster_project(project, record, ClusterSettings(method="balanced", clusters=4))
    return folder


@pytest.fixture
def project(tmp_path, clustered_once):
    folder = tmp_path / "pictures"
    shutil.copytree(clustered_once, folder)
    yield open_project(folder)
    stop_worker(folder)


@pytest.fixture
def named(project) -> Project:
    """Names as a model proposed them, each measured; 3 and 4 are twins."""
    with project.database() as db:
        run = run_of(db)
        propose(db, {number: f"name {number}" for number in QUALITIES})
        rows = {c.number: c for c in clusterings.clusters_of(db, run)}
        measured = []
        for number, figure in QUALITIES.items():
            basis = basis_of(rows[number].size, rows[number].cohesion)
            twins = {3: [(4, "name 4")], 4: [(3, "name 3")]}.get(number, [])
            for name, q in ((f"name {number}", figure), (f"other {number}", 0.5), (f"third {number}", 0.4)):
                measured.append(Measured(number, name, basis, Quality(q, q, 0.9, 8), twins))
        names.put_quality(db, run, measured)
    return project


def propose(db, wanted: dict[int, str]) -> None:
    proposals = [
        Proposed(n, name, (f"other {n}", f"third {n}"), f"A sentence about {n}.", model="vision-1")
        for n, name in wanted.items()
    ]
    names.record(db, run_of(db), "openai", proposals, said="named them")


def run_of(db) -> int:
    latest = clusterings.latest(db)
    assert latest is not None
    return latest.id


def standing(project: Project) -> dict[int, tuple[str | None, str]]:
    """Name and state of each cluster, as recorded."""
    with project.database() as db:
        return {n.number: (n.name, n.state) for n in names.names_of(db, run_of(db))}


def project_of(driver: Driver) -> Project:
    assert driver.app.project is not None
    return driver.app.project


async def on_names(driver: Driver) -> NameList:
    await driver.press("g", "4")
    await driver.until(lambda: driver.screen.query("#names") and driver.screen.view is not None, 20)
    return driver.screen.name_list


def at_cursor(shown: NameList) -> int:
    """The cluster under the cursor."""
    assert shown.row is not None
    return shown.row.number


def numbers(shown: NameList) -> list[int]:
    return [row.number for row in shown.rows]


async def press_until(driver: Driver, condition, *keys: str) -> None:
    await driver.press(*keys)
    await driver.until(condition, 20)


def test_a_name_is_shown_with_all_that_is_known_of_it(named):
    async def script(driver: Driver) -> None:
        await on_names(driver)
        await driver.shows("mean quality 0.83")
        text = driver.text
        assert "vision-1 · 4 of 4 named" in text
        assert text.count("proposed") == 4
        for number, figure in QUALITIES.items():
            assert f"name {number}" in text and f"{figure:.2f}" in text
            assert f"A sentence about {number}." in text and f"1 other {number} 0.50" in text
        assert "⚠ twin of 4" in text and "⚠ twin of 3" in text and "⚠ 2 twins" in text
        assert driver.screen.name_list.layout_now.previews >= 6

    drive(named, script, size=LARGE)


def test_on_a_small_terminal_sentence_and_alternatives_are_those_of_the_cluster_at_the_cursor(named):
    async def script(driver: Driver) -> None:
        shown = await on_names(driver)
        assert shown.layout_now.previews == 2
        first, second = numbers(shown)[:2]
        await driver.shows(f"A sentence about {first}.", 10)
        assert f"1 other {first} 0.50  2 third {first}" in driver.text
        assert f"A sentence about {second}." not in driver.text
        assert "⚠ twin of 4" in driver.text and "⚠ twin of 3" in driver.text
        await driver.press("j")
        assert f"A sentence about {second}." in driver.text
        assert f"A sentence about {first}." not in driver.text

    drive(named, script, size=SMALL)


def test_accepting_goes_on_and_taking_an_alternative_stays_and_both_can_be_undone(named):
    async def script(driver: Driver) -> None:
        shown = await on_names(driver)
        first, second = numbers(shown)[:2]
        await press_until(driver, lambda: standing(named)[first][1] == "accepted", "a")
        assert at_cursor(shown) == second
        taken = (f"third {second}", "accepted")
        await press_until(driver, lambda: standing(named)[second] == taken, "2")
        assert at_cursor(shown) == second
        await driver.shows(f"third {second}")
        await press_until(driver, lambda: standing(named)[second] == (f"name {second}", "proposed"), "u")
        await press_until(driver, lambda: standing(named)[first][1] == "proposed", "u")
        await press_until(driver, lambda: standing(named)[first][1] == "accepted", "ctrl+r")

    drive(named, script)


def test_all_above_a_quality_are_accepted_but_no_twins(named):
    async def script(driver: Driver) -> None:
        await on_names(driver)
        await driver.press("A")
        await driver.shows("Accept all proposed names", 10)
        assert driver.screen.query_one(Input).value == "0.9"
        driver.screen.query_one(Input).value = "much"
        await driver.press("enter")
        await driver.until(lambda: "much is no quality" in driver.told, 10)
        await driver.press("A")
        await driver.until(lambda: driver.screen.query(Input) and driver.screen.query_one(Input).value == "0.9", 10)
        await driver.press("enter")
        await driver.until(lambda: "accepted 2 names" in driver.told, 10)

    drive(named, script)
    assert {number for number, (_, state) in standing(named).items() if state == "accepted"} == {1, 2}


def test_enter_types_a_name_and_goes_on_to_the_next_until_the_last(named):
    async def script(driver: Driver) -> None:
        shown = await on_names(driver)
        order = numbers(shown)
        await driver.press("enter")
        line = driver.screen.query_one("#typed", Input)
        assert line.has_focus and line.value == f"name {order[0]}"
        line.value = ""
        await driver.press(*"1 a/b", "enter")  # keys that do something else where nobody types
        assert line.has_focus and line.value == f"name {order[1]}" and at_cursor(shown) == order[1]
        await driver.press("enter")  # as it is: that is to accept it
        await driver.press("x", "escape")  # not kept
        assert shown.has_focus and not line.display
        await driver.until(lambda: standing(named)[order[1]][1] == "accepted", 10)
        assert standing(named)[order[0]] == ("1 a/b", "edited")
        assert standing(named)[order[2]] == (f"name {order[2]}", "proposed")
        await driver.press("end", "enter", "enter")
        assert shown.has_focus and not line.display

    drive(named, script)


def test_what_lands_moves_neither_cursor_nor_view_nor_what_is_typed(named):
    async def script(driver: Driver) -> None:
        shown = await on_names(driver)
        await driver.press("s")
        assert numbers(shown) == [3, 4, 2, 1]  # the worst first
        await driver.press("home", "j", "j", "enter", "x")
        line = driver.screen.query_one("#typed", Input)
        place = line.region
        with named.database() as db:
            propose(db, {n: f"new {n}" for n in QUALITIES})
            curation.tag(db, run_of(db), 1, ["seen"])
        driver.screen.refresh_from_catalog()
        await driver.shows("new 4", 20)
        assert numbers(shown) == [3, 4, 2, 1] and at_cursor(shown) == 2 and shown.scroll_offset.y == 0
        assert line.has_focus and line.value == "x" and line.region == place
        await driver.press("escape")
        assert "new 2" in driver.text

    drive(named, script, size=(80, 16))


def test_clusters_are_filtered_by_name_alternative_state_and_twins(named):
    async def script(driver: Driver) -> None:
        shown = await on_names(driver)
        for text, wanted in (("twin", {3, 4}), ("third 2", {2}), ("proposed", {1, 2, 3, 4}), ("nothing", set())):
            await driver.press("slash")
            driver.screen.query_one("#filter", Input).value = ""
            await driver.press(*({" ": "space"}.get(c, c) for c in text), "enter")
            assert set(numbers(shown)) == wanted
        assert "nothing matches" in driver.text
        await driver.press("escape")
        assert len(numbers(shown)) == 4

    drive(named, script)


def test_every_action_is_in_help_and_the_palette(named):
    async def script(driver: Driver) -> None:
        await on_names(driver)
        bindings = [binding for _, binding, _, _ in driver.screen.active_bindings.values()]
        ids = {binding.id for binding in bindings}
        wanted = "edit take-1 accept accept-all undo redo again vocabulary language-model sort filter measure tick"
        wanted += " annotate"
        assert {f"names.{name}" for name in wanted.split()} <= ids
        await driver.press("question_mark")
        await driver.shows("names.accept-all", 10)

    drive(named, script, size=LARGE)


def test_previews_are_read_of_what_is_near_and_the_last_of_thousands_is_a_key_away():
    asked: list[bytes] = []
    rows = [NameRow(cluster_called(n, f"word {n}"), (b"%d" % n,)) for n in range(1, 2001)]

    class Thousands(App[None]):
        def compose(self):
            yield NameList(HALFCELL, asked.append)  # which gives no picture for any

    async def script() -> None:
        async with Thousands().run_test(size=(110, 30)) as pilot:
            shown = pilot.app.query_one(NameList)
            shown.focus()
            shown.show(rows)
            await pilot.press("end")
            deadline = time.monotonic() + PATIENCE
            while b"2000" not in asked:
                assert time.monotonic() < deadline, asked
                await pilot.pause(0.02)
            assert at_cursor(shown) == 2000
            assert b"1000" not in asked
            assert len(asked) < 100

    asyncio.run(script())


def cluster_called(number: int, name: str) -> ClusterName:
    return ClusterName(number, 9, name, "proposed", quality=None, twins=[], alternatives=[], proposal=None, basis="")


def test_names_by_the_vocabulary_then_by_a_language_model(project, monkeypatch):
    """One after the other in one app: starting a worker is what takes long."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with FakeServer() as server:

        async def script(driver: Driver) -> None:
            shown = await on_names(driver)
            typed = await the_vocabulary_names_and_what_is_typed_is_measured_and_stays(driver, shown)
            await the_next_best_words_are_taken_until_none_is_left_which_is_said(driver, shown, typed)
            await a_language_model_is_asked_only_once_it_was_said_what_leaves(driver, server)
            await a_hint_reaches_it(driver, shown, server)
            await a_cancel_ends_it_at_once_and_leaves_the_names(driver, shown, server)

        drive(project, script, size=(110, 40))


async def the_vocabulary_names_and_what_is_typed_is_measured_and_stays(driver: Driver, shown: NameList) -> int:
    await driver.shows("nothing is named yet", 20)
    await driver.press("enter")
    await driver.press(*"vase", "enter", "escape")
    typed = numbers(shown)[0]
    await driver.until(lambda: shown.rows[0].cluster.quality is not None)
    await driver.press("v")
    await driver.until(lambda: isinstance(driver.app.focused, Button))
    await driver.press("enter")
    await driver.until(lambda: "4 of 4 named" in driver.text and not driver.app.unfinished)
    await driver.until(lambda: all(row.cluster.quality is not None for row in shown.rows))
    await driver.shows("mean quality")
    assert standing(project_of(driver))[typed] == ("vase", "edited")
    figures = {row.number: row.cluster.quality.figure for row in shown.rows if row.cluster.quality is not None}
    assert {row.cluster.state for row in shown.rows if row.number != typed} == {"proposed"}
    right = [figure for number, figure in figures.items() if number != typed]
    assert figures[typed] < min(right), "no cluster is of vases"
    return typed


async def the_next_best_words_are_taken_until_none_is_left_which_is_said(
    driver: Driver, shown: NameList, typed: int
) -> None:
    project = project_of(driver)
    await driver.press("home", "j")
    number = at_cursor(shown)
    assert number != typed
    word = standing(project)[number][0]
    await driver.press("r")
    await driver.until(lambda: standing(project)[number][0] not in (word, None) and not driver.app.unfinished)
    few = project.directory.parent.parent / "few.txt"
    few.write_text("vase\n")  # which is taken
    before = standing(project)
    await driver.press("v")
    await driver.until(lambda: driver.screen.query("#file"))
    driver.screen.query_one("#file", Input).value = str(few)
    await driver.press("ctrl+s")
    await driver.until(lambda: "few.txt has no word left for clusters" in driver.told and not driver.app.unfinished)
    await driver.press("r")
    await driver.until(lambda: f"few.txt has no word left for cluster {number}" in driver.told)
    await driver.until(lambda: not driver.app.unfinished)
    few.unlink()
    await driver.press("r")
    await driver.until(lambda: "there is no vocabulary" in driver.told and not driver.app.unfinished)
    assert "few.txt: name a file of words" in driver.told
    assert standing(project) == before


async def a_language_model_is_asked_only_once_it_was_said_what_leaves(driver: Driver, server: FakeServer) -> None:
    await driver.press("o")
    await driver.shows("OPENAI_API_KEY is not set")
    assert driver.screen.query_one("#ask", Button).disabled
    driver.screen.query_one("#base_url", Input).value = server.url
    driver.screen.query_one("#per_cluster", Input).value = "2"
    await driver.shows("calls for 3")
    assert "Nothing else leaves this machine" in driver.text and "127.0.0.1" in driver.text
    assert "Agree and ask" in driver.text
    assert not server.requests
    await driver.press("ctrl+s")
    await driver.until(lambda: server.requests and not driver.app.unfinished)
    await driver.shows("4 of 4 named")
    await driver.shows(" calls · $")


async def a_hint_reaches_it(driver: Driver, shown: NameList, server: FakeServer) -> None:
    before = len(server.requests)
    await driver.press("r")
    await driver.shows("Ask again about cluster")
    await driver.press(*"wings", "enter")
    await driver.until(lambda: len(server.requests) > before and not driver.app.unfinished)
    asked = [data_of(request) for request in server.requests[before:] if kind_of(request) == "name"]
    hinted = [data["hint_of_the_owner"] for data in asked]
    assert hinted == ["wings"], "one question, about the one cluster"
    assert len(shown.rows) == 4


async def a_cancel_ends_it_at_once_and_leaves_the_names(driver: Driver, shown: NameList, server: FakeServer) -> None:
    before, asked = standing(project_of(driver)), len(server.requests)
    server.behaviour.always = "hang"
    await driver.press("r")
    await driver.shows("Ask again about cluster")
    await driver.press("enter")
    await driver.until(lambda: len(server.requests) > asked)
    await driver.shows("naming …")
    await driver.press("ctrl+x")
    await driver.until(lambda: not driver.app.unfinished)
    await driver.until(lambda: "naming …" not in driver.text)
    assert standing(project_of(driver)) == before


def test_a_name_that_was_proposed_for_other_pictures_says_so(named):
    with named.database() as db:
        run = run_of(db)
        members = {n: [m.image for m in clusterings.members(db, run, n)] for n in QUALITIES}
        again = [Proposed(n, f"name {n}", (f"other {n}",), shown=members[n][::3], model="vision-1") for n in QUALITIES]
        names.record(db, run, "openai", again, said="named them again")
        curation.merge(db, run, [1], 2)

    async def script(driver: Driver) -> None:
        shown = await on_names(driver)
        await driver.until(lambda: driver.text.count("▲ changed") == 1)
        await driver.press("slash", *"changed", "enter")
        assert numbers(shown) == [2]
        await press_until(driver, lambda: standing(named)[2] == ("name 2", "accepted"), "a")
        await driver.until(lambda: "▲ changed" not in driver.text)

    for size in (SMALL, LARGE):
        drive(named, script, size=size)
        with named.database() as db:
            edits.undo(db)


def test_the_screen_needs_none_of_the_heavy_libraries():
    heavy = {"torch", "sklearn", "PIL", "timm", "scipy", "numpy", "openai", "textual_image"}
    assert not loaded_by("import tui.screens.names, tui.screens.language_model, tui.screens.vocabulary") & heavy
