"""How the parts of a drawing become pixels: the colours, the drawing styles and the textures."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from core.pocket.shapes import Part, fill

if TYPE_CHECKING:
    from PIL import Image, ImageDraw

RGB = tuple[int, int, int]

COLOURS: dict[str, RGB] = {
    "red": (214, 40, 40),
    "orange": (245, 130, 32),
    "yellow": (250, 215, 50),
    "green": (60, 160, 70),
    "blue": (45, 100, 210),
    "purple": (130, 65, 170),
    "pink": (245, 150, 190),
    "brown": (125, 80, 45),
    "black": (25, 25, 25),
    "white": (245, 245, 245),
    "gray": (140, 140, 140),
}
"""The named colours; a picture's own shade lies near one of them."""

STYLES: tuple[str, ...] = ("flat", "cartoon", "line", "shaded", "sticker", "silhouette", "pixel")
"""The drawing styles that the model is trained on."""

UNSEEN_STYLE = "crayon"
"""A drawing style that is kept out of training, to measure what the model makes of it."""

TEXTURES: tuple[str, ...] = ("plain", "striped", "dotted", "checked")
"""The textures of things and of backgrounds."""

Palette = dict[str, RGB]
"""The colours of the tones of a drawing, and of the paper under it."""


class Look(NamedTuple):
    """How a drawing is painted: one of STYLES (or UNSEEN_STYLE), its colours, one of TEXTURES."""

    style: str
    colours: Palette
    texture: str


def shade(name: str, rng: random.Random) -> RGB:
    """A random shade of the colour called `name`."""
    light = rng.gauss(0, 9)
    r, g, b = (min(255, max(0, round(c + light + rng.gauss(0, 7)))) for c in COLOURS[name])
    return r, g, b


def mix(one: RGB, other: RGB, share: float) -> RGB:
    """The colour `share` of the way from `one` to `other`."""
    r, g, b = (round(a + (c - a) * share) for a, c in zip(one, other, strict=True))
    return r, g, b


def distance(one: RGB, other: RGB) -> float:
    """How far apart two colours are, in RGB levels."""
    return math.dist(one, other)


def palette(body: RGB, paper: RGB, rng: random.Random) -> Palette:
    """Colours for the tones of a drawing whose body colour is given, readable on `paper`."""
    accent = mix(body, (0, 0, 0), 0.4) if sum(body) > 240 else mix(body, (255, 255, 255), 0.4)
    if rng.random() < 0.3:
        accent = shade(rng.choice(tuple(COLOURS)), rng)
    dark = mix(body, (0, 0, 0), rng.uniform(0.65, 0.95))
    if sum(body) < 150:
        dark = mix(body, (255, 255, 255), rng.uniform(0.4, 0.7))
    light = mix(body, (255, 255, 255), rng.uniform(0.7, 0.95))
    if sum(body) > 640:
        light = mix(body, (90, 110, 140), rng.uniform(0.3, 0.5))
    return {
        "body": body,
        "accent": _clear(accent, paper),
        "dark": _clear(dark, paper),
        "light": _clear(light, paper),
        "paper": paper,
    }


def _clear(colour: RGB, paper: RGB) -> RGB:
    """The colour, moved away from the paper's where it would be lost on it."""
    if distance(colour, paper) > 80:
        return colour
    return mix(colour, (255, 255, 255) if sum(paper) < 380 else (0, 0, 0), 0.45)


def pattern(size: tuple[int, int], texture: str, step: float, rng: random.Random) -> Image.Image:
    """The ink of a texture as an "L" mask; `step` is its period in pixels."""
    from PIL import Image, ImageDraw

    width, height = size
    mask = Image.new("L", size)
    pen = ImageDraw.Draw(mask)
    if texture == "striped":
        lean = rng.choice((0.0, 0.0, 1.0, -1.0, 99.0))
        for i in range(round(-height / step) - 1, round((width + height) / step) + 1):
            at = i * step
            ends = (0, at, width, at) if lean > 2 else (at, 0, at + lean * height, height)
            pen.line(ends, fill=255, width=max(1, round(step * 0.45)))
    elif texture in ("dotted", "checked"):
        half = step * (0.3 if texture == "dotted" else 0.5)
        for row in range(round(height / step) + 2):
            for column in range(round(width / step) + 2):
                if texture == "checked" and (row + column) % 2:
                    continue
                x, y = (column + 0.5 * (row % 2) * (texture == "dotted")) * step, row * step
                frame = (x - half, y - half, x + half, y + half)
                if texture == "dotted":
                    pen.ellipse(frame, fill=255)
                else:
                    pen.rectangle(frame, fill=255)
    return mask


