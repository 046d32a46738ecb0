"""Sets of pictures with known classes for the benchmark of annotation, harder than what the models were made for.

Drawings of the pocket model's kinds and scans of digits, spoilt; photographs, where there are any; and worlds, which
are no pictures but vectors as a CLIP might give them: a gap between pictures and words, words that fit some classes
badly, classes that are alike, and differences that have nothing to do with classes. The method was made on TUNED; what
HELD tells is told of sets that it was not made on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter

from core.annotation.classes import ClassName
from core.annotation.prompts import prompts_of, prototypes
from core.annotation.scores import NONE, View
from core.encoders.encoder import load_encoder
from core.pocket.draw import KINDS, UNSEEN_STYLE, draw
from core.pocket.evaluate import real_digits
from tests.annotation.pile import pocket, view

Truth = NDArray[np.int64]
Spoil = Callable[[Image.Image, np.random.Generator], Image.Image]
FIRST_DRAWING = 77_000_000  # seeds that the model was not trained on
EACH = 60


@dataclass(frozen=True)
class Case:
    """Pictures with their true classes (NONE where no name fits) and the names."""

    view: View
    truth: Truth
    names: Sequence[str]

    def of(self, rows: NDArray[np.int64], classes: Sequence[int] | None = None) -> Case:
        """Some of the pictures, and some of the names."""
        kept = list(range(len(self.names))) if classes is None else list(classes)
        place = np.full(len(self.names), NONE)
        place[kept] = np.arange(len(kept))
        return Case(
            replace(self.view, vectors=self.view.vectors[rows], texts=self.view.texts[kept]),
            place[self.truth[rows]],
            [self.names[k] for k in kept],
        )


def blur(radius: float) -> Spoil:
    """Out of focus; `radius` is of a picture 64 wide."""
    return lambda image, _: image.filter(ImageFilter.GaussianBlur(radius * image.width / 64))


def noise(strength: float) -> Spoil:
    """A grainy picture."""

    def spoilt(image: Image.Image, random: np.random.Generator) -> Image.Image:
        pixels = np.asarray(image, np.float32)
        grainy = pixels + strength * random.standard_normal(pixels.shape, dtype=np.float32)
        return Image.fromarray(grainy.clip(0, 255).astype(np.uint8))

    return spoilt


def faint(strength: float) -> Spoil:
    """Little contrast."""
    return lambda image, _: ImageEnhance.Contrast(image).enhance(strength)


def covered(share: float) -> Spoil:
    """A square of one colour over a part."""

    def spoilt(image: Image.Image, random: np.random.Generator) -> Image.Image:
        image = image.copy()
        side = int(share * min(image.size))
        left, top = (int(random.integers(0, size - side)) for size in image.size)
        colour = tuple(random.integers(0, 255, 3).tolist())
        image.paste(colour, (left, top, left + side, top + side))
        return image

    return spoilt


def cropped(share: float) -> Spoil:
    """A part of the picture, enlarged."""

    def spoilt(image: Image.Image, random: np.random.Generator) -> Image.Image:
        side = int(share * min(image.size))
        left, top = (int(random.integers(0, size - side + 1)) for size in image.size)
        return image.crop((left, top, left + side, top + side)).resize(image.size)

    return spoilt


def turned(degrees: float) -> Spoil:
    """Turned either way."""

    def spoilt(image: Image.Image, random: np.random.Generator) -> Image.Image:
        corner = image.getpixel((0, 0))
        return image.rotate(float(random.uniform(-degrees, degrees)), fillcolor=corner)

    return spoilt


def coarse(dots: int) -> Spoil:
    """Few and large dots."""
    small, near = Image.Resampling.BOX, Image.Resampling.NEAREST
    return lambda image, _: image.resize((dots, dots), small).resize(image.size, near)


def grey(image: Image.Image, _: np.random.Generator) -> Image.Image:
    """Without colours."""
    return image.convert("L").convert("RGB")


def plain(image: Image.Image, _: np.random.Generator) -> Image.Image:
    """As it is."""
    return image


def drawings(style: str | None, spoil: Spoil, kinds: Sequence[str] = KINDS, each: int = EACH) -> Case:
    """Drawings of the pocket model's kinds."""
    vectors = []
    for kind in kinds:
        images = [draw(kind, FIRST_DRAWING + i, style=style).image for i in range(each)]
        vectors.append(_seen([spoil(image, np.random.default_rng(i)) for i, image in enumerate(images)]))
    prompts = prompts_of([ClassName(kind) for kind in kinds])
    return Case(view(np.concatenate(vectors), prompts), np.repeat(np.arange(len(kinds)), each), list(kinds))


def digits(inverted: bool, spoil: Spoil = plain) -> Case:
    """scikit-learn's scans of digits, `inverted` dark on light, with the prompts of digits."""
    pixels, truth = real_digits(inverted)
    names = [str(d) for d in range(10)]
    images = [spoil(Image.fromarray(own).convert("RGB"), np.random.default_rng(i)) for i, own in enumerate(pixels)]
    return Case(view(_seen(images), prompts_of([ClassName(n) for n in names])), truth, names)


def _seen(images: Sequence[Image.Image]) -> NDArray[np.float32]:
    pixels = np.stack([np.asarray(image, np.uint8) for image in images])
    return np.concatenate([pocket().encode_images(pixels[i : i + 300]) for i in range(0, len(pixels), 300)])


