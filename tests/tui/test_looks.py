"""What was seen to look wrong in real terminals, and shall not again."""

import asyncio
import os

from tests.tui.driving import HALFCELL, Driver, drive
from tui import doctor
from tui.app import ShoeboxApp
from tui.graphics.terminal import Terminal
from tui.themes import OURS, fitting, load_themes
from tui.widgets.folder_browser import PathInput
from tui.widgets.status_line import StatusLine
from tui.widgets.toast import LastingToast


def test_what_was_typed_and_not_taken_leaves_the_field(project):
    async def script(driver: Driver) -> None:
        driver.app.go("source")
        await driver.until(lambda: driver.screen.query(PathInput))
        field = driver.screen.query_one(PathInput)
        await driver.until(lambda: "pictures" in field.value)
        before = field.value
        await driver.press("slash", "ctrl+u", *"reddit:cats")
        assert field.value == "reddit:cats"
        await driver.press("escape")
        await driver.until(lambda: field.value == before)

    drive(project, script)


def test_words_that_come_and_go_leave_the_lines_below_to_be_read(project):
    app = ShoeboxApp(project, HALFCELL, os.environ)

    async def script() -> None:
        async with app.run_test(size=(110, 30), notifications=True) as pilot:
            driver = Driver(app, pilot, [])
            app.notify("for a moment")
            await driver.shows("for a moment")
            toast = app.screen.query_one(LastingToast).region
            assert toast.bottom <= app.screen.query_one(StatusLine).region.y
            assert toast.width < 30, "no wider than what it says"

    asyncio.run(script())


def test_a_terminal_begins_with_a_theme_that_its_colours_can_show():
    themes, _ = load_themes([OURS])
    terminals = (
        ({"TERM": "xterm-256color"}, True),
        ({"TERM": "xterm-256color"}, False),
        ({"TERM": "linux"}, False),
    )
    many, some, few = (themes[fitting(environment, truecolor=truecolor)] for environment, truecolor in terminals)
    assert few.ansi
    assert not some.ansi and not many.ansi
    greys = (some.background, some.surface, some.panel)
    assert all(colour[1:3] == colour[3:5] == colour[5:7] for colour in greys if colour), "which 256 colours have"


def test_what_doctor_says_is_broken_between_words_and_stays_in_its_column():
    findings = doctor.examine(Terminal("halfcell", multiplexer="tmux"), {"TERM": "tmux"})
    lines = doctor.text(findings, 60).splitlines()
    assert all(len(line) <= 60 or " " not in line.strip("-> ") for line in lines)
    assert all(line[0] in "✓!✗ " for line in lines)
    assert len(lines) > len(doctor.text(findings).splitlines())
    assert " ".join("".join(lines).split()) == " ".join("".join(doctor.text(findings).splitlines()).split())
