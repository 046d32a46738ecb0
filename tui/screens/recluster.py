"""Clustering again, by other settings: of all pictures, of a cluster, or of the marked ones."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Label, Select

from core.clustering.settings import METHODS, ClusterSettings
from core.errors import UsageError

FIELDS = (
    ("clusters", "clusters (K)", "auto", int),
    ("min_cluster_ratio", "smallest share", "none", float),
    ("max_cluster_ratio", "largest share", "none", float),
    ("min_cluster_size", "smallest size", "auto", int),
    ("uniqueness", "uniqueness", "0.15", float),
    ("previews", "previews", "16", int),
)
"""A field of ClusterSettings, what it is called, what stands there where it is empty, and its type."""
REFRESH = (5, 500)


@dataclass(frozen=True)
class Scope:
    """What is clustered again: `within` is None for all of the project."""

    title: str
    pictures: int
    within: dict[str, Any] | None = None


@dataclass(frozen=True)
class Recluster:
    """What was asked. `refresh`: pictures between two refreshes of the clusters that form while embedding."""

    settings: ClusterSettings
    scope: Scope
    refresh: int


class ReclusterScreen(ModalScreen[Recluster | None]):
    """The settings of the last clustering, to be changed; impossible ones are told before any work."""

    CSS_PATH = "modals.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Close", id="recluster.close"),
        Binding("ctrl+s", "apply", "Apply", id="recluster.apply"),
    ]

    def __init__(self, settings: ClusterSettings, scopes: list[Scope], refresh: int) -> None:
        super().__init__()
        self._settings = settings
        self._scopes = scopes
        self._refresh = refresh

    def compose(self) -> ComposeResult:
        """A form of one screen."""
        scopes = [(scope.title, number) for number, scope in enumerate(self._scopes)]
        with Vertical(classes="modal"):
            yield Label("Cluster again", classes="modal-title")
            yield from self._field("of", Select(scopes, value=0, allow_blank=False, compact=True, id="scope"))
            methods = [(name, name) for name in METHODS]
            chosen = Select(methods, value=self._settings.method, allow_blank=False, compact=True, id="method")
            yield from self._field("method", chosen)
            for name, title, empty, _ in FIELDS:
                value = getattr(self._settings, name)
                text = "" if value is None else f"{value:g}"
                yield from self._field(title, Input(text, placeholder=empty, compact=True, id=name))
            refresh = Input(str(self._refresh), placeholder="20", compact=True, id="refresh")
            yield from self._field("live refresh", refresh)
            yield Label("", classes="wrong", markup=False)
            with Horizontal(classes="buttons"):
                yield Button("Apply", variant="primary", compact=True, id="apply")
                yield Button("Cancel", compact=True, id="cancel")

    def _field(self, title: str, widget: Input | Select[Any]) -> ComposeResult:
        with Horizontal(classes="field tight"):
            yield Label(title)
            yield widget

    def on_mount(self) -> None:
        """K is what is changed most."""
        self.query_one("#clusters").focus()

    @on(Input.Submitted)
    @on(Button.Pressed, "#apply")
    def action_apply(self) -> None:
        """Closes with what was asked, or says what cannot be."""
        try:
            self.dismiss(self._asked())
        except UsageError as error:
            self.query_one(".wrong", Label).update(str(error))

    @on(Button.Pressed, "#cancel")
    def _cancel(self) -> None:
        self.dismiss(None)

    def _asked(self) -> Recluster:
        index = self.query_one("#scope", Select).value
        scope = self._scopes[index if isinstance(index, int) else 0]
        values: dict[str, Any] = {name: self._number(name, title, kind) for name, title, _, kind in FIELDS}
        for name in ("uniqueness", "previews"):  # these two have a default of their own
            if values[name] is None:
                values[name] = getattr(ClusterSettings, name)
        values["method"] = self.query_one("#method", Select).value
        settings = dataclasses.replace(self._settings, **values)
        settings.resolve(scope.pictures)
        refresh = self._number("refresh", "live refresh", int)
        refresh = 20 if refresh is None else int(refresh)
        if not REFRESH[0] <= refresh <= REFRESH[1]:
            raise UsageError(f"live refresh {refresh} is out of range", f"give {REFRESH[0]} to {REFRESH[1]}")
        return Recluster(settings, scope, refresh)

    def _number(self, name: str, title: str, kind: type[int] | type[float]) -> int | float | None:
        text = self.query_one(f"#{name}", Input).value.strip()
        try:
            return kind(text) if text else None
        except ValueError:
            raise UsageError(f"{title}: {text} is no number", "give a number, or leave it empty") from None
