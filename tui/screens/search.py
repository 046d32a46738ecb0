"""The Search screen: pictures by words, by pictures, or both, as one types; and near-twins behind `w`."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input, Static

from core.catalog import annotation, clusterings
from core.errors import ShoeboxError
from core.search.query import parse_query
from tui import reading
from tui.figures import count
from tui.screens.results import ResultsScreen
from tui.searching import Answer, Searcher

if TYPE_CHECKING:
    from core.catalog.database import Database
    from tui.sorting import Option

TYPED_SECONDS = 0.01
"""After the last key the question is asked: what comes in one burst is one question."""
MOST = 300
"""Results: a few screenfuls."""
MOST_RECENT = 30
STATE = "search"
HINT = 'as a caption says it: a red car at night · weights and away from: cat:1.0 -dog:0.5 · "held together"'
BY_PICTURE = "type the path of a picture, or press L on one in the clusters (g 3)"
PATH_BEGINS = ("/", "./", "../", "~/")
"""What is typed so is the path of a picture to search by."""


class QueryInput(Input):
    """The line for a query. Up and down go through earlier ones."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "screen.recent(1)", "Earlier", id="query.earlier", tooltip="earlier queries"),
        Binding("down", "screen.recent(-1)", "Later", show=False, id="query.later"),
        Binding("escape", "screen.to_grid", "To the pictures", id="query.leave"),
    ]


