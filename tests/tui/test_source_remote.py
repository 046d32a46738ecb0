"""The Source screen with what is downloaded: said before, watched, and what failed tried again."""

import os

import pytest
from textual.widgets import Input, Select

from core.catalog import downloads, sources
from core.project import Project, find_project
from tests.sources.servers import S3, Archive, Web, serves
from tests.sources.test_reddit import posts
from tests.tui.driving import Driver, drive
from tui.widgets.folder_browser import PathInput


@pytest.fixture
def web(drawn):
    with Web({f"/{file.name}": serves(file.data) for file in drawn[:40]}) as web:
        yield web


@pytest.fixture
def here(tmp_path, monkeypatch):
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    yield folder
    for project in folder.glob("*.shoebox"):
        stop_worker_of(project)


def stop_worker_of(directory) -> None:
    from core.jobs.client import Client

    with Client(find_project(None, directory)) as client:
        client.stop_worker()


async def name(driver: Driver, text: str) -> None:
    """Types a source as a user does."""
    await driver.press("slash")
    driver.screen.query_one(PathInput).value = text
    await driver.press("enter")


async def choose(driver: Driver, **given) -> None:
    """Fills in the form of options."""
    await driver.press("o")
    await driver.until(lambda: driver.screen.query("#take"))
    for option, value in given.items():
        widget = driver.screen.query_one(f"#{option}")
        assert isinstance(widget, Input | Select)
        widget.value = value
    await driver.press("ctrl+s")
    await driver.until(lambda: driver.app.stage == "source" and driver.screen.query("#count"))


def counted(project: Project) -> downloads.Counts:
    with project.database() as db:
        return downloads.counts(db)


def test_a_list_is_foreseen_downloaded_watched_and_what_failed_tried_again(here, web, drawn):
    files = [file for file in drawn[:40] if "small" not in file.name][:30]
    urls = [f"{web.url}/{file.name}" for file in files] + [f"{web.url}/gone.jpg"]
    (here / "pile.txt").write_text("\n".join([*urls, urls[0], "nonsense"]))

    async def script(driver: Driver) -> None:
        await name(driver, "pile.txt")
        await driver.shows("31 URLs, 1 listed twice, 1 line passed over")
        driver.screen.wish("encoder", "pocket")
        await driver.shows("bundled, nothing to download")
        await choose(driver, allow_private=True)
        await driver.shows("o: private")
        await driver.press("e")
        await driver.shows("Download and sort")
        assert "31 URLs" in driver.text and "pile.shoebox" in driver.text
        await driver.press("y")
        await driver.until(lambda: driver.app.stage == "embed")
        await driver.until(lambda: driver.app.job is not None and driver.app.job.ended)
        await driver.shows("30 downloaded")
        assert "1 not found" in driver.text and "30 pictures · 30 embedded" in driver.text
        await driver.press("f")
        await driver.shows("1 failure")
        assert "/gone.jpg" in driver.text
        await driver.press("escape")

        web.routes["/gone.jpg"] = serves(drawn[45].data)
        await driver.press("r")
        await driver.until(lambda: counted(find_project(None, here / "pile.shoebox")).done == 31)
        await driver.until(lambda: not driver.app.unfinished)

    drive(None, script)
    assert counted(find_project(None, here / "pile.shoebox")).failed == 0


def test_a_folder_of_lists_and_a_bucket_are_foreseen_and_options_stay_with_the_source(here, web, drawn):
    (here / "lists").mkdir()
    (here / "lists" / "a.txt").write_text(f"{web.url}/x.jpg")
    web.routes["/pics*"] = S3("pics", {f"{i:03}.jpg": drawn[i].data for i in range(40)}, key="AK", secret="SK")
    os.environ.update({"AWS_ACCESS_KEY_ID": "AK", "AWS_SECRET_ACCESS_KEY": "SK", "AWS_EC2_METADATA_DISABLED": "true"})
    try:

        async def script(driver: Driver) -> None:
            await name(driver, str(here / "lists"))
            await driver.shows("1 URL")
            await name(driver, "s3://pics")
            await driver.shows("pics")
            await choose(driver, endpoint=web.url, sample="4")
            await driver.shows("40 pictures")
            assert "a sample of 4" in driver.text
            driver.screen.wish("encoder", "pocket")
            await driver.shows("bundled, nothing to download")
            await driver.press("e")
            await driver.shows("Download and sort s3://pics?")
            await driver.press("y")
            await driver.until(lambda: driver.app.stage == "embed")
            await driver.until(lambda: driver.app.job is not None and driver.app.job.ended)

        drive(None, script)
    finally:
        for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_EC2_METADATA_DISABLED"):
            del os.environ[variable]
    project = find_project(None, here / "pics.shoebox")
    assert counted(project).done == 4
    with project.database() as db:
        assert [(s.options["sample"], s.options["endpoint"]) for s in sources.all_sources(db)] == [(4, web.url)]


def test_a_subreddit_is_named_with_its_dates_downloaded_and_gone_on_with(here, web, drawn, monkeypatch):
    monkeypatch.setenv("SHOEBOX_REDDIT_ARCHIVE", web.url)
    files = [file for file in drawn[:40] if "small" not in file.name]
    found = posts(6)
    for post, file in zip(found, files, strict=False):
        post["url"] = f"{web.url}/{file.name}"
    archive = web.routes["/api/posts/search"] = Archive(found, page=4)

    async def sort(driver: Driver) -> None:
        await driver.press("e")
        await driver.shows("Download and sort reddit:cats?")
        await driver.press("y")
        await driver.until(lambda: driver.app.stage == "embed")
        await driver.until(lambda: driver.app.job is not None and driver.app.job.ended)

    async def script(driver: Driver) -> None:
        await name(driver, "reddit:cats")
        await driver.shows("is not known beforehand")
        driver.screen.wish("encoder", "pocket")
        await driver.shows("bundled, nothing to download")
        after = found[2]["created_utc"]
        await choose(driver, after=str(after), limit="3", allow_private=True)
        await driver.shows(f"after {after}, at most 3")
        await sort(driver)
        await driver.shows("3 downloaded")
        kept = counted(find_project(None, here / "reddit-cats.shoebox"))
        assert (kept.known, kept.done) == (3, 3)

        await driver.press("g", "1")
        await driver.shows("known so far: 3 URLs, 3 of them here")
        await choose(driver, limit="", allow_private=True)
        asked = len(archive.limits)
        await sort(driver)
        await driver.until(lambda: counted(find_project(None, here / "reddit-cats.shoebox")).done == 4)
        assert len(archive.limits) > asked

    drive(None, script)
    assert not any(f"/{file.name}" in web.counts for file in files[:2]), "they are older than was asked for"


def test_what_names_no_source_is_said_and_nothing_begins(here):
    async def script(driver: Driver) -> None:
        await name(driver, "https://example.org/a.jpg")
        await driver.until(lambda: "a URL by itself is no source" in driver.told)
        await name(driver, "reddit:not a name")
        await driver.until(lambda: "is no name of a subreddit" in driver.told)
        await driver.press("e")
        assert driver.app.stage == "source"

    drive(None, script)
    assert not list(here.glob("*.shoebox"))
