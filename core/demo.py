"""The demo: a small pile of drawn pictures with everything in it that a real pile has.

About 400 pictures of a dozen kinds. The kind begins the file's name, so that anyone can check the groups; the
program itself never reads it.
"""

from __future__ import annotations

import io
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import ShoeboxError, UsageError

if TYPE_CHECKING:
    from PIL.Image import Image

MARKER = ".shoebox-demo.json"
"""Lies in a folder that the demo drew, with what it was drawn from."""
KINDS = (
    *("bicycle", "butterfly", "car", "fish", "flower", "house"),
    *("key", "mushroom", "snowman", "star", "tree", "umbrella"),
)
EACH = 32
TWINS = 3
"""Pictures of each kind that come a second time, smaller and compressed harder."""
ODD = 6
"""Pictures that fit nowhere."""
SIZES = ((320, 320), (400, 300), (300, 400), (640, 360), (256, 256), (500, 333), (97, 131))
VERSION = 1
"""Of the pile: another version draws other pictures."""

_ORIENTATION = 0x0112
_TURNED_BACK = {3: "ROTATE_180", 6: "ROTATE_90", 8: "ROTATE_270"}
"""How to store a picture so that this EXIF orientation shows it upright."""


@dataclass(frozen=True, slots=True)
class DrawnFile:
    """One file of the pile."""

    name: str
    data: bytes


def draw_pile(folder: Path, *, seed: int = 0) -> None:
    """Draws the pile into `folder`, unless it lies there already; one left half drawn is drawn again.

    Same seed, same bytes. Raises UsageError where `folder` holds anything else, ShoeboxError where it cannot be
    written.
    """
    said = {"program": "shoebox demo", "version": VERSION, "seed": seed}
    begun, whole = said | {"whole": False}, said | {"whole": True}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        drawn = _drawn(folder)
        if drawn == whole:
            return
        if drawn != begun and any(folder.iterdir()):
            raise UsageError(f"{folder} is not empty", "name a new folder for the demo")
        (folder / MARKER).write_text(json.dumps(begun))
        for file in pile(seed):
            (folder / file.name).write_bytes(file.data)
        (folder / MARKER).write_text(json.dumps(whole))
    except OSError as error:
        raise ShoeboxError(f"cannot draw into {folder} ({error.strerror})", "name another folder") from error


def pile(seed: int) -> Iterator[DrawnFile]:
    """The files of the pile, one after the other."""
    from core.pocket.draw import draw

    rng = random.Random(seed)
    for kind in KINDS:
        for index in range(1, EACH + 1):
            image = draw(kind, rng.getrandbits(31), rng.choice(SIZES)).image
            yield _stored(f"{kind}-{index:03}", image, rng)
            if index <= TWINS:
                small = image.resize((max(1, image.width * 3 // 4), max(1, image.height * 3 // 4)))
                yield DrawnFile(f"{kind}-{index:03}-small.jpg", _encoded(small, "JPEG", quality=60))
    for index in range(1, ODD + 1):
        yield DrawnFile(f"odd-{index:03}.png", _encoded(_odd(rng), "PNG"))
    broken = _encoded(draw("car", rng.getrandbits(31), (400, 300)).image, "JPEG", quality=90)
    yield DrawnFile("broken-001.jpg", broken[: len(broken) // 2])


def _drawn(folder: Path) -> object:
    try:
        return json.loads((folder / MARKER).read_text())
    except (OSError, ValueError):
        return None


def _stored(name: str, image: Image, rng: random.Random) -> DrawnFile:
    """Most as PNG; some as JPEG, turned, with an EXIF orientation that turns them back."""
    import PIL.Image

    if rng.random() < 0.7:
        return DrawnFile(f"{name}.png", _encoded(image, "PNG"))
    orientation = rng.choice((1, 3, 6, 8))
    exif = PIL.Image.Exif()
    exif[_ORIENTATION] = orientation
    turn = _TURNED_BACK.get(orientation)
    stored = image.transpose(PIL.Image.Transpose[turn]) if turn else image
    return DrawnFile(f"{name}.jpg", _encoded(stored, "JPEG", quality=88, exif=exif))


def _odd(rng: random.Random) -> Image:
    """Stripes of random colours: no kind of thing."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (300, 300))
    pencil = ImageDraw.Draw(image)
    slant = rng.randint(-150, 150)
    for left in range(-150, 450, rng.randint(12, 60)):
        colour = (rng.randrange(256), rng.randrange(256), rng.randrange(256))
        pencil.line((left, -10, left + slant, 310), fill=colour, width=rng.randint(4, 50))
    return image


def _encoded(image: Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()