def paint(canvas: Image.Image, parts: Sequence[Part], look: Look, unit: float, rng: random.Random) -> None:
    """Paint parts, placed in pixels, on an RGB canvas; `unit` is the pixels of a unit of the drawing."""
    from PIL import ImageDraw

    style, colours, texture = look
    if style == UNSEEN_STYLE:
        _crayon(canvas, parts, colours, unit, rng)
        return
    pen = ImageDraw.Draw(canvas)
    rim = unit * rng.uniform(0.04, 0.08)
    if style == "line":
        _outline(pen, parts, colours, rim)
        return
    if style == "silhouette":
        colours = {tone: colours["paper"] if tone == "light" else colours["body"] for tone in colours}
    if style == "sticker":
        border = (252, 252, 252) if distance(colours["paper"], (255, 255, 255)) > 60 else (40, 40, 40)
        for part in parts:
            fill(pen, part, border, unit * rng.uniform(0.14, 0.2), True)
    edge = mix(colours["dark"], (0, 0, 0), 0.5) if sum(colours["body"]) > 150 else colours["dark"]
    for part in parts:
        if style == "cartoon":
            fill(pen, part, edge, 2 * rim, True)
        fill(pen, part, colours[part.tone])
    if texture != "plain":
        ink = pattern(canvas.size, texture, unit * rng.uniform(0.22, 0.4), rng)
        _tint(canvas, _mask(canvas.size, parts, "body"), ink, colours["light"])
    if style == "shaded":
        _light(canvas, _mask(canvas.size, parts, None), rng)


def _outline(pen: ImageDraw.ImageDraw, parts: Sequence[Part], colours: Palette, rim: float) -> None:
    """Only lines, in the body colour; what lies behind a part is hidden."""
    for part in parts:
        fill(pen, part, colours["body"], max(2.0, 1.6 * rim), True)
        hollow = not part.width or part.width > 4 * rim
        fill(pen, part, colours["paper" if hollow else "body"], -0.8 * rim if part.width else 0.0)


def _mask(size: tuple[int, int], parts: Sequence[Part], tone: str | None) -> Image.Image:
    """Where parts of `tone` (any, if None) are seen, as an "L" mask."""
    from PIL import Image, ImageDraw

    mask = Image.new("L", size)
    pen = ImageDraw.Draw(mask)
    for part in parts:
        fill(pen, part, 255 if tone in (None, part.tone) else 0)
    return mask


def _tint(canvas: Image.Image, mask: Image.Image, ink: Image.Image, colour: RGB) -> None:
    """Colour the canvas where both masks are set."""
    from PIL import ImageChops

    canvas.paste(colour, mask=ImageChops.multiply(mask, ink))


def _light(canvas: Image.Image, mask: Image.Image, rng: random.Random) -> None:
    """Light from one side: a slope of brightness over the masked pixels."""
    from PIL import Image, ImageChops

    slope = Image.linear_gradient("L").rotate(rng.choice((0, 45, 90, 135, 180, 225, 270, 315)))
    box = mask.getbbox()
    if box is None:
        return
    size = (box[2] - box[0], box[3] - box[1])
    dark = slope.resize(size).point([round(i * 0.6) for i in range(256)])
    canvas.paste((0, 0, 0), box, ImageChops.multiply(mask.crop(box), dark))
    bright = slope.rotate(180).resize(size).point([round(max(0, i - 100) * 0.7) for i in range(256)])
    canvas.paste((255, 255, 255), box, ImageChops.multiply(mask.crop(box), bright))


def _crayon(canvas: Image.Image, parts: Sequence[Part], colours: Palette, unit: float, rng: random.Random) -> None:
    """Fill by loose hatching with gaps, outline by two passes of a shaky hand."""
    from PIL import Image, ImageDraw

    for part in parts:
        if not part.width:
            shape = Image.new("L", canvas.size)
            fill(ImageDraw.Draw(shape), part, 255)
            _tint(canvas, shape, _hatch(canvas.size, unit, rng), colours[part.tone])
        pen = ImageDraw.Draw(canvas)
        spread = max(part.width / 4, unit * 0.015)
        for line in part.lines:
            closed = line if part.width else [*line, line[0]]
            for _ in range(4 if part.width else 2):
                dx, dy = rng.gauss(0, spread), rng.gauss(0, spread)
                shaky = [(x + dx + rng.gauss(0, unit * 0.01), y + dy + rng.gauss(0, unit * 0.01)) for x, y in closed]
                pen.line(shaky, fill=colours[part.tone], width=max(1, round(max(part.width * 0.3, unit * 0.03))))


def _hatch(size: tuple[int, int], unit: float, rng: random.Random) -> Image.Image:
    """Loose parallel strokes over the whole canvas, as an "L" mask."""
    from PIL import Image, ImageDraw

    width, height = size
    hatch = Image.new("L", size)
    pen = ImageDraw.Draw(hatch)
    gap, lean = unit * rng.uniform(0.07, 0.11), rng.uniform(-1, 1)
    for i in range(int(-height / gap), int((width + height) / gap)):
        x, tilt = i * gap + rng.gauss(0, gap / 4), lean + rng.gauss(0, 0.05)
        pen.line((x, 0, x + tilt * height, height), fill=235, width=max(1, round(gap * rng.uniform(0.4, 0.75))))
    return hatch
