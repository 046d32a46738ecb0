"""Drives the app as a user does: keys in, the screen's text out."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from typing import Any

from core.project import Project
from tests.programs import PATIENCE
from tui.app import ShoeboxApp
from tui.graphics.terminal import Terminal

HALFCELL = Terminal("halfcell", (10, 20), truecolor=True)
Script = Callable[["Driver"], Awaitable[None]]


class Driver:
    """An app that runs, with what a test does to it."""

    def __init__(self, app: ShoeboxApp, pilot, notes: list[str]) -> None:
        self.app = app
        self.pilot = pilot
        self._notes = notes

    @property
    def text(self) -> str:
        """What is on the screen."""
        return "\n".join(strip.text for strip in self.app.screen._compositor.render_strips())

    @property
    def screen(self) -> Any:
        """The screen on top."""
        return self.app.screen

    @property
    def job(self) -> dict[str, Any]:
        """The progress of the job that the app shows."""
        return self.app.job.progress if self.app.job else {}

    @property
    def told(self) -> str:
        """What the app has told beside its screens, for however short."""
        return "\n".join(self._notes)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        for _ in range(2):  # what a key sets off may take some turns
            await self.pilot.pause()

    async def until(self, condition: Callable[[], object], seconds: float = PATIENCE) -> None:
        """Waits until something holds; says what was on the screen if it never does."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"waited in vain; on the screen:\n{self.text}")
            await self.pilot.pause(0.05)

    async def shows(self, text: str, seconds: float = PATIENCE) -> None:
        """Waits until a text is on the screen."""
        await self.until(lambda: text in self.text, seconds)


def drive(project: Project | None, script: Script, *, size: tuple[int, int] = (110, 30), **given) -> ShoeboxApp:
    """Runs the app on a project through `script`."""
    app = ShoeboxApp(project, given.pop("terminal", HALFCELL), os.environ, **given)

    notes: list[str] = []
    notify = app.notify

    def note(message: str, **options: Any) -> None:
        notes.append(message)
        notify(message, **options)

    app.notify = note  # type: ignore[method-assign]

    async def run() -> None:
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await script(Driver(app, pilot, notes))

    asyncio.run(run())
    return app
