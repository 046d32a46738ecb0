"""The grid as its user meets it: on a terminal that remembers what was drawn."""

from __future__ import annotations

import asyncio
import functools
import threading
import time
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image
from rich.color import ColorSystem
from textual._compositor import CompositorUpdate
from textual.app import App
from textual.screen import ModalScreen
from textual.widgets import Static

from core.imaging.thumbnails import make_thumbnail
from tests.programs import PATIENCE
from tests.tui.graphics.emulator import Emulator, difference
from tui.graphics.canvas import canvas_of
from tui.graphics.terminal import Terminal
from tui.widgets.picture_grid import GridItem, PictureGrid

CELL = (8, 16)
SIXEL, KITTY = Terminal("sixel", CELL, truecolor=True), Terminal("kitty", CELL, truecolor=True)
HALF, NONE = Terminal("halfcell", CELL, truecolor=True), Terminal("none", CELL)
PROTOCOLS = pytest.mark.parametrize("terminal", [SIXEL, KITTY, HALF], ids=lambda t: t.graphics)


def driven(test):
    """Runs a test that waits."""

    @functools.wraps(test)
    def run(*args, **kwargs):
        asyncio.run(test(*args, **kwargs))

    return run


COLOURS = [(200, 30, 30), (30, 160, 60), (40, 60, 200), (230, 200, 40), (160, 60, 180), (240, 130, 30)]


def colour_of(image):
    return COLOURS[image % len(COLOURS)]


def thumbnail(key):
    return make_thumbnail(Image.new("RGB", (64, 64), colour_of(int(key))))


class Many:
    """Any number of items, made when they are looked at."""

    def __init__(self, count, first=0):
        self.count, self.first, self.looked = count, first, 0

    def __len__(self):
        return self.count

    def __getitem__(self, position):
        self.looked += 1
        image = self.first + position
        return GridItem(image, str(image).encode(), f"0.{image}", starred=position == 0)


class Screenful(App[None]):
    """A grid beside a text, drawn on an emulator."""

    CSS = "Screen { layout: horizontal; } #side { width: 20; }"

    def __init__(self, terminal, items, thumbnails=thumbnail):
        super().__init__()
        self.console._color_system = ColorSystem.TRUECOLOR
        self.emulator: Any = None
        self.written: list[str] = []
        self.terminal, self.items, self.thumbnails, self.heard = terminal, items, thumbnails, []

    def compose(self):
        yield Static("beside", id="side")
        yield PictureGrid(self.terminal, self.thumbnails)

    def on_mount(self):
        self.grid.set_items(self.items)
        self.grid.focus()

    @property
    def grid(self):
        return self.screen_stack[0].query_one(PictureGrid)

    def _display(self, screen, renderable):
        super()._display(screen, renderable)
        if isinstance(renderable, CompositorUpdate) and not self._batch_count:
            if self.emulator is None or (self.emulator.columns, self.emulator.rows) != self.size:
                self.emulator = Emulator(*self.size, CELL)
            text = renderable.render_segments(self.console)
            self.written.append(text)
            self.emulator.feed(text)

    def on_picture_grid_cursor_moved(self, event):
        self.heard.append(("moved", event.position))

    def on_picture_grid_opened(self, event):
        self.heard.append(("opened", event.position))

    def on_picture_grid_mark_toggled(self, event):
        self.heard.append(("mark", event.position))
        event.grid.update_items({event.position: replace(event.item, marked=not event.item.marked)})


