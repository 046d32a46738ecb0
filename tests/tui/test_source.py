"""The Source screen: from a folder to a job, with what is said before it starts."""

import os
import shutil

import pytest

from core.catalog import images, jobs
from core.errors import UsageError
from core.project import find_project, open_project
from core.settings import Settings
from tests.tui.driving import Driver, drive
from tui.places import completion, count_pictures, list_folders, names_source
from tui.sorting import Wishes, weights_words
from tui.state import recent_projects, state_of, user_state
from tui.widgets.folder_browser import FolderBrowser, FolderList, PathInput


def choose_pocket(driver: Driver) -> None:
    driver.screen.wish("encoder", "pocket")


def test_a_folder_is_counted_shown_sorted_and_its_clusters_counted(pictures, monkeypatch):
    monkeypatch.chdir(pictures.parent)

    async def script(driver: Driver) -> None:
        assert driver.app.project is None
        driver.screen.query_one(FolderList).highlighted = 2
        await driver.shows("64 pictures, ")
        choose_pocket(driver)
        await driver.shows("bundled, nothing to download")
        await driver.press("e")
        await driver.until(lambda: driver.app.stage == "embed")
        await driver.shows("run · done")
        await driver.shows("64 pictures · 64 embedded")

    drive(None, script)
    with find_project(pictures).database() as db:
        assert images.counts(db).images == 64
        assert [job.state for job in jobs.recent(db)] == ["done"]


def test_a_download_is_said_and_asked_about_before_anything_starts(project):
    async def script(driver: Driver) -> None:
        await driver.shows("605 MB would be downloaded")
        await driver.press("e")
        await driver.shows("before it starts")
        assert "605 MB" in driver.text
        await driver.press("n")
        assert driver.app.stage == "source"

    drive(project, script)
    with project.database() as db:
        assert not jobs.recent(db)


def test_recent_projects_are_listed_with_their_counts_and_open(embedded, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    drive(open_project(embedded), lambda driver: driver.pilot.pause())

    async def script(driver: Driver) -> None:
        await driver.press("r")
        await driver.until(lambda: "embedded  64" in driver.text)
        await driver.press("j", "enter")
        await driver.until(lambda: driver.app.project == find_project(embedded))
        await driver.shows("64 pictures · 64 embedded")

    drive(open_project(other), script)


def test_typing_a_path_walks_there_and_tab_completes(project, tmp_path):
    (tmp_path / "holiday" / "beach").mkdir(parents=True)

    async def script(driver: Driver) -> None:
        await driver.press("slash")
        field = driver.screen.query_one(PathInput)
        field.value = ""
        await driver.press(*str(tmp_path / "holi"))
        await driver.until(lambda: field._suggestion.endswith("holiday/"))
        await driver.press("tab")
        assert field.value == f"{tmp_path}/holiday/"
        await driver.shows("beach/")
        await driver.press("enter")
        browser = driver.screen.query_one(FolderBrowser)
        await driver.until(lambda: browser.folder == os.fsencode(tmp_path / "holiday"))
        await driver.press("h")
        await driver.until(lambda: browser.folder == os.fsencode(tmp_path))
        assert browser.place == os.fsencode(tmp_path / "holiday")

    drive(project, script)


def test_a_folder_that_cannot_be_opened_says_why(project):
    async def script(driver: Driver) -> None:
        await driver.press("slash")
        driver.screen.query_one(PathInput).value = "/nowhere/at/all"
        await driver.press("enter")
        await driver.until(lambda: "No such file" in driver.told)

    drive(project, script)


def test_settings_are_chosen_from_a_list_and_kept(project):
    async def choose(driver: Driver) -> None:
        await driver.press("s", "j", "j", "j", "enter")
        await driver.shows("6 groups")
        await driver.press("slash", "seven", "enter")
        await driver.press("slash")
        driver.screen.query_one("Input").value = "0"
        await driver.press("enter")
        assert "out of range" in driver.text
        driver.screen.query_one("Input").value = "7"
        await driver.press("enter")
        await driver.shows("clusters 7")

    async def look(driver: Driver) -> None:
        assert driver.screen.wishes.clusters == "7"

    drive(project, choose)
    drive(project, look)


def test_wishes_become_the_job_that_the_command_would_add():
    kind, params = Wishes("pocket", "cpu", "balanced", "4", "0.05").job(Settings(seed=3))
    assert kind == "run"
    assert params["settings"]["encoder"] == "pocket"
    assert params["settings"]["device"] == "cpu"
    assert (params["clustering"]["clusters"], params["clustering"]["min_cluster_ratio"]) == (4, 0.05)
    assert params["clustering"]["seed"] == 3


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("clusters", "many"),
        ("device", "toaster"),
        ("encoder", "nonsense"),
        ("method", "magic"),
        ("min_cluster_ratio", "2"),
    ],
)
def test_a_wish_that_cannot_be_is_refused(name, value):
    with pytest.raises(UsageError):
        Wishes().with_value(name, value)


def test_what_would_be_downloaded_is_known_without_asking_a_network():
    assert weights_words("pocket") == ("weights: bundled, nothing to download", False)
    assert weights_words("timm:vit_small_patch14_dinov2.lvd142m")[1]


