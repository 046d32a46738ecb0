"""Edits of a screen: each a short transaction in a thread of their own, in the order they were asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, ClassVar

from core.catalog import edits
from core.errors import ShoeboxError
from tui.screens.base import ShoeboxScreen

if TYPE_CHECKING:
    from core.catalog.database import Database


class EditingScreen(ShoeboxScreen):
    """A screen that edits the catalog, and undoes."""

    EDITS: ClassVar[edits.Subject] = "clusters"
    """What it undoes: nothing that was done elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self._editor = ThreadPoolExecutor(1, thread_name_prefix="edits")

    def on_unmount(self) -> None:
        """What was asked for is still done."""
        self._editor.shutdown(wait=False)

    def edit(self, do: Callable[[Database], Any], then: Callable[[Any], None] = lambda _: None) -> None:
        """Does an edit in the thread of edits, one after the other, and shows what came of it."""
        self.run_worker(self._edit(do, then), group="edits", exit_on_error=False)

    async def _edit(self, do: Callable[[Database], Any], then: Callable[[Any], None]) -> None:
        project = self.shoebox.project
        assert project is not None

        def work() -> Any:
            with project.database() as db:
                return do(db)

        try:
            done = await asyncio.get_running_loop().run_in_executor(self._editor, work)
        except ShoeboxError as error:
            self.shoebox.report(error)
        else:
            then(done)
        self.refresh_from_catalog()

    def action_undo(self) -> None:
        """Undoes the last edit, of this session or an earlier one."""
        self._time_travel(lambda db: edits.undo(db, of=self.EDITS), "undone")

    def action_redo(self) -> None:
        """Does again what was undone."""
        self._time_travel(lambda db: edits.redo(db, of=self.EDITS), "done again")

    def _time_travel(self, step: Callable[[Database], str | None], word: str) -> None:
        def then(said: str | None) -> None:
            self.notify(f"{word}: {said}" if said else f"nothing to be {word}", timeout=3, markup=False)

        self.edit(step, then)
