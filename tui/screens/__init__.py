"""The screens by their names; each is imported when it is first shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textual.screen import Screen


def _source() -> Screen[Any]:
    from tui.screens.source import SourceScreen

    return SourceScreen()


def _embed() -> Screen[Any]:
    from tui.screens.embed import EmbedScreen

    return EmbedScreen()


def _clusters() -> Screen[Any]:
    from tui.screens.clusters import ClustersScreen

    return ClustersScreen()


def _names() -> Screen[Any]:
    from tui.screens.names import NamesScreen

    return NamesScreen()


def _annotate() -> Screen[Any]:
    from tui.screens.annotate import AnnotateScreen

    return AnnotateScreen()


def _search() -> Screen[Any]:
    from tui.screens.search import SearchScreen

    return SearchScreen()


SCREENS: dict[str, str | Callable[[], Screen[Any]]] = {
    "source": _source,
    "embed": _embed,
    "clusters": _clusters,
    "names": _names,
    "annotate": _annotate,
    "search": _search,
}
