"""The questions a terminal is asked, and its replies told apart from what somebody types meanwhile."""

from __future__ import annotations

import re
from dataclasses import dataclass

KITTY_QUESTION = b"\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\"
"""Kitty's graphics. Not for tmux and screen: they take it for the window's title."""
QUESTIONS = (
    b"\x1b[>q"  # XTVERSION: the name
    b"\x1b[16t"  # pixels of a cell
    b"\x1b[?1;1;0S"  # XTSMGRAPHICS: colour registers of sixel; an xterm as VT340 has 16 unless told otherwise
    b"\x1b[48;2;1;2;3m\x1bP$qm\x1b\\\x1b[m"  # DECRQSS: does a 24-bit colour stay one
)
FENCE = b"\x1b[c"
"""DA1: every terminal answers it, and answers in the order it was asked."""

_REPLY = re.compile(
    rb"\x1b_G(?P<kitty>[^\x1b]*)\x1b\\"
    rb"|\x1bP>\|(?P<name>[^\x1b]*)\x1b\\"
    rb"|\x1bP[01]\$r(?P<colour>[^\x1b]*)\x1b\\"
    rb"|\x1b\[\?(?P<attributes>[\d;]*)c"
    rb"|\x1b\[6;(?P<cell>\d+;\d+)t"
    rb"|\x1b\[\?(?P<registers>1;\d+;\d*)S"
    rb"|\x1b\[\?[\d;]*S|\x1b\[[\d;]+t"
)
_UNFINISHED = re.compile(rb"\x1b(?:_G|P[01>]|\[\?\d)[^\x1b]*\Z")


@dataclass
class Replies:
    """What a terminal said."""

    kitty: bool = False
    sixel: bool = False
    name: str = ""
    cell: tuple[int, int] | None = None
    registers: int | None = None
    truecolor: bool = False
    complete: bool = False
    """Whether it answered the last question: what is missing by then, it does not know."""
    typed: bytes = b""
    """What were no replies, in the order it came."""


def read_replies(received: bytes) -> Replies:
    """Everything that came from the terminal, told apart. A reply that was cut off is no key and is dropped."""
    replies = Replies(typed=_UNFINISHED.sub(b"", _REPLY.sub(b"", received)))
    for match in _REPLY.finditer(received):
        kind, said = match.lastgroup, (match[match.lastgroup] if match.lastgroup else b"").decode("ascii", "replace")
        if kind == "kitty":
            replies.kitty |= said == "i=31;OK"
        elif kind == "name":
            replies.name = "".join(c for c in said if c.isprintable())[:80]
        elif kind == "colour":
            replies.truecolor |= bool(re.search(r"48[:;]2[:;]+(0[:;])?1[:;]2[:;]3", said))
        elif kind == "attributes":
            replies.sixel |= "4" in said.split(";")[1:]  # the first is the terminal's class
            replies.complete = True
        elif kind == "cell":
            height, width = map(int, said.split(";"))
            replies.cell = (width, height) if 1 < width < 200 and 1 < height < 400 else None
        elif kind == "registers":
            _, status, number = said.split(";")
            replies.registers = int(number) if status == "0" and number else None
    return replies
