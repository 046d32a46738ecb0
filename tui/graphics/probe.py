"""Asks the terminal what it can do: one write, before the app starts, ending at the answer every terminal gives.

textual-image asks too, on import, but waits 0.1 s a question, and takes what is typed meanwhile for answers.
"""

from __future__ import annotations

import os
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from tui.graphics import memory
from tui.graphics.replies import FENCE, KITTY_QUESTION, QUESTIONS, Replies, read_replies
from tui.graphics.terminal import DEFAULT_CELL, Graphics, Terminal, cell_by_system

WANTED = ("auto", "kitty", "sixel", "halfcell", "none")

_MOST_BYTES = 1 << 16
_PLACEHOLDERS = re.compile(r"kitty\((\d+)\.(\d+)|ghostty\b", re.IGNORECASE)
_TRUECOLOR = re.compile(r"kitty|ghostty|wezterm|foot|iterm2|konsole|contour|mlterm|alacritty|rio", re.IGNORECASE)
_SILENT = {"dumb", "linux", "cons25", "unknown", ""}
"""Values of TERM whose terminals would print the questions, or have no colours to speak of."""


def probe(
    wanted: str = "auto", *, environment: Mapping[str, str] = os.environ, timeout: float = 2.0, fresh: bool = False
) -> Terminal:
    """What the terminal on standard input can do, and how pictures are drawn in it.

    `wanted` is what the user asked for: it is taken at their word. Waits `timeout` seconds at the most, and in
    the same session of the same terminal asks once only, unless `fresh`. To be called before the app runs.
    """
    terminal = _unasked(wanted, environment) or _asked(wanted, environment, timeout, fresh=fresh)
    return _without_colours(terminal) if "NO_COLOR" in environment else terminal


def _unasked(wanted: str, environment: Mapping[str, str]) -> Terminal | None:
    """The terminal where there is nothing to ask, or no asking it."""
    if wanted == "none":
        return Terminal("none", truecolor=_says_truecolor(environment), why=("no graphics, as asked",))
    if (silent := _why_silent(environment)) is not None:
        graphics: Graphics = "halfcell" if wanted == "auto" else wanted  # type: ignore[assignment]
        return Terminal(graphics, truecolor=_says_truecolor(environment), why=(silent,))
    return None


def _asked(wanted: str, environment: Mapping[str, str], timeout: float, *, fresh: bool) -> Terminal:
    """The terminal by its own answers, or as it is remembered."""
    fd = os.open(os.ttyname(sys.__stdin__.fileno()), os.O_RDWR | os.O_NOCTTY)  # type: ignore[union-attr]
    try:
        key = memory.identity(fd, environment)
        terminal = memory.recall(key, environment) if key and not fresh else None
        if terminal is None:
            started = time.monotonic()
            replies = _ask(fd, _questions(environment), timeout)
            terminal = _describe(replies, _tmux(environment), environment, cell_by_system(fd))
            waited = f"heard in {time.monotonic() - started:.2f} s" if replies.complete else "no end of its answers"
            terminal = replace(terminal, why=(f"the terminal was asked: {waited}", *terminal.why))
            if key and replies.complete:
                memory.remember(key, terminal, environment)
        else:
            live = cell_by_system(fd)
            terminal = replace(terminal, cell=live or terminal.cell, why=("remembered of this session", *terminal.why))
    finally:
        os.close(fd)
    if wanted != "auto":
        terminal = replace(terminal, graphics=wanted, why=(*terminal.why, f"{wanted}, as asked"))  # type: ignore[arg-type]
    return terminal


def _without_colours(terminal: Terminal) -> Terminal:
    """What is left where NO_COLOR has Textual turn every colour of the text into a grey.

    Sixel is no text. Half cells are, and become grey. A kitty picture is found by the colour of its cells: as a grey
    it would be another one, so there are half cells instead.
    """
    graphics, said = terminal.graphics, "NO_COLOR: text and half cells are drawn in greys"
    if graphics == "kitty":
        graphics, said = "halfcell", "NO_COLOR: kitty's pictures are found by a colour, so half cells, in greys"
    elif graphics == "sixel":
        said = "NO_COLOR: text is drawn in greys, sixel pictures keep their colours (--graphics none: no pictures)"
    elif graphics == "none":
        said = "NO_COLOR: text is drawn in greys"
    return replace(terminal, graphics=graphics, why=(*terminal.why, said))


@dataclass(frozen=True)
class _Tmux:
    """What tmux says of the terminal it is shown in."""

    outer: str = ""
    features: frozenset[str] = frozenset()
    passthrough: bool = False


def _why_silent(environment: Mapping[str, str]) -> str | None:
    """Why the terminal must not be asked, if so."""
    if sys.__stdin__ is None or not sys.__stdin__.isatty():
        return "standard input is no terminal: not asked"
    try:
        import termios  # noqa: F401
    except ImportError:
        return "this system has no way to ask"
    if environment.get("TERM", "") in _SILENT:
        return f"a terminal of type {environment.get('TERM') or '(none)'} is not asked"
    if environment.get("TERM_PROGRAM") == "Apple_Terminal":
        return "Apple's Terminal prints such questions: not asked"
    return None


def _questions(environment: Mapping[str, str]) -> bytes:
    multiplexed = environment.get("TERM", "").startswith(("tmux", "screen"))
    if multiplexed or environment.get("TMUX") or environment.get("STY"):
        return QUESTIONS + FENCE
    return KITTY_QUESTION + QUESTIONS + FENCE


