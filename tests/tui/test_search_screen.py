"""The Search screen on a real project: typing, looking, marking, and what is made of what was found."""

import os
import shutil
from pathlib import Path

import pytest
from textual.widgets import Input

from core.catalog import clusterings, encoders, images, jobs
from core.clustering.run import cluster_project
from core.clustering.settings import ClusterSettings
from core.project import Project, open_project
from tests.conftest import stop_worker
from tests.tui.driving import Driver, drive
from tui.keys import STAGES
from tui.screens.twins import TwinsScreen

SEARCH = str(STAGES.index("search") + 1)


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


def found(driver: Driver) -> list[int]:
    """What the screen shows, best first."""
    return list(driver.screen.pictures.ids) if driver.screen.pictures else []


def kinds(project: Project, image_ids: list[int]) -> list[str]:
    """What the drawings at the top really are: their files' names begin with it."""
    with project.database() as db:
        return [os.path.basename(images.get(db, i).path).split(b"-")[0].decode() for i in image_ids]


async def on_search(driver: Driver) -> None:
    await driver.press("g", SEARCH)
    await driver.until(lambda: driver.screen.query("#query"))


async def type_query(driver: Driver, text: str) -> list[int]:
    driver.screen.query_one("#query", Input).value = text
    await driver.until(lambda: found(driver) and driver.screen.answer.get("query") == text)
    return found(driver)


def test_words_find_pictures_as_they_are_typed_and_the_app_is_told_of_no_job(project):
    async def script(driver: Driver) -> None:
        await on_search(driver)
        assert "cat:1.0 -dog:0.5" in driver.text
        assert set(kinds(project, (await type_query(driver, "an umbrella"))[:5])) == {"umbrella"}
        assert set(kinds(project, (await type_query(driver, "a fish"))[:5])) == {"fish"}
        last = await type_query(driver, "fish:1.5 -car:0.5")
        assert kinds(project, last)[0] == "fish"
        assert "+1.5 fish  -0.5 car" in driver.text and "of 64 pictures" in driver.text
        assert driver.app.job is None and not driver.app.unfinished
        with project.database() as db:
            assert {job.kind for job in jobs.recent(db)} == {"search"}
            assert not jobs.recent(db, without="search")

    drive(project, script)


def test_a_query_that_is_not_ended_asks_nothing_and_earlier_ones_come_back(project):
    async def script(driver: Driver) -> None:
        await on_search(driver)
        await driver.press("minus")
        assert driver.screen.query_one("#query", Input).value == "-"
        await type_query(driver, "a star")
        await driver.press("enter")
        assert driver.screen.grid.has_focus
        await driver.press("slash")
        driver.screen.query_one("#query", Input).value = ""
        await driver.until(lambda: not found(driver))
        await driver.press("up")
        assert driver.screen.query_one("#query", Input).value == "a star"
        await driver.until(lambda: found(driver))
        driver.app.go("clusters")  # out of the field, by the palette or the mouse
        await driver.until(lambda: not driver.screen.query("#query"))
        await on_search(driver)
        assert driver.screen.grid.has_focus
        await driver.press("g", SEARCH)
        assert driver.screen.query_one("#query", Input).value == "a star"

    drive(project, script)