def photographs(folder: Path, weights: Path, config: Path, spoils: dict[str, Spoil]) -> Iterator[tuple[str, Case]]:
    """Photographs in folders that are called as their classes, through an open_clip model, spoilt in several ways."""
    import torch

    encoder = load_encoder("open_clip:given", device="cpu", weights=weights, model_config=config, precision="float32")
    names = sorted(p.name for p in folder.iterdir() if p.is_dir())
    files = [(place, file) for place, name in enumerate(names) for file in sorted((folder / name).iterdir())]
    texts = prototypes(encoder.encode_texts, prompts_of([ClassName(name) for name in names]))
    truth = np.array([place for place, _ in files])
    for title, spoil in spoils.items():
        vectors = []
        for start in range(0, len(files), 32):
            part = [Image.open(file).convert("RGB") for _, file in files[start : start + 32]]
            part = [spoil(image, np.random.default_rng(start + i)) for i, image in enumerate(part)]
            vectors.append(encoder.encode_transformed(torch.stack([encoder.transform(image) for image in part])))
        yield title, Case(View(np.concatenate(vectors), texts, encoder.logit_scale), truth, names)


def world(number: int) -> Case:
    """The first sensible world from `number` on.

    Words that are right for 30 to 93 pictures in a hundred, and neighbours of a picture for 35 to 97.
    """
    for seed in range(50 * number, 50 * number + 50):
        case = _world(seed)
        points = case.view.vectors[::2]
        truth = case.truth[::2]
        cosines = points @ points.T
        np.fill_diagonal(cosines, -1)
        near = np.argpartition(-cosines, 5, axis=1)[:, :5]
        words = float(((case.view.vectors @ case.view.texts.T).argmax(axis=1) == case.truth).mean())
        if 0.3 < words < 0.93 and 0.35 < float((truth[near] == truth[:, None]).mean()) < 0.97:
            return case
    raise RuntimeError("no sensible world in fifty")


def _world(seed: int, dimension: int = 256, each: int = 100) -> Case:
    random = np.random.default_rng([9, seed])

    def directions(*shape: int) -> NDArray[np.float64]:
        return _unit(random.standard_normal((*shape, dimension)))

    classes = int(random.integers(6, 25))
    kind = random.integers(0, max(2, classes // int(random.integers(2, 6))), classes)
    alike = random.uniform(0.2, 0.8)  # of the kind in the direction of a class
    means = _unit(np.sqrt(alike) * directions(int(kind.max()) + 1)[kind] + np.sqrt(1 - alike) * directions(classes))
    sorts, looks = directions(classes, int(random.integers(1, 4))), directions(int(random.integers(2, 10)))
    falls = np.arange(1, dimension + 1) ** -random.uniform(0.3, 0.8)  # the spread of what is left, by direction
    falls *= np.sqrt(dimension) / np.linalg.norm(falls)
    common, gap = directions(), directions()
    truth = np.repeat(np.arange(classes), each)
    clear = random.uniform(0.7, 1.3, classes)
    pictures = random.uniform(0.5, 0.75) * common + random.uniform(0.25, 0.5) * clear[truth, None] * means[truth]
    pictures += random.uniform(0, 0.3) * sorts[truth, random.integers(0, sorts.shape[1], len(truth))]
    pictures += random.uniform(0, 0.3) * looks[random.integers(0, len(looks), len(truth))]
    pictures += random.uniform(0.4, 0.9) * _unit(random.standard_normal((len(truth), dimension)) * falls)
    fits = random.uniform(0.2, 0.35) + random.uniform(0, 0.02) * random.standard_normal((classes, 1))
    texts = fits * common + random.uniform(0.08, 0.22) * means + 0.9 * gap
    texts += random.uniform(0, 0.15) * directions(classes)
    scale = float(random.choice([30, 60, 100]))
    seen = View(_unit(pictures).astype(np.float32), _unit(texts).astype(np.float32), scale)
    return Case(seen, truth, [f"class {i}" for i in range(classes)])


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(rows / np.linalg.norm(rows, axis=-1, keepdims=True))


TUNED: tuple[Callable[[], Case], ...] = (
    lambda: digits(False),
    lambda: digits(False, covered(0.4)),
    lambda: drawings(UNSEEN_STYLE, plain),
    lambda: drawings(UNSEEN_STYLE, blur(3)),
    lambda: drawings(UNSEEN_STYLE, noise(40)),
    lambda: drawings(UNSEEN_STYLE, cropped(0.6)),
    lambda: drawings(None, covered(0.4)),
)
HELD: tuple[Callable[[], Case], ...] = (
    lambda: digits(True),
    lambda: digits(True, noise(50)),
    lambda: digits(True, turned(30)),
    lambda: digits(True, covered(0.3)),
    lambda: digits(True, blur(4)),
    lambda: drawings(UNSEEN_STYLE, blur(2.5)),
    lambda: drawings(UNSEEN_STYLE, turned(90)),
    lambda: drawings(UNSEEN_STYLE, faint(0.3)),
    lambda: drawings(UNSEEN_STYLE, coarse(13)),
    lambda: drawings(UNSEEN_STYLE, covered(0.3)),
    lambda: drawings(UNSEEN_STYLE, grey),
    lambda: drawings(None, blur(3.5)),
    lambda: drawings(None, noise(50)),
    lambda: drawings(None, cropped(0.7)),
    lambda: drawings(None, turned(120)),
)
WORLDS = range(14)
"""Of the kind that the method was made on, but other draws."""
TUNED_PHOTOGRAPHS: dict[str, Spoil] = {"as they are": plain, "blurred": blur(1), "grey": grey, "grainy": noise(40)}
HELD_PHOTOGRAPHS: dict[str, Spoil] = {
    "cropped": cropped(0.6),
    "turned": turned(60),
    "covered": covered(0.4),
    "faint": faint(0.3),
}