async def until(pilot, condition):
    """Waits until something holds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        await pilot.pause(0.02)


async def settled(pilot):
    """Waits until every preview that is wanted has been drawn, and nothing more is to be."""
    grid, still = pilot.app.grid, 0
    deadline = time.monotonic() + PATIENCE
    while still < 5:
        assert time.monotonic() < deadline, "previews are still to come"
        written = len(pilot.app.written)
        await pilot.pause(0.03)
        at_rest = not grid._previews.busy and grid._timer is None and len(pilot.app.written) == written
        still = still + 1 if at_rest else 0


def tile(app, position):
    """The pixels in the middle of a tile, and whether a picture is there."""
    region = app.grid.picture_region(position).translate(app.grid.scrollable_content_region.offset)
    picture = app.emulator.picture(region.x + 2, region.y + 1, region.width - 4, region.height - 2)
    return picture, app.emulator.has_picture(region.x + 2, region.y + 1)


def assert_shows(app, position, image):
    picture, _ = tile(app, position)
    assert difference(picture, Image.new("RGB", picture.size, colour_of(image))) < 12, position


def bytes_of(app, start):
    return len("".join(app.written[start:]).encode())


@PROTOCOLS
@driven
async def test_each_protocol_shows_every_picture_in_its_place(terminal):
    async with (app := Screenful(terminal, Many(100_000))).run_test(size=(100, 30)) as pilot:
        await settled(pilot)
        assert len(app.grid.visible_positions) >= 8
        for position in app.grid.visible_positions:
            assert_shows(app, position, position)
        assert "beside" in app.emulator.line(0)
        assert "★ 0.0" in "".join(map(app.emulator.line, range(30)))


@PROTOCOLS
@driven
async def test_moving_the_cursor_costs_little_and_draws_no_picture(terminal):
    async with (app := Screenful(terminal, Many(100_000))).run_test(size=(100, 30)) as pilot:
        await settled(pilot)
        sixels, uploads = app.emulator.sixels, app.emulator.uploads
        for key in ("l", "right", "j", "h"):
            start = len(app.written)
            await pilot.press(key)
            await pilot.pause()
            assert 0 < bytes_of(app, start) < 4_000, key
        assert (app.emulator.sixels, app.emulator.uploads) == (sixels, uploads)
        assert app.grid.cursor == app.grid.across + 1
        assert app.heard[-1] == ("moved", app.grid.cursor)
        for position in app.grid.visible_positions:
            assert_shows(app, position, position)


@PROTOCOLS
@driven
async def test_pages_and_ends_of_a_hundred_thousand(terminal):
    async with (app := Screenful(terminal, Many(100_000))).run_test(size=(100, 30)) as pilot:
        await settled(pilot)
        page = len(app.grid.visible_positions)
        await pilot.press("pagedown")
        await settled(pilot)
        assert app.grid.visible_positions == range(page, 2 * page)
        assert app.grid.cursor == page
        await pilot.press("end")
        await settled(pilot)
        assert app.grid.cursor == 99_999
        assert 99_999 in app.grid.visible_positions
        assert_shows(app, 99_999, 99_999)
        await pilot.press("home")
        await settled(pilot)
        assert_shows(app, 0, 0)
        assert app.items.looked < 3_000, "only what is seen is looked at"


@PROTOCOLS
@driven
async def test_after_a_dialog_and_after_another_size_the_pictures_are_there(terminal):
    class Dialog(ModalScreen[None]):
        DEFAULT_CSS = "Dialog { align: center middle; } Dialog Static { width: 10; height: 3; }"

        def compose(self):
            yield Static("a dialog")

    async with (app := Screenful(terminal, Many(500))).run_test(size=(100, 30)) as pilot:
        await settled(pilot)
        await app.push_screen(Dialog())
        await pilot.pause()
        assert not app.emulator.over, "sixel would lie over the dialog"
        assert "a dialog" in "".join(map(app.emulator.line, range(30)))
        await app.pop_screen()
        await settled(pilot)
        for position in app.grid.visible_positions:
            assert_shows(app, position, position)
        await pilot.resize_terminal(80, 24)
        await settled(pilot)
        for position in app.grid.visible_positions:
            assert_shows(app, position, position)
        assert all(0 <= y < 24 and 0 <= x < 80 for x, y in app.emulator.over)


@driven
async def test_a_toast_lies_over_the_pictures_and_leaves_them_whole():
    async with (app := Screenful(SIXEL, Many(500))).run_test(size=(100, 30), notifications=True) as pilot:
        await settled(pilot)
        app.notify("a toast over the pictures", timeout=2 * PATIENCE)
        await until(pilot, lambda: "a toast over the pictures" in "".join(map(app.emulator.line, range(30))))
        app.clear_notifications()
        await until(pilot, lambda: "a toast over the pictures" not in "".join(map(app.emulator.line, range(30))))
        await settled(pilot)
        for position in app.grid.visible_positions:
            assert_shows(app, position, position)


@driven
async def test_what_changes_beside_the_grid_sends_no_picture_again():
    async with (app := Screenful(SIXEL, Many(500))).run_test(size=(100, 30)) as pilot:
        await settled(pilot)
        sixels = app.emulator.sixels
        app.query_one("#side", Static).update("other text\nand more")
        await pilot.pause()
        assert "other text" in app.emulator.line(0)
        assert app.emulator.sixels == sixels


@PROTOCOLS
@driven
async def test_a_cold_screenful_is_sent_once(terminal):
    gate = threading.Event()

    def later(key):
        gate.wait(PATIENCE)
        return thumbnail(key)

    async with (app := Screenful(terminal, Many(500), later)).run_test(size=(100, 30)) as pilot:
        await pilot.pause(0.3)
        gate.set()
        await settled(pilot)
        seen = len(app.grid.visible_positions)
        assert app.emulator.sixels == (seen if terminal is SIXEL else 0)
        assert app.emulator.uploads == (seen if terminal is KITTY else 0)


@driven
async def test_marks_are_the_owners_and_survive_in_place():
    async with (app := Screenful(KITTY, Many(500))).run_test(size=(100, 30)) as pilot:
        await settled(pilot)
        await pilot.press("l", "m", "enter")
        await pilot.pause()
        assert ("mark", 1) in app.heard
        assert ("opened", 1) in app.heard
        assert app.grid.item(1).marked
        assert "● 0.1" in "".join(map(app.emulator.line, range(30)))


@driven
async def test_new_items_leave_the_cursor_on_its_picture():
    async with (app := Screenful(HALF, Many(500))).run_test(size=(100, 30)) as pilot:
        await pilot.press("pagedown", "l")
        image = app.grid.selected_item().image
        top = app.grid.scroll_y
        app.grid.set_items(Many(480, first=3), keep_cursor=True)
        await pilot.pause()
        assert app.grid.selected_item().image == image
        assert app.grid.scroll_y == top
        app.grid.set_items(Many(5))
        await pilot.pause()
        assert (app.grid.cursor, app.grid.scroll_y) == (0, 0)
        app.grid.set_items([])
        await pilot.press("j", "l", "enter", "m", "pagedown", "end")
        assert app.grid.selected_item() is None


@driven
async def test_without_graphics_the_captions_are_browsed():
    async with (app := Screenful(NONE, Many(100_000))).run_test(size=(100, 30)) as pilot:
        await pilot.pause()
        assert len(app.grid.visible_positions) >= 50
        assert "0.1 " in "".join(map(app.emulator.line, range(30)))
        await pilot.press("end")
        await pilot.pause()
        assert "0.99999" in "".join(map(app.emulator.line, range(30)))


@driven
async def test_a_picture_without_preview_says_so_and_holds_nothing_up():
    def some(key):
        if key == b"1":
            return None
        if key == b"2":
            raise OSError("damaged")
        return thumbnail(key) if key != b"3" else b"no picture"

    async with (app := Screenful(KITTY, Many(20), some)).run_test(size=(100, 30)) as pilot:
        await settled(pilot)
        assert "".join(map(app.emulator.line, range(30))).count("no preview") == 3
        assert_shows(app, 4, 4)


@driven
async def test_slow_previews_never_hold_the_keys_up():
    gate = threading.Event()

    def slow(key):
        gate.wait(PATIENCE)
        return thumbnail(key)

    async with (app := Screenful(HALF, Many(500), slow)).run_test(size=(100, 30)) as pilot:
        started = time.monotonic()
        await pilot.press(*"jlhk")
        assert time.monotonic() - started < PATIENCE / 2
        assert not tile(app, 0)[1]
        gate.set()
        await settled(pilot)
        assert_shows(app, 0, 0)


@driven
async def test_nothing_of_ours_stays_in_the_terminal(monkeypatch):
    app = Screenful(KITTY, Many(500))
    async with app.run_test(size=(100, 30)) as pilot:
        await settled(pilot)
        held = set(app.emulator.held)
        sent: list[str] = []
        monkeypatch.setattr(app._driver, "write", sent.append)
        monkeypatch.setattr(Screenful, "is_headless", property(lambda self: False))
        canvas_of(app).release()
        monkeypatch.undo()
        app.emulator.feed("".join(sent))
        assert held
        assert not app.emulator.held


@driven
async def test_larger_and_smaller_keep_the_cursor_in_view():
    async with (app := Screenful(SIXEL, Many(500))).run_test(size=(120, 40)) as pilot:
        await pilot.press("pagedown", "j")
        cursor, seen = app.grid.cursor, len(app.grid.visible_positions)
        await pilot.press("greater_than_sign", "greater_than_sign")
        await settled(pilot)
        assert len(app.grid.visible_positions) < seen
        assert app.grid.cursor == cursor
        assert cursor in app.grid.visible_positions
        assert_shows(app, cursor, cursor)


@driven
async def test_a_click_selects_and_a_double_click_opens():
    async with (app := Screenful(HALF, Many(500))).run_test(size=(100, 30)) as pilot:
        region = app.grid.region_of(app.grid.across + 1)
        await pilot.click(PictureGrid, offset=(region.x + 3, region.y + 3), times=2)
        await pilot.pause()
        assert app.grid.cursor == app.grid.across + 1
        assert ("opened", app.grid.cursor) in app.heard


@driven
async def test_another_look_of_the_cursor_draws_no_picture_and_another_theme_all():
    async with (app := Screenful(SIXEL, Many(500))).run_test(size=(100, 30)) as pilot:
        await settled(pilot)
        sixels, written = app.emulator.sixels, len(app.written)
        app.grid.refresh()  # as Textual does when the focus comes or goes
        await settled(pilot)
        assert len(app.written) > written
        assert app.emulator.sixels == sixels
        app.theme = "textual-light"
        await settled(pilot)
        assert app.emulator.sixels >= sixels + len(app.grid.visible_positions)
        for position in app.grid.visible_positions:
            assert_shows(app, position, position)
