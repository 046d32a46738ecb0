"""What a line of the list of names says: text around the previews, fitted to its columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass

from rich.segment import Segment
from rich.style import Style

from core.catalog.names import Alternative
from tui.naming import NameRow
from tui.widgets.bars import bar
from tui.widgets.cluster_list import fitted, plain
from tui.widgets.name_layout import NameLayout

CURSOR, TICKED, TWIN = "▌", "✓", "⚠"
OUTDATED = "▲ changed"
"""The cluster is no longer what the name was proposed for."""
GOOD, POOR = 0.9, 0.7
"""Quality from which a name is good, and below which it needs a look."""
_STATE_WIDTH = 9
_MOST_TWINS = 20  # cells that they may take from the alternatives
_GAP = "  "


@dataclass(frozen=True, slots=True)
class NameLook:
    """The styles of the list, asked for once a frame: each question walks up the whole tree of widgets."""

    plain: Style
    cursor: Style
    mark: Style
    ticked: Style
    muted: Style
    good: Style
    poor: Style
    user: Style


@dataclass(frozen=True, slots=True)
class Shown:
    """A row as it is now: under the cursor, ticked, being named."""

    row: NameRow
    at_cursor: bool = False
    ticked: bool = False
    busy: bool = False


def before_previews(shown: Shown, line: int, layout: NameLayout, look: NameLook) -> Iterable[Segment]:
    """The mark of the cursor, the tick, number and size."""
    base = look.cursor if shown.at_cursor else look.plain
    cluster = shown.row.cluster
    yield Segment(CURSOR if shown.at_cursor else " ", base + look.mark)
    yield Segment(TICKED if shown.ticked and line == 0 else " ", base + look.ticked)
    if line == 0:
        yield Segment(str(cluster.number).rjust(layout.number), base)
        yield Segment(f" {cluster.size:,}".rjust(layout.size + 1), base + look.muted)
    else:
        yield Segment(" " * (layout.number + 1 + layout.size), base)
    yield Segment(_GAP, base)


def after_previews(shown: Shown, line: int, layout: NameLayout, look: NameLook) -> Iterable[Segment]:
    """Name, sentence, quality, alternatives and state."""
    base = look.cursor if shown.at_cursor else look.plain
    if not layout.alternatives and line > 0:
        yield _folded(shown, line, layout, look, base)
        return
    yield _under_name(shown, line, layout, look, base) if line else _name(shown, layout, look, base)
    yield Segment(_GAP, base)
    yield from _quality(shown, line, layout, look, base)
    yield Segment(_GAP, base)
    if layout.alternatives:
        yield from _alternative(shown.row, line, layout, look, base)
        yield Segment(_GAP, base)
    if line == 1 and shown.row.cluster.outdated:
        yield Segment(fitted(OUTDATED, _STATE_WIDTH), base + look.poor)
    else:
        yield _state(shown, look, base) if line == 0 else Segment(" " * _STATE_WIDTH, base)


def _name(shown: Shown, layout: NameLayout, look: NameLook, base: Style) -> Segment:
    name = shown.row.cluster.name
    style = base + Style(bold=True) if name else base + look.muted
    return Segment(fitted(name or "no name yet", layout.name), style)


def _under_name(shown: Shown, line: int, layout: NameLayout, look: NameLook, base: Style) -> Segment:
    """The sentence in as many lines as there are; or why there is no name."""
    text = _sentence(shown.row)
    room = layout.lines - 1
    parts = textwrap.wrap(text, max(layout.name, 8), max_lines=room, placeholder=" …") if text else []
    said = parts[line - 1] if line <= len(parts) else ""
    style = look.poor if shown.row.cluster.reason else look.muted
    return Segment(fitted(said, layout.name), base + style)


def _sentence(row: NameRow) -> str:
    return plain(row.cluster.reason or row.cluster.description or "")


def _quality(shown: Shown, line: int, layout: NameLayout, look: NameLook, base: Style) -> Iterable[Segment]:
    cluster, width = shown.row.cluster, layout.quality
    quality = cluster.quality
    if line == 0 and quality is not None:
        style = look.good if quality.figure >= GOOD else look.poor if quality.figure < POOR else Style()
        yield Segment(bar(quality.figure, layout.bar), base + style)
        yield Segment(f" {quality.figure:.2f}", base)
    elif line == 0:
        yield Segment(fitted("not measured" if cluster.name else "", width), base + look.muted)
    elif line == 1 and quality is not None and quality.first is not None:
        yield Segment(fitted(f"first for {quality.first:.0%}", width), base + look.muted)
    elif line == 2 and cluster.twins:
        yield Segment(fitted(twin_words(shown.row, width), width), base + look.poor)
    else:
        yield Segment(" " * width, base)


def twin_words(row: NameRow, width: int) -> str:
    """Whose name means the same: as many of them as fit, and how many more there are."""
    twins = row.cluster.twins
    for named in range(len(twins), 0, -1):
        more = f" +{len(twins) - named}" if named < len(twins) else ""
        words = f"{TWIN} twin of {', '.join(map(str, twins[:named]))}{more}"
        if len(words) <= width or named == 1:
            return words
    return ""


def _alternative(row: NameRow, line: int, layout: NameLayout, look: NameLook, base: Style) -> Iterable[Segment]:
    if line >= len(row.alternatives):
        yield Segment(" " * layout.alternatives, base)
        return
    other = row.alternatives[line]
    figure = f" {other.quality.figure:.2f}" if other.quality else ""
    yield Segment(f"{line + 1} ", base + look.mark)
    name = plain(other.name)
    room = layout.alternatives - 2 - len(figure)
    short = fitted(name, room) if len(name) >= room else name
    yield Segment(short, base)
    yield Segment(fitted(figure, layout.alternatives - 2 - Segment(short).cell_length), base + look.muted)


def _state(shown: Shown, look: NameLook, base: Style) -> Segment:
    if shown.busy:
        return Segment(fitted("naming …", _STATE_WIDTH), base + look.mark)
    state = shown.row.cluster.state
    style = look.user if state in ("accepted", "edited") else look.muted
    return Segment(fitted(state, _STATE_WIDTH), base + style)


def _folded(shown: Shown, line: int, layout: NameLayout, look: NameLook, base: Style) -> Segment:
    """Where there is no room: what needs a look for every row; of the one at the cursor all that there is."""
    row, width = shown.row, layout.width - layout.names_at
    if line == 1:
        said = [OUTDATED] if row.cluster.outdated else []
        said += [twin_words(row, _MOST_TWINS)] if row.cluster.twins else []
        if shown.at_cursor:
            said += [_offered(number, other) for number, other in enumerate(row.alternatives, 1)]
        return Segment(
            fitted(_GAP.join(said), width), base + (look.poor if row.cluster.twins or row.cluster.outdated else Style())
        )
    if line == 2 and (shown.at_cursor or row.cluster.reason):
        return Segment(fitted(_sentence(row), width), base + (look.poor if row.cluster.reason else look.muted))
    return Segment(" " * width, base)


def _offered(number: int, other: Alternative) -> str:
    return f"{number} {plain(other.name)}" + (f" {other.quality.figure:.2f}" if other.quality else "")