class SearchScreen(ResultsScreen):
    """One line to type in, and what it finds."""

    STAGE = "search"
    CSS_PATH = "search.tcss"
    AUTO_FOCUS = "QueryInput"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "type", "Type", key_display="/", id="search.type"),
        Binding("L", "like", "More like it", id="search.like", tooltip="the marked, or the one under the cursor"),
        Binding("i", "inside", "Inside", id="search.inside", tooltip="only in a cluster, or in a class"),
        Binding("w", "twins", "Twins", id="search.twins", tooltip="pictures so alike that one is enough"),
        Binding("escape", "clear", "Clear", show=False, id="search.clear", tooltip="no picture, no cluster, no words"),
    ]

    class Answered(Message, bubble=False):
        """The worker said something."""

        def __init__(self, answer: Answer) -> None:
            super().__init__()
            self.answer = answer

    def __init__(self) -> None:
        super().__init__()
        self._state = self.shoebox.state
        self.like: list[int] = []
        """Pictures that are searched by."""
        self._like_names: list[str] = []
        self._inside: tuple[str, str, str] = ("", "", "")
        self._copies: dict[int, list[int]] = {}
        self._searcher: Searcher | None = None
        self._asked = self._shown = 0
        self._typed: Timer | None = None
        self._earlier = -1
        self.answer: dict[str, Any] = {}
        """What is shown: the result of the job `search`, and `waited`, in seconds; empty where nothing was asked."""

    def compose_body(self) -> ComposeResult:
        """The line, what is said of it, the pictures."""
        with Vertical(id="body"):
            yield QueryInput(placeholder="what the pictures show", compact=True, id="query")
            yield Static("", id="terms", markup=False)
            yield from self.compose_grid()

    @property
    def _query(self) -> Input:
        return self.query_one("#query", Input)

    def on_mount(self) -> None:
        """With the query that was left."""
        kept = self._memory.get("query")
        with self._query.prevent(Input.Changed):
            self._query.value = kept if isinstance(kept, str) else ""
        self._say()
        if self._query.value and self.shoebox.handed is None:
            self._ask()
            self.action_to_grid()

    def on_unmount(self) -> None:
        """The question that is open is nobody's any more."""
        if self._searcher is not None:
            self._searcher.leave()

    def on_screen_resume(self) -> None:
        """Another screen may have handed over a picture to search by."""
        super().on_screen_resume()
        if (image := self.shoebox.handed) is not None:
            self.shoebox.handed = None
            self.search_like([image])

    def leaving(self) -> None:
        """Who comes back comes to what was found."""
        if self.pictures:
            self.action_to_grid()

    @property
    def _memory(self) -> dict[str, Any]:
        kept = self._state.get(STATE)
        return kept if isinstance(kept, dict) else {}

    # Asking

    @on(Input.Changed, "#query")
    def _changed(self) -> None:
        if self._typed is not None:
            self._typed.stop()
        self._typed = self.set_timer(TYPED_SECONDS, self._ask)

    @on(Input.Submitted, "#query")
    def _submitted(self) -> None:
        self._ask()
        self._remember()
        self.action_to_grid()

    def _ask(self) -> None:
        """Asks the worker, unless there is nothing to ask yet."""
        if self._typed is not None:
            self._typed.stop()
            self._typed = None
        query, file = self._wanted()
        project = self.shoebox.project
        self._asked += 1
        if project is None or not (query or file or self.like):
            self._shown, self.answer, self._copies = self._asked, {}, {}
            self.show_found([], {})
            self._say()
            return
        if self._searcher is None:
            tell = lambda answer: self.post_message(self.Answered(answer))  # noqa: E731
            self._searcher = Searcher(project, self.shoebox.environment, tell)
            self._searcher.start()
        kind, value, _ = self._inside
        settings = dataclasses.asdict(self.shoebox.settings)
        params = {"settings": settings, "query": query, "like_images": self.like, "most": MOST}
        params |= {"like": [file]} if file else {}
        self._searcher.ask(self._asked, params | ({kind: value} if kind else {}))
        if not self.pictures:
            self._say(waits="searching …")

    def _wanted(self) -> tuple[str, str]:
        """What is typed, as words or as a picture's path; neither where more is to come, or words are not known."""
        typed = self._query.value.strip()
        if typed.startswith(PATH_BEGINS):
            path = Path(typed).expanduser()
            return "", str(path.absolute()) if path.is_file() else ""
        try:
            parse_query(typed)
        except ShoeboxError:
            typed = ""  # "-" alone, say
        return "" if self._knows_no_words else typed, ""

    @property
    def _knows_no_words(self) -> bool:
        return self.facts.encoder.startswith("timm:")

    def on_search_screen_answered(self, message: Answered) -> None:
        """Shows what came, unless something newer is shown already."""
        answer = message.answer
        if answer.number < self._shown or not self.is_attached:
            return
        if answer.waits or answer.error:
            if answer.number == self._asked:
                self._say(answer.waits, answer.error)
            return
        self._shown, self.answer = answer.number, answer.result | {"waited": answer.seconds}
        images = [copies[0] for copies in answer.result["images"]]
        self._copies = {copies[0]: copies for copies in answer.result["images"] if len(copies) > 1}
        self.show_found(images, dict(zip(images, answer.result["scores"], strict=True)))
        self._say()

    def refresh_from_catalog(self) -> None:
        """What is in the trash by now is found no more."""
        gone = {"trashed": self.facts.trashed, "missing": self.facts.missing}
        if self.answer and self.answer.setdefault("gone", gone) != gone:
            self.answer["gone"] = gone
            self._ask()

    # What is said

    def _say(self, waits: str = "", error: str = "") -> None:
        """The line below the query: what it is read as, where it is searched, what that took."""
        line = self.query_one("#terms", Static)
        long = bool(error) or self._knows_no_words  # shown whole, in several lines if need be
        line.set_class(long, "-long").set_class(bool(error), "-error")
        line.update(error or waits or self._words(), layout=long)
        line.tooltip = error or None

    def _words(self) -> str:
        parts = [f"like {', '.join(self._like_names[:3])}"] if self._like_names else []
        if self._inside[0]:
            parts.append(f"inside {self._inside[2]}")
        if not self.answer:
            return " · ".join([*parts, self._hint()])
        terms = self.answer["terms"]
        if len(terms) > 1 or any(term["weight"] != 1 for term in terms):
            parts.append("  ".join(f"{term['weight']:+g} {term['text']}" for term in terms))
        found = len(self.answer["images"])
        parts.append(f"{found:,} of {count(self.answer['searched'], 'picture')} in {self.answer['waited']:.2f} s")
        if self.answer["scale"] == "deviations":
            parts.append("scores in standard deviations")
        return " · ".join(parts)

    def _hint(self) -> str:
        typed = self._query.value.strip()
        if typed.startswith(PATH_BEGINS):
            return f"there is no file {typed} (yet)"
        if self._knows_no_words:
            return f"{self.facts.encoder_label} knows pictures alone, no words: {BY_PICTURE}"
        return HINT

    def said_of(self, image: int) -> str:
        """With how many copies it has."""
        copies = len(self._copies.get(image, ())) - 1
        return super().said_of(image) + (f" · {count(copies, 'copy', 'copies')} more" if copies > 0 else "")

    def with_copies(self, images: Any) -> list[int]:
        """A result is a content: what is done to it is done to its copies."""
        return [copy for image in images for copy in self._copies.get(image, [image])]

    def suggested_name(self) -> str:
        """The query itself."""
        return self._query.value.strip()[:80]

    # What the user does

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There must be a picture for more like it."""
        if action == "like":
            return bool(self.pictures) or None
        return super().check_action(action, parameters)

    def action_type(self) -> None:
        """To the line."""
        self._query.focus()

    def action_to_grid(self) -> None:
        """To the pictures: there the keys do what they say."""
        self.grid.focus()

    def action_clear(self) -> None:
        """Takes away what narrows: pictures and cluster first, then the words."""
        if self.like or self._inside[0]:
            self.like, self._like_names, self._inside = [], [], ("", "", "")
        else:
            self._query.value = ""
            self._query.focus()
        self._ask()

    def action_like(self) -> None:
        """By the marked pictures, or the one under the cursor."""
        if images := self.chosen(otherwise_all=False):
            self.search_like(images)

    def search_like(self, images: list[int]) -> None:
        """Searches by pictures; the words that were there go."""
        with self._query.prevent(Input.Changed):
            self._query.value = ""
        self.like, self._like_names = list(images), []
        self.marks.clear()
        self._ask()
        self._read_names(tuple(images))
        self.grid.focus()

    @work(thread=True, exclusive=True, group="names", exit_on_error=False)
    def _read_names(self, images: tuple[int, ...]) -> None:
        def take(found: dict[int, reading.Picture]) -> None:
            if tuple(self.like) == images:
                self._like_names = [found[i].name for i in images if i in found]
                self._say()

        self.read(lambda db: reading.pictures(db, 0, images[:8]), take)

    def action_recent(self, by: int) -> None:
        """An earlier query, or a later one."""
        recent = [query for query in self._memory.get("recent", ()) if isinstance(query, str)]
        self._earlier = max(-1, min(self._earlier + by, len(recent) - 1))
        if by < 0 and self._earlier < 0 and self.pictures:
            self.grid.focus()
            return
        self._query.value = recent[self._earlier] if self._earlier >= 0 else ""
        self._query.cursor_position = len(self._query.value)

    def _remember(self) -> None:
        query = self._query.value.strip()
        recent = [q for q in self._memory.get("recent", ()) if isinstance(q, str) and q != query]
        self._state[STATE] = {"query": query, "recent": ([query] if query else []) + recent[: MOST_RECENT - 1]}
        self._earlier = -1

    def action_inside(self) -> None:
        """Asks in what to search."""
        self._read_places()

    @work(thread=True, exclusive=True, group="places", exit_on_error=False)
    def _read_places(self) -> None:
        self.read(_places, self._choose_place)

    def _choose_place(self, places: list[tuple[str, str, str]]) -> None:
        from tui.screens.choose import ChooseScreen

        options: list[Option] = [(f"{kind}:{value}", title, _of(kind)) for kind, value, title in places]
        by_value = {f"{kind}:{value}": (kind, value, title) for kind, value, title in places}
        by_name = {title.casefold(): place for place in places for title in (place[1], place[2])}

        def found(text: str) -> tuple[str, str, str]:
            place = by_value.get(text) or by_name.get(text.casefold())
            if place is None:
                raise ShoeboxError(f"there is no {text} here", "type a name or a number as the list has it")
            return place

        def take(text: str | None) -> None:
            if text is not None:
                self._inside = found(text)
                self._ask()

        present = f"{self._inside[0]}:{self._inside[1]}"
        self.app.push_screen(ChooseScreen("search inside", options, present, found, "or type a name"), take)

    def action_twins(self) -> None:
        """To the near-twins."""
        from tui.screens.twins import TwinsScreen

        self.app.push_screen(TwinsScreen())


def _places(db: Database) -> list[tuple[str, str, str]]:
    """Everything, the clusters and the classes: (parameter of the job, its value, how it is called)."""
    places = [("", "", "everything")]
    if (latest := clusterings.latest(db)) is not None:
        known = clusterings.clusters_of(db, latest.id)
        places += [("cluster", str(c.number), f"{c.number} {c.name or ''}".strip()) for c in known]
        places.append(("cluster", "unclustered", "the unclustered"))
    if (run := annotation.latest(db)) is not None:
        places += [("class", c.name, c.name) for c in annotation.counts(db, run) if c.name]
    return places


def _of(kind: str) -> str:
    return {"": "all pictures but the trash", "cluster": "a cluster", "class": "a class"}[kind]
