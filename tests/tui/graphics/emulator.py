"""A terminal for tests: reads what an app writes, and shows the pictures that a user would see."""

from __future__ import annotations

import base64
import io
import re
from typing import Any

from PIL import Image

from tui.graphics.library import diacritics

PLACEHOLDER = "\U0010eeee"
TOKENS = re.compile(
    r"\x1bPtmux;(?P<tmux>(?:\x1b\x1b|[^\x1b])*)\x1b\\"
    r"|\x1b_G(?P<kitty>[^\x1b]*)\x1b\\"
    r"|\x1bP(?P<sixel>[\d;]*q[^\x1b]*)\x1b\\"
    r"|\x1b\[(?P<params>[\d;?<>=]*)(?P<final>[A-Za-z~])"
    r"|(?P<char>[^\x1b])",
    re.DOTALL,
)


class Emulator:
    """Cells with colours, kitty's pictures by number, and what sixel left on each cell."""

    def __init__(self, columns, rows, cell=(8, 16)):
        self.columns, self.rows, self.cell = columns, rows, cell
        self.cells = {}
        self.over = {}  # by cell: the pixels that sixel drew there
        self.held = {}  # by number: picture, columns, rows
        self.uploads = self.sixels = 0
        self.x = self.y = 0
        self.fg, self.bg = None, None
        self._part: Any = None

    def feed(self, text):
        for match in TOKENS.finditer(text):
            if match["tmux"] is not None:
                self.feed(match["tmux"].replace("\x1b\x1b", "\x1b"))
            elif match["kitty"] is not None:
                self._kitty(match["kitty"])
            elif match["sixel"] is not None:
                self._sixel(match["sixel"])
            elif match["final"]:
                self._control(match["params"], match["final"])
            else:
                self._put(match["char"])

    def picture(self, x, y, columns, rows):
        """The pixels that cells show."""
        width, height = self.cell
        out = Image.new("RGB", (columns * width, rows * height))
        for row in range(rows):
            for column in range(columns):
                out.paste(self._cell_pixels(x + column, y + row), (column * width, row * height))
        return out

    def line(self, y):
        return "".join(self.cells.get((x, y), (" ",))[0][0] for x in range(self.columns))

    def has_picture(self, x, y):
        character = self.cells.get((x, y), (" ",))[0]
        return (x, y) in self.over or character[0] == PLACEHOLDER or character == "▀"

    def _cell_pixels(self, x, y):
        width, height = self.cell
        if (x, y) in self.over:
            return self.over[x, y]
        character, fg, bg = self.cells.get((x, y), (" ", None, None))
        out = Image.new("RGB", self.cell, bg or (0, 0, 0))
        if character == "▀":
            out.paste(Image.new("RGB", (width, height // 2), fg), (0, 0))
        elif character[0] == PLACEHOLDER:
            picture, columns, rows = self.held[fg[0] << 16 | fg[1] << 8 | fg[2]]
            row, column = (diacritics().index(mark) for mark in character[1:])
            scaled = picture.resize((columns * width, rows * height))
            out.paste(scaled.crop((column * width, row * height, (column + 1) * width, (row + 1) * height)))
        return out

    def _put(self, character):
        if character == "\n":
            self.y += 1
        elif character in diacritics() and character.isprintable() and self.x:
            previous, fg, bg = self.cells[self.x - 1, self.y]
            self.cells[self.x - 1, self.y] = (previous + character, fg, bg)
        else:
            self.over.pop((self.x, self.y), None)
            self.cells[self.x, self.y] = (character, self.fg, self.bg)
            self.x += 1

    def _control(self, params, final):
        if final == "H":
            row, _, column = params.partition(";")
            self.y, self.x = int(row or 1) - 1, int(column or 1) - 1
        elif final == "m":
            self._style([int(n) for n in params.split(";") if n])

    def _style(self, numbers):
        if not numbers:
            numbers = [0]
        while numbers:
            number = numbers.pop(0)
            if number == 0:
                self.fg = self.bg = None
            elif number in (38, 48):
                assert numbers.pop(0) == 2, "24-bit colours"
                colour = (numbers.pop(0), numbers.pop(0), numbers.pop(0))
                if number == 38:
                    self.fg = colour
                else:
                    self.bg = colour

    def _kitty(self, body):
        control, _, payload = body.partition(";")
        keys = dict(item.split("=") for item in control.split(","))
        assert keys.get("q") == "2", "a reply would come as keys"
        if keys.get("a") == "d":
            assert keys["d"] == "I"
            self.held.pop(int(keys["i"]), None)
            return
        if "a" in keys:
            assert keys["a"] == "T"
            assert keys["U"] == "1"
            self._part = (keys, "")
        first, so_far = self._part
        self._part = (first, so_far + payload)
        assert len(payload) <= 4096
        if keys["m"] == "0":
            picture = Image.open(io.BytesIO(base64.b64decode(self._part[1]))).convert("RGB")
            self.held[int(first["i"])] = (picture, int(first["c"]), int(first["r"]))
            self.uploads += 1
            self._part = None

    def _sixel(self, body):
        picture = read_sixel(body)
        width, height = self.cell
        self.sixels += 1
        for row in range(-(-picture.height // height)):
            for column in range(-(-picture.width // width)):
                box = (column * width, row * height, (column + 1) * width, (row + 1) * height)
                self.over[self.x + column, self.y + row] = picture.crop(box)
        self.y += -(-picture.height // height)  # as terminals leave it; the app has to put it back


def read_sixel(body):
    """The picture of a sixel sequence, without its introducer and end. Colours must be defined before any pixel."""
    raster = re.match(r'[\d;]*q"1;1;(\d+);(\d+)', body)
    assert raster is not None, "the size comes first"
    width, height = int(raster[1]), int(raster[2])
    out = Image.new("RGB", (width, height))
    pixels: Any = out.load()
    palette, colour, x, band, drawn = {}, None, 0, 0, False
    for match in re.finditer(r"#(\d+)(?:;2;(\d+);(\d+);(\d+))?|!(\d+)([?-~])|([?-~])|([$-])", body[raster.end() :]):
        number, r, g, b, count, repeated, single, move = match.groups()
        if number is not None and r is not None:
            assert not drawn, "xterm wants colours defined before pixels"
            palette[int(number)] = tuple(round(int(v) * 255 / 100) for v in (r, g, b))
        elif number is not None:
            colour = palette[int(number)]
        elif move:
            x, band = 0, band + (move == "-")
        else:
            drawn = True
            bits = ord(repeated or single) - 63
            until = x + int(count or 1)
            assert until <= width, "right of the picture"
            assert bits >> max(0, height - band * 6) == 0, "below the picture"
            for bit in range(6):
                if bits >> bit & 1 and band * 6 + bit < height:
                    for column in range(x, until):
                        pixels[column, band * 6 + bit] = colour
            x = until
    return out


def difference(one, other):
    """Mean difference of two pictures, of 255."""
    raw = zip(one.convert("RGB").tobytes(), other.convert("RGB").resize(one.size).tobytes(), strict=True)
    return sum(abs(a - b) for a, b in raw) / (one.width * one.height * 3)
