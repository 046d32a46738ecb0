"""What the model reaches, measured on drawings of unseen seeds and of an unseen style, and on real scans of digits.

python -m core.pocket.evaluate [--model DIR] [--each N]
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.pocket.captions import article, prompts
from core.pocket.draw import DIGITS, KINDS, UNSEEN_STYLE
from core.pocket.drawings import UNSEEN_SEEDS, Task, make
from core.pocket.model import PREPROCESS, SIZE, load, tokenizer
from core.pocket.styles import COLOURS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from open_clip import CLIP

EVERYTHING = (*KINDS, *DIGITS)
"""Every class: the things, then the digits."""


def encode_images(model: CLIP, pixels: NDArray[np.uint8], batch: int = 500) -> NDArray[np.float32]:
    """Unit vectors (n, dim) of pictures (n, SIZE, SIZE, 3)."""
    import torch

    device = next(model.parameters()).device
    mean, std = (torch.tensor(PREPROCESS[k], device=device).view(3, 1, 1) for k in ("mean", "std"))
    vectors = []
    with torch.inference_mode():
        for i in range(0, len(pixels), batch):
            x = torch.tensor(pixels[i : i + batch], device=device).permute(0, 3, 1, 2) / 255
            vectors.append(model.encode_image((x - mean) / std, normalize=True).float().cpu())
    return torch.cat(vectors).numpy()


def encode_classes(model: CLIP, classes: Sequence[Sequence[str]]) -> NDArray[np.float32]:
    """Unit vectors (classes, dim), each the average of the vectors of one class's prompts."""
    import numpy as np
    import torch

    device = next(model.parameters()).device
    tokens = tokenizer()
    rows = []
    with torch.inference_mode():
        for texts in classes:
            mean = model.encode_text(tokens(list(texts)).to(device), normalize=True).float().mean(0)
            rows.append((mean / mean.norm()).cpu().numpy())
    return np.stack(rows)


def real_digits(inverted: bool = False) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """scikit-learn's 1,797 scans of handwritten digits, enlarged bicubically, light ink on dark; and which they are."""
    import numpy as np
    from PIL import Image
    from sklearn.datasets import load_digits

    scans = load_digits()
    levels = np.round(scans.images * 255 / 16).astype(np.uint8)
    if inverted:
        levels = 255 - levels
    large = [Image.fromarray(g).resize((SIZE, SIZE), Image.Resampling.BICUBIC).convert("RGB") for g in levels]
    return np.stack([np.asarray(g) for g in large]), scans.target


def accuracy(model: CLIP, each: int, style: str | None, classes: Sequence[str] = EVERYTHING) -> float:
    """The share of `each` unseen drawings a class that its own prompts are nearest to, among `classes`."""
    import numpy as np

    drawn = make(Task(kind, UNSEEN_SEEDS + i, style) for kind in classes for i in range(each))
    texts = encode_classes(model, [prompts(kind) for kind in classes])
    nearest = (encode_images(model, drawn.pixels) @ texts.T).argmax(1)
    return float((nearest == np.repeat(np.arange(len(classes)), each)).mean())


def digits_accuracy(model: CLIP, inverted: bool = False) -> float:
    """The accuracy on real scans of digits, among the ten."""
    pixels, truth = real_digits(inverted)
    texts = encode_classes(model, [prompts(digit) for digit in DIGITS])
    return float(((encode_images(model, pixels) @ texts.T).argmax(1) == truth).mean())


def colour_accuracy(model: CLIP, each: int) -> float:
    """The share of unseen drawings of things whose own colour's prompt ("a photo of a red car") is nearest."""
    import numpy as np

    drawn = make(Task(kind, UNSEEN_SEEDS + i) for kind in KINDS for i in range(each))
    vectors = encode_images(model, drawn.pixels).reshape(len(KINDS), each, -1)
    names = list(COLOURS)
    truth = np.array([names.index(a.colour) for a in drawn.attributes]).reshape(len(KINDS), each)
    hits = []
    for kind, mine, colours in zip(KINDS, vectors, truth, strict=True):
        texts = encode_classes(model, [[f"a photo of {article(c)} {c} {kind}"] for c in names])
        hits.append((mine @ texts.T).argmax(1) == colours)
    return float(np.mean(hits))


def grouping(model: CLIP, n: int, style: str | None, piles: int = 1, classes: Sequence[str] = EVERYTHING) -> float:
    """The adjusted Rand index of k-means on `n` mixed unseen drawings, k the number of classes; mean of some piles."""
    import numpy as np
    from sklearn.cluster import KMeans
    from sklearn.metrics import adjusted_rand_score

    scores = []
    for pile in range(piles):
        kinds = [classes[i % len(classes)] for i in range(n)]
        drawn = make(Task(kind, UNSEEN_SEEDS * 2 + pile * n + i, style) for i, kind in enumerate(kinds))
        groups = KMeans(len(classes), n_init=10, random_state=pile).fit_predict(encode_images(model, drawn.pixels))
        scores.append(adjusted_rand_score(kinds, groups))
    return float(np.mean(scores))


def measure(model: CLIP, each: int = 100) -> dict[str, float]:
    """Every figure that is stated of the model; `each` is the number of drawings a class."""
    piles = max(1, each // 20)
    figures = {
        "unseen seeds, 34 classes": accuracy(model, each, None),
        "unseen style, 34 classes": accuracy(model, each, UNSEEN_STYLE),
        "unseen style, 24 things": accuracy(model, each, UNSEEN_STYLE, KINDS),
        "real scans of digits, light on dark": digits_accuracy(model),
        "real scans of digits, dark on light": digits_accuracy(model, inverted=True),
        "k-means ARI, 400 mixed drawings": grouping(model, 400, None, piles=piles),
        "k-means ARI, 400 things": grouping(model, 400, None, piles=piles, classes=KINDS),
        "k-means ARI, 400 mixed drawings of the unseen style": grouping(model, 400, UNSEEN_STYLE, piles=piles),
        "colour of a thing, 11 colours": colour_accuracy(model, max(1, each // 5)),
    }
    return {name: round(value, 4) for name, value in figures.items()}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure the bundled model, or one just trained, and print the figures as JSON."""
    parser = argparse.ArgumentParser(prog="python -m core.pocket.evaluate", description=main.__doc__)
    parser.add_argument("--model", type=Path, default=None, metavar="DIR", help="a folder that core.pocket.train wrote")
    parser.add_argument("--each", type=int, default=100, metavar="N", help="drawings of each kind (default 100)")
    asked: Any = parser.parse_args(arguments)
    print(json.dumps(measure(load(asked.model), asked.each), indent=2))


if __name__ == "__main__":
    main()
