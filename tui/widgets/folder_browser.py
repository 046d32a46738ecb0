"""Walks the folders of this machine: a field to type a path, and the folders of where one stands."""

from __future__ import annotations

import asyncio
import os
from typing import Any, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.suggester import Suggester
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option
from textual.worker import get_current_worker

from core.catalog.paths import shown
from core.sources.places import names_remote
from tui.facts import short_path
from tui.places import Listing, completion, expanded, list_folders, names_source
from tui.widgets.cluster_list import middle_cut
from tui.widgets.vim_list import VimList

HERE, PARENT = "▸ this folder", "↑ .."


class _Paths(Suggester):
    """Goes on with a typed path as far as it is clear."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)

    async def get_suggestion(self, value: str) -> str | None:
        return await asyncio.to_thread(completion, value)


class PathInput(Input):
    """A field for a path: tab completes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "complete", "Complete", id="path.complete"),
        Binding("down", "screen.browse", "To the folders", show=False, id="path.down"),
        Binding("escape", "screen.browse", "Folders", id="path.leave"),
    ]

    def action_complete(self) -> None:
        """Takes what the path goes on with; where that is nothing, goes to the next widget."""
        if self._suggestion and self._suggestion != self.value:
            self.action_cursor_right()
        else:
            self.screen.focus_next()


class FolderList(VimList):
    """The folders of one folder."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("l,right", "select", "Open", show=False, id="folders.open"),
        Binding("h,left,backspace", "screen.parent", "Parent folder", show=False, id="folders.parent"),
    ]


class FolderBrowser(Vertical):
    """`place` is the folder under the cursor, `folder` the one that is listed."""

    class Moved(Message):
        """The cursor stands on another folder."""

        def __init__(self, place: bytes) -> None:
            super().__init__()
            self.place = place

    class Chosen(Message):
        """The folder that is listed was chosen."""

        def __init__(self, place: bytes) -> None:
            super().__init__()
            self.place = place

    class Named(Message):
        """A place was typed whose pictures are downloaded."""

        def __init__(self, place: str) -> None:
            super().__init__()
            self.place = place

    class Later(Message):
        """A place was typed that cannot be read; `words` say why."""

        def __init__(self, words: str) -> None:
            super().__init__()
            self.words = words

    def __init__(self, folder: bytes, cursor: bytes = b"", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.folder = folder
        self._first_cursor = cursor
        self._listing = Listing(folder, ())
        self._named = ""
        """The place of another kind that was typed last, until a folder is shown again."""

    def compose(self) -> ComposeResult:
        """Its parts."""
        yield PathInput(placeholder="a folder; or a list.txt, reddit:NAME, s3://BUCKET", suggester=_Paths())
        yield FolderList()

    def on_mount(self) -> None:
        """Begins."""
        self.go(self.folder, self._first_cursor)

    @property
    def place(self) -> bytes:
        """The folder under the cursor."""
        row = self.query_one(FolderList).highlighted
        if row is None or row == 0:
            return self.folder
        if row == 1:
            return os.path.dirname(self.folder)
        return os.path.join(self.folder, self._listing.folders[row - 2])

    @work(thread=True, exclusive=True, group="list", exit_on_error=False)
    def go(self, folder: bytes, cursor: bytes = b"") -> None:
        """Lists a folder, with the cursor on the one called `cursor`, or on the folder itself."""
        listing = list_folders(folder)
        self.app.call_from_thread(self._show, listing, cursor)

    def go_up(self) -> None:
        """Lists the parent, with the cursor on where it came from."""
        parent = os.path.dirname(self.folder)
        if parent != self.folder:
            self.go(parent, os.path.basename(self.folder))

    def _show(self, listing: Listing, cursor: bytes) -> None:
        if listing.error:
            self.post_message(self.Later(f"{short_path(listing.path)}: {listing.error}"))
            return
        self.folder, self._listing, self._named = listing.path, listing, ""
        rows = [Option(HERE), Option(PARENT), *(Option(self._line(name)) for name in listing.folders)]
        if listing.more:
            rows.append(Option(f"  … {listing.more:,} more: type the path", disabled=True))
        folders = self.query_one(FolderList)
        folders.set_options(rows)
        folders.highlighted = listing.folders.index(cursor) + 2 if cursor in listing.folders else 0
        if not self.query_one(PathInput).has_focus:
            self._say_where()
        self.post_message(self.Moved(self.place))

    def _line(self, name: bytes) -> Content:
        """A folder of the list: names that differ at the end are cut in the middle."""
        width = self.query_one(FolderList).scrollable_content_region.width
        return Content(f"  {middle_cut(shown(name), width - 3) if width > 8 else shown(name)}/")

    def on_resize(self) -> None:
        """The names of the folders are cut anew."""
        self.call_after_refresh(self._fit)

    def _fit(self) -> None:
        folders = self.query_one(FolderList)
        for at, name in enumerate(self._listing.folders[: folders.option_count - 2], start=2):
            if folders.get_option_at_index(at).prompt != (line := self._line(name)):
                folders.replace_option_prompt_at_index(at, line)

    def _say_where(self) -> None:
        """The field says which pictures are meant, whatever was being typed."""
        path = self.query_one(PathInput)
        with path.prevent(Input.Changed):
            path.value = self._named or short_path(self.folder)
            path.cursor_position = len(path.value)

    def on_descendant_blur(self) -> None:
        """What was typed and not taken is gone."""
        if not self.query_one(PathInput).has_focus:
            self._say_where()

    @on(OptionList.OptionHighlighted)
    def _moved(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        self.post_message(self.Moved(self.place))

    @on(OptionList.OptionSelected)
    def _opened(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        if event.option_index == 0:
            self.post_message(self.Chosen(self.folder))
        elif event.option_index == 1:
            self.go_up()
        else:
            self.go(self.place)

    @on(Input.Changed)
    def _typing(self, event: Input.Changed) -> None:
        """Follows what is typed: the cursor goes to the first folder that begins so."""
        event.stop()
        if event.value and not names_remote(event.value):
            self._follow(event.value)

    @work(thread=True, exclusive=True, group="list", exit_on_error=False)
    def _follow(self, text: str) -> None:
        path = expanded(text, self.folder)
        if text.endswith("/") or os.path.isdir(path):
            listing, cursor = list_folders(path), b""
        else:
            listing = list_folders(os.path.dirname(path))
            start = os.path.basename(path)
            cursor = next((name for name in listing.folders if name.startswith(start)), b"")
        if not listing.error and not get_current_worker().is_cancelled:
            self.app.call_from_thread(self._show, listing, cursor)

    @on(Input.Submitted)
    def _typed(self, event: Input.Submitted) -> None:
        event.stop()
        text = event.value.strip()
        if place := names_source(text, self.folder):
            self.workers.cancel_group(self, "list")  # what was typed is no folder after all
            self._named = text
            self.post_message(self.Named(place))
            self.query_one(FolderList).focus()
        elif text:
            self.go(expanded(text, self.folder))
            self.query_one(FolderList).focus()