def _ask(fd: int, questions: bytes, timeout: float) -> Replies:
    """Puts all questions in one write and reads until the fence is answered."""
    received = b""
    with _unbuffered(fd):
        os.write(fd, questions)
        deadline = time.monotonic() + timeout
        while (left := deadline - time.monotonic()) > 0 and len(received) < _MOST_BYTES:
            if not select.select([fd], [], [], left)[0]:
                break
            part = os.read(fd, 4096)
            if not part:
                break
            received += part
            if read_replies(received).complete:
                break
        os.write(fd, b"\r\x1b[K")  # what a terminal printed that knows no such questions
    return read_replies(received)


@contextmanager
def _unbuffered(fd: int) -> Iterator[None]:
    """Neither echo nor lines, and nothing that was typed is thrown away. Ctrl-C still interrupts."""
    import termios

    before = termios.tcgetattr(fd)
    changed = termios.tcgetattr(fd)
    changed[3] &= ~(termios.ICANON | termios.ECHO)
    changed[0] &= ~termios.ICRNL  # a typed Return stays one
    changed[6][termios.VMIN], changed[6][termios.VTIME] = 1, 0
    termios.tcsetattr(fd, termios.TCSANOW, changed)
    try:
        yield
    finally:
        termios.tcsetattr(fd, termios.TCSANOW, before)


def _tmux(environment: Mapping[str, str]) -> _Tmux | None:
    """Asks tmux itself: replies of the terminal outside do not pass it reliably."""
    if not environment.get("TMUX"):
        return None
    command = ["tmux", "display-message", "-p"]
    if pane := environment.get("TMUX_PANE"):
        command += ["-t", pane]
    question = "#{client_termtype}\n#{client_termfeatures}\n#{allow-passthrough}"
    try:
        done = subprocess.run(
            [*command, question], capture_output=True, text=True, timeout=1, check=True, env=dict(environment)
        )
        outer, features, passthrough = [*done.stdout.split("\n"), "", "", ""][:3]
    except (OSError, subprocess.SubprocessError):
        return _Tmux()
    return _Tmux(outer, frozenset(features.split(",")), passthrough in ("on", "all", "1", "2"))


def _describe(
    replies: Replies, tmux: _Tmux | None, environment: Mapping[str, str], cell: tuple[int, int] | None
) -> Terminal:
    multiplexer = "screen" if environment.get("STY") else ""
    if tmux is not None or replies.name.startswith("tmux"):
        multiplexer = "tmux"
    why: list[str] = []
    graphics = _choose(replies, tmux, multiplexer, environment, why)
    truecolor = (
        _says_truecolor(environment)
        or replies.truecolor
        or bool(_TRUECOLOR.match(replies.name))
        or (tmux is not None and ("RGB" in tmux.features or bool(_TRUECOLOR.match(tmux.outer))))
    )
    why.append("24-bit colours" if truecolor else "no sign of 24-bit colours: 256 of them")
    name = replies.name or environment.get("TERM_PROGRAM") or environment.get("TERM", "")
    if tmux is not None and tmux.outer:
        name += f" in {tmux.outer}"
    return Terminal(
        graphics,
        cell=replies.cell or cell or DEFAULT_CELL,
        truecolor=truecolor,
        multiplexer=multiplexer,
        passthrough=tmux is not None and tmux.passthrough,
        name=name,
        why=tuple(why),
        registers=replies.registers or 256,
        typed=replies.typed,
    )


def _choose(
    replies: Replies, tmux: _Tmux | None, multiplexer: str, environment: Mapping[str, str], why: list[str]
) -> Graphics:
    """Placeholders (kitty) are text, and move with it; sixel must be drawn anew; half cells always work."""
    if multiplexer == "screen":
        why.append("screen lets no pictures through: half cells")
        return "halfcell"
    if multiplexer == "tmux":
        return _choose_in_tmux(replies, tmux, why)
    if replies.kitty and _has_placeholders(replies.name or environment.get("TERM", "")):
        why.append("it answered kitty's question, and knows Unicode placeholders")
        return "kitty"
    if replies.kitty:
        why.append("it answered kitty's question, but is not known to draw Unicode placeholders")
    if replies.sixel:
        why.append(f"it names sixel among its attributes, with {replies.registers or 256} colours")
        return "sixel"
    why.append("neither kitty's graphics nor sixel: half cells" if replies.complete else "it did not say: half cells")
    return "halfcell"


def _choose_in_tmux(replies: Replies, tmux: _Tmux | None, why: list[str]) -> Graphics:
    if tmux is None:
        why.append("tmux on another machine, which cannot be asked: half cells, unless --graphics says more")
        return "halfcell"
    if _has_placeholders(tmux.outer):
        if tmux.passthrough:
            why.append(f"{tmux.outer} through tmux, which lets pictures pass")
            return "kitty"
        why.append(f"{tmux.outer} outside, but tmux lets nothing pass: set -g allow-passthrough on")
    if replies.sixel and "sixel" in tmux.features:
        why.append("tmux draws sixel, and so does the terminal outside")
        return "sixel"
    if replies.sixel:
        why.append("tmux could draw sixel, but does not know the terminal outside to (terminal-features)")
    why.append("half cells")
    return "halfcell"


def _has_placeholders(name: str) -> bool:
    """True of kitty since 0.28, ghostty. WezTerm and Konsole answer kitty's question, but know no placeholders."""
    if name == "xterm-kitty":
        return True
    match = _PLACEHOLDERS.match(name)
    return match is not None and (match[1] is None or (int(match[1]), int(match[2])) >= (0, 28))


def _says_truecolor(environment: Mapping[str, str]) -> bool:
    return environment.get("COLORTERM", "").lower() in ("truecolor", "24bit")