def test_folders_are_listed_completed_and_counted(tmp_path):
    for name in ("alpha", "alpine", "beta", ".hidden", "x.shoebox"):
        (tmp_path / name).mkdir()
    (tmp_path / "alpha" / "one.jpg").write_bytes(b"1234")
    (tmp_path / "alpha" / "notes.md").write_bytes(b"no picture")
    root = os.fsencode(tmp_path)
    assert list_folders(root).folders == (b"alpha", b"alpine", b"beta")
    assert list_folders(root + b"/nowhere").error
    assert completion(f"{tmp_path}/al") == f"{tmp_path}/alp"
    assert completion(f"{tmp_path}/alph") == f"{tmp_path}/alpha/"
    assert completion(f"{tmp_path}/zz") is None
    counted = count_pictures(root, stop=lambda: False)
    assert (counted.pictures, counted.size, counted.complete) == (1, 4, True)
    assert counted.first == (os.path.join(root, b"alpha", b"one.jpg"),)
    assert not count_pictures(root, stop=lambda: True).complete


def test_what_is_downloaded_is_told_from_folders(tmp_path):
    (tmp_path / "list.txt").write_text("")
    assert names_source("s3://bucket") == "s3://bucket" and names_source("reddit:cats") == "reddit:cats"
    assert names_source("list.txt", os.fsencode(tmp_path)) == str(tmp_path / "list.txt")
    assert not names_source(str(tmp_path)) and not names_source("none.txt", os.fsencode(tmp_path))


def test_a_recent_project_is_forgotten_and_nothing_of_it_deleted(embedded, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    drive(open_project(embedded), lambda driver: driver.pilot.pause())

    async def script(driver: Driver) -> None:
        await driver.press("r", "j")
        await driver.until(lambda: "embedded  64" in driver.text)
        await driver.shows("d forget", 10)
        await driver.press("d")
        assert "embedded  64" not in driver.text

    drive(open_project(other), script)
    assert recent_projects(user_state()) == [other / ".shoebox"]
    assert find_project(embedded)


def test_the_folder_cursor_is_where_it_was_left(project, tmp_path):
    for name in ("bridges", "clouds", "doors"):
        (tmp_path / "walks" / name).mkdir(parents=True)

    async def leave(driver: Driver) -> None:
        driver.screen.query_one(FolderBrowser).go(os.fsencode(tmp_path / "walks"), b"clouds")
        await driver.until(lambda: driver.screen.query_one(FolderBrowser).place.endswith(b"/walks/clouds"))
        await driver.pilot.pause()

    async def look(driver: Driver) -> None:
        await driver.until(lambda: driver.screen.query_one(FolderBrowser).place.endswith(b"/walks/clouds"), 20)

    async def look_elsewhere(driver: Driver) -> None:
        beside = os.fsencode(project.directory.parent)
        await driver.until(lambda: driver.screen.query_one(FolderBrowser).place == beside, 20)

    drive(project, leave)
    drive(project, look)
    shutil.rmtree(tmp_path / "walks")
    drive(project, look_elsewhere)


def test_weights_of_a_file_stay_those_of_the_project():
    assert weights_words("pocket", "/models/mine.safetensors") == (
        "weights: mine.safetensors: nothing to download",
        False,
    )
    again = Wishes("timm:vit_tiny").job(Settings(), "timm:vit_tiny")
    assert again[1]["settings"]["encoder"] == "", "the worker takes the project's last, with its weights"
    other = Wishes("pocket").job(Settings(), "timm:vit_tiny")
    assert other[1]["settings"]["encoder"] == "pocket"


def test_weights_that_were_given_are_named_and_go_with_no_other_encoder(project):
    mine = "/models/mine.safetensors"
    given = Settings(weights=mine)
    wishes = Wishes.of(given, "pocket", {})
    assert wishes.job(given, "pocket")[1]["settings"]["weights"] == mine
    other = wishes.with_value("encoder", "pocket").job(given, "pocket")[1]["settings"]
    assert (other["encoder"], other["weights"]) == ("pocket", "")

    async def script(driver: Driver) -> None:
        await driver.shows("encoder     mine.safetensors", 10)
        await driver.shows("your own, from this file", 10)

    drive(project, script, given={"weights": mine})


def test_what_was_chosen_gives_way_to_the_environment_and_that_to_the_command_line(project, monkeypatch):
    kept = state_of(project)
    kept["wishes"] = {"encoder": "open_clip:RN50/openai", "clusters": "7"}
    kept.save()
    monkeypatch.setenv("SHOEBOX_ENCODER", "timm:vit_tiny_patch16_224")

    async def by_environment(driver: Driver) -> None:
        await driver.shows("encoder     vit_tiny_patch16_224", 10)
        assert driver.screen.wishes.clusters == "7", "of which the environment says nothing"

    async def by_command_line(driver: Driver) -> None:
        await driver.shows("encoder     pocket", 10)

    drive(project, by_environment)
    drive(project, by_command_line, given={"encoder": "pocket"})
