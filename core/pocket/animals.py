"""The animals the project can draw, like the things of things.py."""

from __future__ import annotations

import math
import random

from core.pocket.shapes import Part, Point, area, box, ellipse, moved, smooth, stroke, turned

Rng = random.Random


def fish(rng: Rng) -> list[Part]:
    """The parts of one fish."""
    tall, tail = rng.uniform(0.38, 0.6), rng.uniform(0.35, 0.55)
    parts = [area("accent", [(0.45, 0), (0.98, -tail), (0.85, 0), (0.98, tail)])]
    fin = [(-0.3, -tall * 0.8), (0.05, -tall - 0.3), (0.3, -tall * 0.7)]
    parts += [area("accent", fin), area("body", ellipse(-0.18, 0, 0.78, tall))]
    if rng.random() < 0.5:
        parts.append(area("accent", [(-0.15, 0.05), (0.2, -0.12), (0.2, 0.25)]))
    parts.append(area("light", ellipse(-0.6, -0.12, 0.12, 0.12)))
    return [*parts, area("dark", ellipse(-0.62, -0.12, 0.06, 0.06))]


def cat(rng: Rng) -> list[Part]:
    """The parts of one cat."""
    whole = rng.random() < 0.6
    parts = []
    if whole:  # sitting, seen from the front
        tail = smooth([(0.35, 0.8), (0.75, 0.75), (0.8, 0.3), (rng.uniform(0.6, 0.95), 0.05)])
        parts.append(stroke("body", 0.13, tail))
        parts.append(area("body", ellipse(0, 0.55, rng.uniform(0.38, 0.5), 0.45)))
    x, y, wide, high = 0.0, -0.35 if whole else 0.05, 0.48, 0.4
    ears = [[(s * 0.46, y - 0.1), (s * 0.44, y - rng.uniform(0.58, 0.68)), (s * 0.12, y - 0.33)] for s in (-1, 1)]
    parts.append(area("body", *ears, ellipse(x, y, wide, high)))
    eye = rng.choice(("dark", "light"))
    parts.append(area(eye, ellipse(-0.18, y - 0.05, 0.07, 0.09), ellipse(0.18, y - 0.05, 0.07, 0.09)))
    parts.append(area("dark", [(-0.06, y + 0.1), (0.06, y + 0.1), (0, y + 0.18)]))
    hairs = [[(s * 0.15, y + 0.15), (s * 0.68, y + d)] for s in (-1, 1) for d in (0.05, 0.2)]
    parts.append(stroke("dark", 0.03, *hairs))
    return parts if whole else moved(parts, lambda p: (1.6 * p[0], 1.6 * p[1]), 1.6)


def bird(rng: Rng) -> list[Part]:
    """The parts of one bird."""
    slim = rng.uniform(0.34, 0.45)
    parts = [stroke("dark", 0.05, [(-0.05, 0.4), (-0.05, 0.9)], [(0.15, 0.4), (0.15, 0.9)])]
    parts.append(area("accent", [(0.45, 0.0), (1.0, rng.uniform(-0.35, 0.1)), (0.95, 0.25), (0.4, 0.3)]))
    parts.append(area("accent", [(-0.75, -0.5), (-1.0, -0.38), (-0.72, -0.3)]))
    parts.append(area("body", ellipse(0.08, 0.12, 0.55, slim), ellipse(-0.5, -0.4, 0.29, 0.28)))
    wing = [(-0.2, 0.0), (0.2, -0.12), (0.65, rng.uniform(0.1, 0.3)), (0.15, 0.35), (-0.2, 0.0)]
    parts.append(area("accent", smooth(wing)))
    return [*parts, area("dark", ellipse(-0.56, -0.45, 0.06, 0.06))]


def butterfly(rng: Rng) -> list[Part]:
    """The parts of one butterfly."""
    up, low, lean = rng.uniform(0.4, 0.5), rng.uniform(0.26, 0.38), rng.uniform(20, 40)
    upper = [turned(-lean)(p) for p in ellipse(0.52, 0, 0.45, up * 0.8)]
    lower = [turned(lean)(p) for p in ellipse(0.42, 0.1, 0.36, low)]
    wings = [[(s * x, y + shift) for x, y in w] for s in (-1, 1) for w, shift in ((upper, -0.1), (lower, 0.15))]
    parts = [area("body", *wings)]
    if rng.random() < 0.6:
        dots = [ellipse(s * x, y, 0.12, 0.12) for s in (-1, 1) for x, y in ((0.5, -0.42), (0.4, 0.42))]
        parts.append(area(rng.choice(("light", "accent")), *dots))
    parts.append(stroke("dark", 0.04, [(0, -0.4), (-0.25, -0.85)], [(0, -0.4), (0.25, -0.85)]))
    return [*parts, area("dark", ellipse(0, 0.05, 0.08, 0.55))]


def snail(rng: Rng) -> list[Part]:
    """The parts of one snail."""
    shell, turns = rng.uniform(0.48, 0.6), rng.uniform(1.6, 2.4)
    foot = [(-0.95, 0.1), (-0.6, 0.1), (-0.45, 0.5), (0.6, 0.55), (0.98, 0.8), (-0.7, 0.8), (-0.95, 0.45)]
    parts = [stroke("accent", 0.06, [(-0.85, 0.15), (-0.98, -0.3)], [(-0.7, 0.15), (-0.65, -0.3)])]
    parts += [area("accent", foot), area("body", ellipse(0.18, 0.1, shell, shell))]
    n = 26
    coil: list[Point] = []
    for i in range(n):
        angle, r = 6.28 * turns * i / n, shell * 0.9 * (1 - i / n)
        coil.append((0.18 + r * math.cos(angle), 0.1 + r * math.sin(angle)))
    return [*parts, stroke("dark", 0.06, coil)]


def turtle(rng: Rng) -> list[Part]:
    """The parts of one turtle."""
    high, rim = rng.uniform(0.65, 0.9), 0.35
    legs = [ellipse(x, rim + 0.18, 0.16, 0.26) for x in (-0.4, 0.4)]
    parts = [area("accent", *legs), area("accent", [(0.6, rim - 0.1), (0.98, rim + 0.1), (0.6, rim + 0.08)])]
    neck = ellipse(-0.82, rng.uniform(0.0, 0.2), 0.2, 0.17)
    parts.append(area("accent", neck, box(-0.85, 0.15, -0.55, rim + 0.03)))
    parts.append(area("dark", ellipse(-0.88, 0.05, 0.04, 0.04)))
    parts.append(area("body", ellipse(0, rim, 0.72, high, (180, 360))))
    plates = [[(x, rim), (x * 0.7, rim - high * 0.85)] for x in (-0.3, 0.3)]
    return [*parts, stroke("dark", 0.05, *plates, [(-0.62, rim - high * 0.45), (0.62, rim - high * 0.45)])]
