"""The things the project can draw: shapes, objects and animals, each a function of a random generator.

A function returns the parts of one drawing, back to front, in a box from about -1 to 1. No two drawings
of a kind are alike: proportions, counts and details come from the generator.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from core.pocket import animals
from core.pocket.shapes import Part, area, box, ellipse, moved, regular, smooth, stroke, turned

Rng = random.Random


def _star(rng: Rng) -> list[Part]:
    n, inner = rng.choice((5, 5, 5, 6)), rng.uniform(0.38, 0.52)
    outer, inside = regular(n, 0, 0, 1), regular(n, 0, 0, inner, -90 + 180 / n)
    return [area("body", [p for pair in zip(outer, inside, strict=True) for p in pair])]


def _heart(rng: Rng) -> list[Part]:
    dip, wide = rng.uniform(0.25, 0.5), rng.uniform(0.85, 1.0)
    right = smooth([(0, -dip), (0.3, -0.82), (0.75, -0.8), (1.0, -0.35), (0.75, 0.2), (0, 0.95)])
    return [area("body", [(wide * x, y) for x, y in right] + [(-wide * x, y) for x, y in reversed(right)])]


def _triangle(rng: Rng) -> list[Part]:
    parts = [area("body", [(rng.uniform(-0.35, 0.35), -0.9), (0.95, 0.8), (-0.95, 0.8)])]
    return moved(parts, turned(rng.choice((0, 0, 0, 180))))


def _square(rng: Rng) -> list[Part]:
    tall = rng.uniform(0.72, 0.85)
    return moved([area("body", box(-0.8, -tall, 0.8, tall))], turned(rng.choice((0, 0, 0, 45))))


def _arrow(rng: Rng) -> list[Part]:
    thick, neck, wide = rng.uniform(0.12, 0.3), rng.uniform(-0.1, 0.35), rng.uniform(0.5, 0.8)
    outline = [(-1, -thick), (neck, -thick), (neck, -wide), (1, 0), (neck, wide), (neck, thick), (-1, thick)]
    return moved([area("body", outline)], turned(rng.choice((0, 90, 180, 270, 45, 315))))


def _umbrella(rng: Rng) -> list[Part]:
    top, rim, n = rng.uniform(-0.95, -0.75), rng.uniform(-0.1, 0.1), rng.choice((3, 4, 5))
    canopy = ellipse(0, rim, 0.98, rim - top, (180, 360))
    for i in range(n):  # the scallops, from right to left
        canopy += ellipse(0.98 - (2 * i + 1) * 0.98 / n, rim, 0.98 / n, rng.uniform(0.12, 0.2), (360, 180))
    hook = ellipse(-0.16, 0.75, 0.16, 0.2, (0, 170))
    parts = [stroke("dark", rng.uniform(0.07, 0.12), [(0, top - 0.08), (0, 0.75), *hook]), area("body", canopy)]
    if rng.random() < 0.6:
        ribs = [[(0, top), (0.98 - 2 * i * 0.98 / n, rim)] for i in range(1, n)]
        parts.append(stroke("accent", 0.04, *ribs))
    return parts


def _car(rng: Rng) -> list[Part]:
    roof, front, back = rng.uniform(-0.65, -0.45), rng.uniform(0.15, 0.5), rng.uniform(-0.85, -0.45)
    belt, floor, wheel = rng.uniform(-0.1, 0.05), 0.45, rng.uniform(0.2, 0.28)
    cabin = [(back, belt), (back + 0.2, roof), (front - 0.1, roof), (front + 0.25, belt)]
    hull = [(-1, belt + 0.08), (-0.92, belt), (0.85, belt), (1, belt + 0.2), (1, floor), (-1, floor)]
    post = (back + front) / 2
    panes = [
        [(back + 0.12, belt), (back + 0.26, roof + 0.1), (post - 0.04, roof + 0.1), (post - 0.04, belt)],
        [(post + 0.04, belt), (post + 0.04, roof + 0.1), (front - 0.14, roof + 0.1), (front + 0.12, belt)],
    ]
    parts = [area("body", cabin), area("body", hull), area("light", *panes)]
    for x in (-0.55, 0.55):
        parts += [area("dark", ellipse(x, floor, wheel, wheel))]
        parts += [area("light", ellipse(x, floor, wheel * 0.45, wheel * 0.45))]
    return parts


def _house(rng: Rng) -> list[Part]:
    eaves, half, over = rng.uniform(-0.3, 0.0), rng.uniform(0.65, 0.85), rng.uniform(0.05, 0.2)
    door = rng.uniform(-0.4, 0.4)
    parts = []
    if rng.random() < 0.5:
        parts.append(area("dark", box(0.35, -0.85, 0.55, eaves)))
    parts.append(area("body", box(-half, eaves, half, 0.9)))
    parts.append(area("accent", [(0, -0.95), (half + over, eaves), (-half - over, eaves)]))
    parts.append(area("dark", box(door - 0.13, 0.4, door + 0.13, 0.9)))
    side = -0.42 if door > 0 else 0.42
    parts.append(area("light", box(side - 0.16, eaves + 0.2, side + 0.16, eaves + 0.52)))
    return parts


def _tree(rng: Rng) -> list[Part]:
    thin = rng.uniform(0.08, 0.15)
    trunk = area("dark", [(-thin, 0.1), (thin, 0.1), (thin * 1.3, 0.98), (-thin * 1.3, 0.98)])
    if rng.random() < 0.5:  # a conifer
        n, half = rng.choice((2, 3)), rng.uniform(0.55, 0.75)
        tiers = []
        for i in range(n):
            top, low, reach = -1 + i * 0.9 / n, -0.9 + (i + 1) * 1.4 / n, half * (0.6 + 0.4 * (i + 1) / n)
            tiers.append([(0, top), (reach, low), (-reach, low)])
        return [trunk, area("body", *reversed(tiers))]
    blobs = [ellipse(0, -0.3, rng.uniform(0.55, 0.7), rng.uniform(0.55, 0.68))]
    n = rng.choice((0, 3, 4))
    blobs += [ellipse(rng.uniform(-0.5, 0.5), rng.uniform(-0.6, 0.1), 0.35, 0.33) for _ in range(n)]
    return [trunk, area("body", *blobs)]


def _flower(rng: Rng) -> list[Part]:
    n, reach, y = rng.choice((5, 6, 7, 8)), rng.uniform(0.36, 0.44), -0.38
    bend = rng.uniform(-0.2, 0.2)
    parts = [stroke("accent", 0.09, smooth([(0, y), (bend, 0.3), (0, 0.98)]))]
    sides = rng.choice(((1,), (-1,), (1, -1)))
    leaves = [smooth([(0, 0.75), (s * 0.25, 0.4), (s * 0.6, 0.35), (0, 0.75)]) for s in sides]
    parts.append(area("accent", *leaves))
    petal = ellipse(reach, 0, rng.uniform(0.2, 0.27), rng.uniform(0.14, 0.22))
    petals = [[turned(360 * i / n)(p) for p in petal] for i in range(n)]
    parts.append(area("body", *[[(px, py + y) for px, py in p] for p in petals]))
    hub = rng.uniform(0.17, 0.26)
    return [*parts, area(rng.choice(("dark", "light")), ellipse(0, y, hub, hub))]


def _cup(rng: Rng) -> list[Part]:
    top, foot, half = rng.uniform(-0.6, -0.35), rng.uniform(0.4, 0.65), 0.65
    ear = ellipse(half - 0.05, 0.1, rng.uniform(0.28, 0.36), rng.uniform(0.28, 0.38), (-80, 80))
    parts = [stroke("body", rng.uniform(0.1, 0.15), ear)]
    parts.append(area("body", [(-half, top), (half, top), (foot, 0.75), (-foot, 0.75)]))
    if rng.random() < 0.7:
        parts.append(area(rng.choice(("light", "dark")), ellipse(0, top, half, rng.uniform(0.08, 0.16))))
    if rng.random() < 0.4:
        steam = [smooth([(x, -0.95), (x + 0.1, -0.82), (x, -0.68)]) for x in (-0.25, 0.15)]
        parts.append(stroke("accent", 0.06, *steam))
    return parts


def _key(rng: Rng) -> list[Part]:
    ring, pen = rng.uniform(0.24, 0.32), rng.uniform(0.12, 0.17)
    teeth = [[(x, 0), (x, rng.uniform(0.25, 0.4))] for x in rng.choice(((0.9, 0.62), (0.85, 0.6, 0.35)))]
    bow = ellipse(-0.62, 0, ring, ring * rng.uniform(0.85, 1.15))
    parts = [stroke("body", pen, bow, [(-0.62 + ring, 0), (0.95, 0)], *teeth)]
    return moved(parts, turned(rng.choice((0, 0, 90, 180, 270, 45, -45))))


def _boat(rng: Rng) -> list[Part]:
    deck, mast = rng.uniform(0.3, 0.45), rng.uniform(-0.15, 0.15)
    hull = [(-0.95, deck), (0.95, deck), (rng.uniform(0.5, 0.7), 0.85), (-rng.uniform(0.5, 0.7), 0.85)]
    swap = rng.random() < 0.3
    sail, wood = ("light", "body") if swap else ("body", rng.choice(("dark", "accent", "body")))
    parts = [stroke("dark", 0.07, [(mast, -0.95), (mast, deck)]), area(wood, hull)]
    parts.append(area(sail, [(mast + 0.06, -0.9), (mast + 0.06, deck - 0.1), (0.8, deck - 0.1)]))
    if rng.random() < 0.7:
        parts.append(area(sail, [(mast - 0.06, -0.7), (mast - 0.06, deck - 0.1), (-0.75, deck - 0.1)]))
    return parts


def _clock(rng: Rng) -> list[Part]:
    rim = rng.uniform(0.68, 0.84)
    parts = [area("body", ellipse(0, 0, 0.95, 0.95)), area("light", ellipse(0, 0, rim, rim))]
    n = rng.choice((4, 12, 12))
    ticks = zip(regular(n, 0, 0, rim * 0.93), regular(n, 0, 0, rim * 0.76), strict=True)
    parts.append(stroke("dark", 0.06, *[list(t) for t in ticks]))
    hour, minute = rng.uniform(0, 360), rng.uniform(0, 360)
    hands = [[(0.0, 0.0), turned(hour)((0.38, 0))], [(0.0, 0.0), turned(minute)((0.6, 0))]]
    return [*parts, stroke("dark", rng.uniform(0.07, 0.1), *hands)]


def _chair(rng: Rng) -> list[Part]:
    seat, pen, depth = rng.uniform(0.05, 0.25), rng.uniform(0.1, 0.16), rng.uniform(0.1, 0.25)
    legs = [[(-0.55, -0.95), (-0.55, 0.95)], [(0.55, seat), (0.55, 0.95)]]
    if rng.random() < 0.6:
        legs += [[(-0.25, seat), (-0.25, 0.75)], [(0.3, seat), (0.3, 0.75)]]
    parts = [stroke("body", pen, *legs)]
    if rng.random() < 0.5:  # the back seen at an angle
        back = [(-0.6, -0.95), (-0.1, -0.8), (-0.1, seat - 0.3), (-0.6, seat - 0.35)]
        parts.append(area("body", back))
    return [*parts, area("body", [(-0.62, seat), (-0.3, seat - depth), (0.66, seat - depth), (0.62, seat + 0.1)])]


def _mushroom(rng: Rng) -> list[Part]:
    rim, thin = rng.uniform(-0.05, 0.2), rng.uniform(0.2, 0.32)
    stem = [(-thin, rim), (thin, rim), (thin * 1.3, 0.85), (0, 0.95), (-thin * 1.3, 0.85)]
    cap = ellipse(0, rim, 0.95, rng.uniform(0.75, 1.05), (180, 360)) + ellipse(0, rim, 0.95, 0.12, (0, 180))
    parts = [area("light", stem), area("body", cap)]
    if rng.random() < 0.75:
        places = [(-0.5, -0.22), (0.0, -0.5), (0.5, -0.2), (0.05, -0.1)]
        spots = [ellipse(x, y + rim, rng.uniform(0.09, 0.15), rng.uniform(0.08, 0.13)) for x, y in places]
        parts.append(area("light", *spots))
    return parts


def _snowman(rng: Rng) -> list[Part]:
    low, mid = rng.uniform(0.42, 0.5), rng.uniform(0.28, 0.34)
    parts = [stroke("dark", 0.06, [(-0.25, 0.0), (-0.8, -0.25)], [(0.25, 0.0), (0.8, -0.3)])]
    parts += [area("body", ellipse(0, 0.52, low, low - 0.04)), area("body", ellipse(0, -0.1, mid + 0.04, mid))]
    parts.append(area("body", ellipse(0, -0.52, 0.25, 0.25)))
    parts.append(area("dark", ellipse(-0.09, -0.57, 0.04, 0.04), ellipse(0.09, -0.57, 0.04, 0.04)))
    parts.append(area("accent", [(0, -0.52), (0.3, -0.46), (0, -0.43)]))
    if rng.random() < 0.8:
        parts.append(area("dark", box(-0.3, -0.78, 0.3, -0.7), box(-0.19, -1.0, 0.19, -0.74)))
    if rng.random() < 0.6:
        parts.append(area("dark", *[ellipse(0, y, 0.05, 0.05) for y in (-0.15, 0.05, 0.4)]))
    return parts


def _bicycle(rng: Rng) -> list[Part]:
    wheel, pen = rng.uniform(0.36, 0.42), rng.uniform(0.06, 0.09)
    hubs = ((-0.57, 0.4), (0.57, 0.4))
    rims = [ellipse(x, y, wheel, wheel) for x, y in hubs]
    seat, head, crank = (-0.25, -0.25), (0.38, -0.25), (0.0, 0.38)
    frame = [[hubs[0], seat, head, hubs[1]], [hubs[0], crank, seat], [crank, head]]
    bars = [head, (0.33, -0.5), (rng.choice((0.1, 0.55)), -0.55)]
    parts = [stroke(rng.choice(("dark", "body")), pen, *rims), stroke("body", pen * 1.2, *frame, bars)]
    return [*parts, stroke("dark", 0.12, [(-0.42, -0.36), (-0.15, -0.36)])]


_DRAWERS: dict[str, Callable[[Rng], list[Part]]] = {
    "star": _star,
    "heart": _heart,
    "triangle": _triangle,
    "square": _square,
    "arrow": _arrow,
    "umbrella": _umbrella,
    "car": _car,
    "house": _house,
    "tree": _tree,
    "flower": _flower,
    "cup": _cup,
    "key": _key,
    "boat": _boat,
    "clock": _clock,
    "chair": _chair,
    "mushroom": _mushroom,
    "snowman": _snowman,
    "bicycle": _bicycle,
    "fish": animals.fish,
    "cat": animals.cat,
    "bird": animals.bird,
    "butterfly": animals.butterfly,
    "snail": animals.snail,
    "turtle": animals.turtle,
}
KINDS: tuple[str, ...] = tuple(_DRAWERS)
"""The kinds of things, in a fixed order."""


def thing(kind: str, rng: random.Random) -> list[Part]:
    """The parts of one drawing of `kind` (one of KINDS), back to front; half of them mirrored."""
    parts = _DRAWERS[kind](rng)
    return moved(parts, lambda p: (-p[0], p[1])) if rng.random() < 0.5 else parts
