"""One picture, drawn: a thing or a digit on a background, in a style, with what a caption may say about it."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from core.errors import UsageError
from core.pocket.digits import DIGITS, handwritten, printed, scanned
from core.pocket.shapes import Part, Point, ellipse, moved, turned, wobbled
from core.pocket.styles import (
    COLOURS,
    RGB,
    STYLES,
    TEXTURES,
    UNSEEN_STYLE,
    Look,
    distance,
    mix,
    paint,
    palette,
    pattern,
    shade,
)
from core.pocket.things import KINDS, thing

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["DIGITS", "KINDS", "STYLES", "UNSEEN_STYLE", "Attributes", "Drawing", "draw"]

SCAN = "scan"
"""The style of digits that went through a small scanner: 8 x 8 grey levels, enlarged."""


@dataclass(frozen=True)
class Attributes:
    """What is true of a drawing. `script` is "handwritten" or "printed" for digits, "" for things."""

    kind: str
    colour: str
    texture: str
    background: str
    backdrop: str  # the texture of the background
    style: str
    script: str


class Drawing(NamedTuple):
    """A picture (RGB) and what is true of it."""

    image: Image.Image
    attributes: Attributes


def draw(
    kind: str, seed: int, size: tuple[int, int] = (64, 64), *, style: str | None = None, effects: bool = True
) -> Drawing:
    """Draw a picture of `kind` (one of KINDS or DIGITS), `size` (width, height) pixels large.

    The subject lies inside the central square. `style` is one of STYLES or UNSEEN_STYLE, or for digits
    "scan"; None picks one of STYLES (for digits, often "scan"). `effects` lets some pictures be partly
    covered, blurred or of low resolution. The same arguments give the same picture. Raises UsageError
    for an unknown kind or style, or a size under 8 pixels.
    """
    _check(kind, size, style)
    rng = random.Random(f"{kind} {seed}")
    if style is None:
        style = SCAN if kind in DIGITS and rng.random() < 0.4 else rng.choice(STYLES)
    if style == SCAN:
        return _scan(kind, size, rng)
    colour, background = rng.sample(tuple(COLOURS), 2)
    body, paper = shade(colour, rng), shade(background, rng)
    while distance(body, paper) < 125:
        background = rng.choice(tuple(COLOURS))
        paper = shade(background, rng)
    backdrop = rng.choice(TEXTURES) if rng.random() < 0.3 else "plain"
    texture = rng.choice(TEXTURES) if rng.random() < 0.35 and style not in ("line", "silhouette") else "plain"
    script = ""
    if kind in KINDS:
        parts = thing(kind, rng)
    else:
        script = "handwritten" if rng.random() < 0.55 else "printed"
        parts = (handwritten if script == "handwritten" else printed)(kind, rng)
    if kind in DIGITS or style == UNSEEN_STYLE:
        texture = "plain"
    look = Look(style, palette(body, paper, rng), texture)
    image = _picture(parts, size, look, backdrop=backdrop, effects=effects, rng=rng)
    return Drawing(image, Attributes(kind, colour, texture, background, backdrop, style, script))


def _check(kind: str, size: tuple[int, int], style: str | None) -> None:
    if kind not in KINDS and kind not in DIGITS:
        raise UsageError(f"nothing called {kind!r} can be drawn", f"use one of: {', '.join(KINDS + DIGITS)}")
    styles = (*STYLES, UNSEEN_STYLE, SCAN) if kind in DIGITS else (*STYLES, UNSEEN_STYLE)
    if style is not None and style not in styles:
        raise UsageError(f"there is no drawing style {style!r} for {kind!r}", f"use one of: {', '.join(styles)}")
    if min(size) < 8:
        raise UsageError(f"a drawing cannot be {size[0]} x {size[1]} pixels", "ask for at least 8 x 8")


def _picture(
    parts: list[Part], size: tuple[int, int], look: Look, *, backdrop: str, effects: bool, rng: random.Random
) -> Image.Image:
    """Background, subject, and what befalls it; drawn at twice the size and averaged down."""
    from PIL import Image

    paper = look.colours["paper"]
    wide, high = 2 * size[0], 2 * size[1]
    side = min(wide, high)
    canvas = _background((wide, high), paper, backdrop, rng)
    unit = side / 2 * rng.choice((rng.uniform(0.5, 0.72), rng.uniform(0.68, 0.92)))
    placed = _posed(parts, (wide / 2, high / 2), unit, (side / 2 - unit) * 0.9, rng)
    paint(canvas, placed, look, unit, rng)
    if effects and rng.random() < 0.15:
        _cover(canvas, unit, paper, rng)
    image = canvas.reduce(2)
    if look.style == "pixel":
        image = _coarse(image, rng.uniform(20, 30), Image.Resampling.NEAREST)
    elif effects:
        image = _worn(image, rng)
    return image


def _posed(parts: list[Part], centre: Point, unit: float, slack: float, rng: random.Random) -> list[Part]:
    """The parts put on the canvas: wobbled, stretched, turned a little, shifted by up to `slack` pixels."""
    warp, turn = wobbled(rng, rng.uniform(0, 0.035)), turned(rng.gauss(0, 8))
    stretch, lean = rng.uniform(0.88, 1.0), rng.gauss(0, 0.06)
    dx, dy = centre[0] + rng.uniform(-slack, slack), centre[1] + rng.uniform(-slack, slack)
    across = rng.random() < 0.5

    def place(point: Point) -> Point:
        x, y = turn(warp(point))
        x, y = (x * stretch, y) if across else (x, y * stretch)
        return dx + unit * (x + lean * y), dy + unit * y

    return moved(parts, place, unit)


def _background(size: tuple[int, int], paper: RGB, backdrop: str, rng: random.Random) -> Image.Image:
    """Plain, sloping or textured paper, sometimes with a ground to stand on."""
    from PIL import Image, ImageDraw

    canvas = Image.new("RGB", size, paper)
    other = mix(paper, rng.choice(((0, 0, 0), (255, 255, 255))), rng.uniform(0.15, 0.35))
    if backdrop != "plain":
        canvas.paste(other, mask=pattern(size, backdrop, min(size) * rng.uniform(0.1, 0.25), rng))
    elif rng.random() < 0.3:
        canvas.paste(other, mask=Image.linear_gradient("L").rotate(rng.choice((0, 90, 180))).resize(size))
    elif rng.random() < 0.2:
        top = size[1] * rng.uniform(0.6, 0.85)
        ImageDraw.Draw(canvas).rectangle((0, top, *size), fill=other)
    return canvas


def _cover(canvas: Image.Image, unit: float, paper: RGB, rng: random.Random) -> None:
    """Something in front: a bar across an edge of the subject, or a blob over a corner of it."""
    from PIL import ImageDraw

    colour = rng.choice((paper, shade(rng.choice(tuple(COLOURS)), rng)))
    pen = ImageDraw.Draw(canvas)
    x, y = canvas.width / 2, canvas.height / 2
    if rng.random() < 0.5:
        turn = turned(rng.choice((0, 90, 180, 270)) + rng.gauss(0, 15), x, y)
        near, far = unit * rng.uniform(0.6, 0.9), unit * 4
        bar = [(x - far, y + near), (x + far, y + near), (x + far, y + far), (x - far, y + far)]
        thin = [(x - far, y + near), (x + far, y + near), (x + far, y + near * 1.25), (x - far, y + near * 1.25)]
        pen.polygon([turn(p) for p in (bar if rng.random() < 0.5 else thin)], fill=colour)
        return
    r = unit * rng.uniform(0.15, 0.32)
    at = turned(rng.uniform(0, 360), x, y)((x + unit * rng.uniform(0.5, 0.9), y))
    pen.polygon(ellipse(at[0], at[1], r, r * rng.uniform(0.7, 1.4)), fill=colour)


def _worn(image: Image.Image, rng: random.Random) -> Image.Image:
    """Some pictures out of focus, some enlarged from few pixels; most as they are."""
    from PIL import Image, ImageFilter

    fate = rng.random()
    if fate < 0.12:
        return image.filter(ImageFilter.GaussianBlur(min(image.size) / 64 * rng.uniform(0.4, 1.2)))
    if fate < 0.24:
        how = rng.choice((Image.Resampling.BICUBIC, Image.Resampling.BILINEAR, Image.Resampling.NEAREST))
        return _coarse(image, rng.uniform(18, 36), how)
    return image


def _coarse(image: Image.Image, dots: float, how: Image.Resampling) -> Image.Image:
    """The image through a grid of about `dots` pixels on its shorter side, enlarged by `how`."""
    from PIL import Image

    step = min(image.size) / dots
    small = image.resize([max(1, round(s / step)) for s in image.size], Image.Resampling.BOX)
    return small.resize(image.size, how)


def _scan(digit: str, size: tuple[int, int], rng: random.Random) -> Drawing:
    """A scanned digit: light ink on dark or dark on light, enlarged smoothly or in blocks."""
    from PIL import Image

    levels = scanned(digit, rng)
    bright = rng.random() < 0.6
    ink, paper = (rng.randint(215, 255), rng.randint(0, 30)) if bright else (rng.randint(0, 40), rng.randint(225, 255))
    grid = Image.new("L", levels.size, paper)
    grid.paste(ink, mask=levels)
    side = max(8, round(min(size) * rng.choice((1, 1, 1, rng.uniform(0.75, 1)))))
    how = rng.choice(
        (Image.Resampling.BICUBIC, Image.Resampling.BICUBIC, Image.Resampling.BILINEAR, Image.Resampling.NEAREST)
    )
    image = Image.new("L", size, paper)
    image.paste(grid.resize((side, side), how), ((size[0] - side) // 2, (size[1] - side) // 2))
    colours = ("white", "black") if bright else ("black", "white")
    return Drawing(
        image.convert("RGB"), Attributes(digit, colours[0], "plain", colours[1], "plain", SCAN, "handwritten")
    )
