"""Vector shapes that drawings are made of, in a box from -1 to 1 with y pointing down."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import ImageDraw

Point = tuple[float, float]
Line = Sequence[Point]


@dataclass(frozen=True)
class Part:
    """One part of a drawing: filled areas (width 0) or strokes, painted as one in one tone.

    Tones are roles, not colours: "body" (the colour a caption may state), "accent", "dark", "light".
    """

    tone: str
    lines: tuple[Line, ...]
    width: float = 0.0


def area(tone: str, *outlines: Line) -> Part:
    """A part filled inside each of `outlines`."""
    return Part(tone, outlines)


def stroke(tone: str, width: float, *lines: Line) -> Part:
    """A part drawn along each of `lines` with a round pen of `width`."""
    return Part(tone, lines, width)


def ellipse(x: float, y: float, rx: float, ry: float, arc: tuple[float, float] = (0, 360)) -> list[Point]:
    """Points along an ellipse, over an `arc` of angles in degrees (0 is right, 90 is down)."""
    start, stop = arc
    steps = max(6, round(abs(stop - start) / 15))
    angles = [math.radians(start + (stop - start) * i / steps) for i in range(steps + 1)]
    return [(x + rx * math.cos(a), y + ry * math.sin(a)) for a in angles]


def box(left: float, top: float, right: float, bottom: float) -> list[Point]:
    """The corners of an upright rectangle."""
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def regular(n: int, x: float, y: float, radius: float, turn: float = -90.0) -> list[Point]:
    """The `n` corners of a regular polygon, the first at angle `turn`."""
    return [
        (x + radius * math.cos(a), y + radius * math.sin(a))
        for a in (math.radians(turn + 360 * i / n) for i in range(n))
    ]


def smooth(points: Line, steps: int = 5) -> list[Point]:
    """A Catmull-Rom spline through `points`, `steps` points to a piece."""
    knots = [points[0], *points, points[-1]]
    curve: list[Point] = []
    for (ax, ay), (bx, by), (cx, cy), (dx, dy) in zip(knots, knots[1:], knots[2:], knots[3:], strict=False):
        for i in range(steps):
            t = i / steps
            t2, t3 = t * t, t * t * t
            w0, w1, w2, w3 = 2 * t2 - t - t3, 2 - 5 * t2 + 3 * t3, t + 4 * t2 - 3 * t3, t3 - t2
            curve.append(((w0 * ax + w1 * bx + w2 * cx + w3 * dx) / 2, (w0 * ay + w1 * by + w2 * cy + w3 * dy) / 2))
    return [*curve, points[-1]]


def moved(parts: Sequence[Part], move: Callable[[Point], Point], scale: float = 1.0) -> list[Part]:
    """The parts with every point put through `move`, and every pen width times `scale`."""
    return [
        replace(p, lines=tuple([move(point) for point in line] for line in p.lines), width=p.width * scale)
        for p in parts
    ]


def turned(degrees: float, x: float = 0.0, y: float = 0.0) -> Callable[[Point], Point]:
    """A rotation about (x, y), for `moved`."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return lambda p: (x + c * (p[0] - x) - s * (p[1] - y), y + s * (p[0] - x) + c * (p[1] - y))


def wobbled(rng: random.Random, amount: float) -> Callable[[Point], Point]:
    """A smooth random warp of the plane by about `amount`, for `moved`: what an unsteady hand does."""
    fx, fy = rng.uniform(2, 4), rng.uniform(2, 4)
    px, py = rng.uniform(0, 6.28), rng.uniform(0, 6.28)
    return lambda p: (p[0] + amount * math.sin(fx * p[1] + px), p[1] + amount * math.sin(fy * p[0] + py))


def fill(
    pen: ImageDraw.ImageDraw, part: Part, colour: tuple[int, int, int] | int, grow: float = 0.0, edges: bool = False
) -> None:
    """Fill a part, or stroke it; `grow` widens strokes, and with `edges` the outlines of areas are inked too."""
    for line in part.lines:
        if part.width:
            _stroke_along(pen, line, part.width + grow, colour)
            continue
        pen.polygon(line, fill=colour)
        if edges:
            _stroke_along(pen, [*line, line[0]], grow, colour)


def _stroke_along(pen: ImageDraw.ImageDraw, line: Line, width: float, colour: tuple[int, int, int] | int) -> None:
    pen.line(line, fill=colour, width=max(1, round(width)))
    if width > 2.5:  # round joints and ends
        r = width / 2
        for x, y in line:
            pen.ellipse((x - r, y - r, x + r, y + r), fill=colour)