def test_what_is_found_becomes_trash_a_cluster_and_a_folder(project, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    async def script(driver: Driver) -> None:
        await on_search(driver)
        fish = (await type_query(driver, "a fish"))[:3]
        await driver.press("enter", "x")
        await driver.until(lambda: found(driver) and fish[0] not in found(driver))
        await driver.press("u")
        await driver.until(lambda: fish[0] in found(driver))

        driver.screen.grid.cursor = 0
        await driver.press("m", "right", "m", "right", "m")  # at once, as a slow line brings them
        await driver.shows("3 marked")
        assert driver.screen.marks == set(found(driver)[:3])
        await driver.press("n")
        await driver.shows("A new cluster of 3 pictures")
        await driver.press("enter")
        await driver.until(lambda: "made a new cluster of 3 pictures (g 3): 3 of them from cluster " in driver.told)
        with project.database() as db:
            latest = clusterings.latest(db)
            assert latest is not None
            made = [c for c in clusterings.clusters_of(db, latest.id) if c.name == "a fish"]
        assert [c.size for c in made] == [3]

        await driver.press("m", "s")
        await driver.shows("Save copies of 1 picture ")
        driver.screen.query_one(Input).value = "out"
        await driver.press("enter")
        await driver.until(lambda: "saved 1 picture to" in driver.told)
        assert len(list((tmp_path / "out" / "pictures").iterdir())) == 1

    drive(project, script)


def test_an_encoder_without_words_says_so_and_searches_by_pictures(project):
    file = next(Path(os.fsdecode(project.directory.parent)).glob("umbrella*"))
    with project.database() as db:
        db.execute("UPDATE encoders SET spec = 'timm:vit_tiny_patch16_224'")

    async def script(driver: Driver) -> None:
        await on_search(driver)
        await driver.shows("knows pictures alone, no words")
        driver.screen.query_one("#query", Input).value = "a fish"
        await driver.shows("knows pictures alone, no words")
        assert not found(driver)
        driver.screen.query_one("#query", Input).value = str(file)[:-1]
        await driver.shows("there is no file")
        driver.screen.query_one("#query", Input).value = str(file)
        await driver.until(lambda: found(driver))
        assert set(kinds(project, found(driver)[:5])) == {"umbrella"}
        await driver.press("enter", "right", "L")
        await driver.until(lambda: driver.screen.like and found(driver)[:1] == driver.screen.like)

    drive(project, script)


def test_more_like_a_picture_from_the_clusters_and_inside_one_of_them(project):
    async def script(driver: Driver) -> None:
        await driver.press("g", "3")
        await driver.until(lambda: driver.screen.query("#list") and driver.screen.pictures)
        number, image = driver.screen.row.number, driver.screen.pictures.ids[0]
        await driver.press("L")
        await driver.until(lambda: driver.app.stage == "search" and found(driver))
        assert found(driver)[0] == image and len(found(driver)) == 64
        await driver.shows("like ")
        await driver.press("i")
        await driver.shows("search inside")
        driver.screen.query_one(Input).value = f"cluster:{number}"
        driver.screen.query_one(Input).focus()
        await driver.press("enter")
        await driver.until(lambda: 0 < len(found(driver)) < 64)
        assert found(driver)[0] == image and f"inside {number}" in driver.text
        await driver.press("z")
        await driver.shows("most like it")
        await driver.press("right", "L")
        await driver.until(lambda: driver.app.screen.query("#query") and driver.screen.like not in ([], [image]))

    drive(project, script)


def test_twins_are_found_shown_and_trashed_in_one_step_that_undo_takes_back(project):
    folder = Path(os.fsdecode(project.directory.parent))
    with project.database() as db:
        before = images.counts(db)

    async def script(driver: Driver) -> None:
        await on_search(driver)
        await driver.press("escape", "w")
        await driver.until(lambda: isinstance(driver.screen, TwinsScreen) and driver.screen.found)
        await driver.press("minus")  # 0.965, and so on: the job begins when the keys have stopped
        for _ in range(12):
            await driver.press("minus")
        await driver.until(lambda: driver.screen.found.threshold == pytest.approx(0.905))
        await driver.until(lambda: driver.screen.groups)
        rest = [image for group in driver.screen.groups for image in group.rest]
        await driver.shows(f"{len(rest):,} picture")
        await driver.shows("kept ★")
        await driver.shows("★ 1: ")
        items = [driver.screen.grid.item(n) for n in range(len(driver.screen.groups[0].rest) + 2)]
        assert [item.tinted for item in items] == [True] * (len(items) - 1) + [False], "the next group begins"
        assert items[-1].caption.startswith("2: ")
        kept, other = driver.screen.groups[0].keep, driver.screen.groups[0].rest[0]
        await driver.press("home", "right", "K")
        assert driver.screen.groups[0].keep == other and kept in driver.screen.groups[0].rest
        rest = [image for group in driver.screen.groups for image in group.rest]
        await driver.press("X")
        await driver.until(lambda: not driver.screen.groups)
        with project.database() as db:
            assert images.counts(db).trashed == before.trashed + len(rest)
        await driver.press("u")
        await driver.until(lambda: driver.screen.groups)
        with project.database() as db:
            assert images.counts(db).trashed == before.trashed
        await driver.press("escape")
        await driver.until(lambda: driver.screen.query("#query"))

    drive(project, script)
    assert folder.is_dir()
