"""A run of annotation, drawn while it goes on and afterwards: round by round, and the pictures of each class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rich.style import Style
from rich.text import Text
from textual.widget import Widget

from tui.figures import count
from tui.widgets.bars import bar, sparkline
from tui.widgets.cluster_list import fitted, plain
from tui.widgets.ink import ink

_LEFT = 50
"""Cells of the table of rounds."""
_BAR = 12


@dataclass(frozen=True)
class Rounds:
    """What is drawn. `iterations` are the fields of `Iteration`; only the last one needs its distribution."""

    classes: Sequence[str] = ()
    iterations: Sequence[dict[str, Any]] = ()
    message: str = ""
    share: float | None = None
    """How far a run is, 0 to 1; None where none goes on."""
    why: Sequence[str] = ()
    """What is said of the classes that came out empty."""


class RoundsView(Widget):
    """Figures alone. Beside one another where there is room, else one below the other."""

    DEFAULT_CSS = """
    RoundsView { padding: 1 2; }
    RoundsView > .rounds--bar { color: $primary; }
    RoundsView > .rounds--quiet { color: $text-muted; }
    RoundsView > .rounds--empty { color: $warning; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"rounds--bar", "rounds--quiet", "rounds--empty"}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._rounds = Rounds()

    def show(self, rounds: Rounds) -> None:
        """Draws these."""
        if rounds != self._rounds:
            self._rounds = rounds
            self.refresh()

    def render(self) -> Text:
        """Draws it."""
        styles = {kind: ink(self, f"rounds--{kind}") for kind in ("bar", "quiet", "empty")}
        width, height = self.size
        return Text("\n", no_wrap=True, overflow="ellipsis").join(lines_of(self._rounds, width, height, styles))


def lines_of(rounds: Rounds, width: int, height: int, styles: dict[str, Style]) -> list[Text]:
    """A run in lines."""
    top = _head(rounds, width, styles)
    most = max(2, height // 4)
    why = [Text(f"⚠ {plain(words)}", styles["empty"]) for words in rounds.why[:most]]
    if len(rounds.why) > most:
        why.append(Text(f"and {count(len(rounds.why) - most, 'empty class', 'empty classes')} more", styles["quiet"]))
    top += [*why, Text()] if why else []
    room = max(1, height - len(top))
    table = _table(rounds.iterations, styles)
    if width >= _LEFT + 44:
        bars = _distribution(rounds, width - _LEFT - 3, room, styles)
        return top + _beside(table[:room], bars)
    table = [*table[:1], *table[1:][-max(3, room // 3) :]]
    return [*top, *table, Text(), *_distribution(rounds, width, room - len(table) - 1, styles)]


def _head(rounds: Rounds, width: int, styles: dict[str, Style]) -> list[Text]:
    lines = []
    if rounds.share is not None:
        words = f"  {rounds.message}"
        size = max(8, min(40, width - len(words)))
        lines = [Text.assemble((bar(rounds.share, size), styles["bar"]), (words, styles["quiet"])), Text()]
    if rounds.iterations:
        last = rounds.iterations[-1]
        sure = sparkline([told["mean_confidence"] for told in rounds.iterations], 24)
        moved = sparkline([float(told["moved"]) for told in rounds.iterations], 24)
        active = f"{last['active']:,} of {count(len(rounds.classes), 'class', 'classes')} active"
        line = Text.assemble(
            (f"{last['mean_confidence']:.2f}", "bold"), " sure by its own figures ", (sure, styles["bar"]), "   "
        )
        line.append_text(Text.assemble((f"{last['moved']:,}", "bold"), " moved ", (moved, styles["bar"]), "   "))
        lines += [line.append_text(Text(active, "" if last["active"] == len(rounds.classes) else styles["empty"]))]
        lines += [Text()]
    return lines


def _table(iterations: Sequence[dict[str, Any]], styles: dict[str, Style]) -> list[Text]:
    if not iterations:
        return []
    lines = [Text(f"{'round':>5}  {'sure':<{_BAR + 5}} {'moved':>9}  {'active':>6}  {'text':>5}", styles["quiet"])]
    for told in iterations:
        sure = told["mean_confidence"]
        line = Text(f"{told['number']:>5}  ").append(bar(sure, _BAR), styles["bar"])
        lines.append(line.append(f" {sure:.2f} {told['moved']:>9,}  {told['active']:>6,}  {told['text_weight']:>5.2f}"))
    return lines


def _distribution(rounds: Rounds, width: int, room: int, styles: dict[str, Style]) -> list[Text]:
    """A bar for each class; where there are more than lines, the largest, and then what is left out."""
    found = rounds.iterations[-1].get("distribution", ()) if rounds.iterations else ()
    if not found or room < 2:
        return []
    pairs = list(zip(rounds.classes, found, strict=False))
    lines = [Text("pictures of each class", styles["quiet"])]
    if len(pairs) > room - 1:
        pairs.sort(key=lambda pair: -pair[1])
    shown = pairs if len(pairs) <= room - 1 else pairs[: max(0, room - 2)]
    most, name = max(found) or 1, min(28, max(10, width // 3))
    digits = len(f"{most:,}")
    for title, pictures in shown:
        line = Text(fitted(title, name), styles["empty"] if not pictures else "")
        line.append(f" {pictures:>{digits},} ", "" if pictures else styles["empty"])
        lines.append(line.append(bar(pictures / most, max(4, width - name - digits - 2), empty=" "), styles["bar"]))
    left = pairs[len(shown) :]
    if left:
        empty = sum(not pictures for _, pictures in left)
        words = f"and {count(len(left), 'class', 'classes')} more" + (f", {empty:,} of them empty" if empty else "")
        lines.append(Text(words, styles["quiet"]))
    return lines


def _beside(left: list[Text], right: list[Text]) -> list[Text]:
    lines = []
    for at in range(max(len(left), len(right))):
        line = left[at].copy() if at < len(left) else Text()
        line.pad_right(_LEFT + 3 - line.cell_len)
        lines.append(line.append_text(right[at]) if at < len(right) else line)
    return lines
