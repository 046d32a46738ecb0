"""The Embed screen: a job watched, held, stopped, left and found again."""

import os
import signal
import time

import pytest

from core.catalog import jobs
from core.jobs.client import Client
from core.jobs.endpoint import knock, worker_lives
from core.project import Project, open_project
from core.settings import Settings
from tests.tui.driving import Driver, drive
from tui.facts import Facts
from tui.launch import last_words
from tui.sorting import sorting
from tui.widgets.embed_figures import lines_of

JOB = sorting(Settings(encoder="pocket", batch_size=4))


@pytest.fixture
def many(many_pictures) -> Project:
    return open_project(many_pictures)


def state_of(project: Project) -> str:
    with project.database() as db:
        return jobs.recent(db)[0].state


def kill_worker(project: Project) -> None:
    lines = knock(project)
    assert lines is not None
    os.kill(lines.peer() or 0, signal.SIGKILL)
    lines.close()


def embedding(driver: Driver):
    """Whether figures are on the screen, some pictures are in and some are to come."""
    progress = driver.job
    return progress.get("stage") == "embedding" and 0 < progress["done"] < progress["total"]


def test_an_embedding_is_shown_as_it_goes_held_gone_on_with_and_done(many):
    async def script(driver: Driver) -> None:
        await driver.until(lambda: embedding(driver))
        await driver.press("p")
        await driver.shows("paused: p goes on")
        await driver.shows("img/s")
        assert "pocket" in driver.text
        held = -1
        while held != (held := driver.job["done"]):
            await driver.pilot.pause(1.5)
        assert held < driver.job["total"]
        await driver.press("p")
        strip, forming = driver.screen.query_one("#strip"), driver.screen.query_one("#forming")
        await driver.until(lambda: strip.item(0) is not None and forming.item(0) is not None)
        assert driver.app.thumbnail(strip.item(0).hash)
        assert forming.item(0).caption.isdecimal()
        await driver.shows("run · done")
        await driver.shows("384 of 384 pictures embedded")
        await driver.shows("clusters: g 3")

    drive(many, script, start=JOB)


def test_a_cancel_stops_it_and_it_goes_on_from_there(many):
    async def script(driver: Driver) -> None:
        await driver.until(lambda: embedding(driver))
        await driver.shows("img/s")
        await driver.shows("CPU")
        await driver.press("c")
        await driver.shows("cancelled: everything done so far is kept")
        done = driver.app.facts.embedded
        await driver.press("e")
        await driver.shows("run · done")
        with many.database() as db:
            assert jobs.recent(db)[0].result["unchanged"] >= done > 0

    drive(many, script, start=JOB, size=(80, 24))


def test_leaving_leaves_it_running_and_coming_back_shows_it(many):
    async def leave(driver: Driver) -> None:
        await driver.until(lambda: embedding(driver))
        await driver.press("p")
        await driver.shows("paused")
        await driver.press("q")

    left = drive(many, leave, start=JOB)
    assert any("shoebox stop" in line for line in last_words(left))
    assert worker_lives(many)
    assert state_of(many) == "running"

    async def come_back(driver: Driver) -> None:
        assert driver.app.stage == "embed"
        await driver.shows("paused: p goes on")
        await driver.press("p")
        await driver.shows("run · done")
        assert last_words(driver.app) == []

    drive(many, come_back)


def test_a_worker_that_dies_is_said_to_and_the_job_goes_on(many):
    async def script(driver: Driver) -> None:
        await driver.until(lambda: embedding(driver))
        kill_worker(many)
        await driver.until(lambda: "the worker died" in driver.told)
        await driver.shows("run · done")
        await driver.shows("384 of 384 pictures embedded")

    drive(many, script, start=JOB)


def test_a_job_that_another_client_adds_is_shown(embedded):
    project = open_project(embedded)

    async def script(driver: Driver) -> None:
        driver.app.go("embed")
        with Client(project) as client:
            client.submit(*JOB)
        await driver.shows("run · done")

    drive(project, script)


def test_what_failed_is_listed_with_its_reason(pictures):
    (pictures / "page.jpg").write_text("<!DOCTYPE html><html><body>Not found</body></html>")

    async def script(driver: Driver) -> None:
        await driver.shows("run · done")
        await driver.shows("1 failed")
        await driver.press("f")
        await driver.shows("page.jpg")
        await driver.shows("1 failure")

    drive(open_project(pictures), script, start=JOB, size=(120, 30))


def test_a_job_that_fails_says_why_and_the_screen_goes_on(tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    project = open_project(empty)

    async def script(driver: Driver) -> None:
        await driver.shows("run · failed")
        assert "there are no pictures in" in driver.text
        await driver.press("g", "1")
        assert driver.app.stage == "source"

    drive(project, script, start=JOB)
    with Client(project) as client:
        client.stop_worker()


def test_any_screen_cancels_the_job_and_says_so_at_once(many):
    async def script(driver: Driver) -> None:
        await driver.until(lambda: embedding(driver))
        assert "cancel job" not in driver.text, "the Embed screen has a key of its own"
        await driver.press("g", "1")
        await driver.shows("^x cancel job", 10)
        await driver.press("ctrl+x")
        assert "run: cancelling" in driver.text or "run cancelled" in driver.text
        await driver.until(lambda: state_of(many) == "cancelled")
        await driver.shows("run cancelled", 20)
        assert "cancel job" not in driver.text

    drive(many, script, start=JOB)


def test_what_is_waited_for_is_told_and_for_how_long():
    def text(state="running", cancel=False, **progress):
        job = jobs.Job(
            1, "embed", "bulk", {}, state, False, cancel, 1, progress, {}, None, time.time() - 9, time.time() - 8, None
        )
        return "\n".join(line.plain for line in lines_of(job, Facts(), [], 80, {"quiet": "", "bad": "", "bar": ""}))

    since = time.time() - 75
    assert "loading · 75 s" in text(stage="loading", message="loading ViT-B-32", since=since)
    assert "loading ViT-B-32" in text(stage="loading", message="loading ViT-B-32", since=since)
    assert "12 MB so far" in text(stage="downloading", what="ViT-B-32", done=12e6, total=None, since=since)
    assert "12 of 600 MB" in text(stage="downloading", what="ViT-B-32", done=12e6, total=600e6, since=since)
    assert "as soon as the encoder is loaded" in text(cancel=True, stage="loading", message="", since=since)
