"""Milliseconds to decode a picture and draw its thumbnail, by size, format and `min_side`, on one thread.

Run: python -m tests.benchmarks.decode [--seconds S]
The pictures are crops of scikit-learn's sample photographs, enlarged where they are too small. The last
columns are the plain way: Pillow's full decode to RGB; and how many times more two threads do than one.
"""

from __future__ import annotations

import argparse
import io
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import PIL.Image
from sklearn.datasets import load_sample_images

from core.imaging.decode import decode
from core.imaging.thumbnails import make_thumbnail

SIZES = ((500, 375), (1920, 1080), (4000, 3000))
MIN_SIDES = (256, 900, None)
MAX_PIXELS = 200_000_000
FORMATS: dict[str, tuple[str, dict[str, object]]] = {
    "jpeg": ("JPEG", {"quality": 88}),
    "progressive jpeg": ("JPEG", {"quality": 88, "progressive": True}),
    "png": ("PNG", {"compress_level": 6}),
    "webp": ("WEBP", {"quality": 80, "method": 2}),
    "avif": ("AVIF", {"quality": 70, "speed": 9}),
    "tiff lzw": ("TIFF", {"compression": "tiff_lzw"}),
}


def drawn(size: tuple[int, int], saved_as: str, options: dict[str, object]) -> bytes:
    """A photograph of this size as file bytes."""
    photograph = PIL.Image.fromarray(load_sample_images().images[0])
    height = photograph.width * size[1] // size[0]
    crop = photograph.crop((0, 0, photograph.width, min(height, photograph.height)))
    out = io.BytesIO()
    crop.resize(size, PIL.Image.Resampling.LANCZOS).save(out, saved_as, **options)
    return out.getvalue()


def timed(work: Callable[[], object], seconds: float) -> float:
    """Milliseconds of the fastest of the runs that fit into `seconds`, at least three."""
    best, runs, end = float("inf"), 0, time.perf_counter() + seconds
    while runs < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        work()
        best, runs = min(best, time.perf_counter() - start), runs + 1
    return 1000 * best


def speed_up(work: Callable[[], object], times: int = 6) -> float:
    """Work done a second by two threads over that by one."""
    start = time.perf_counter()
    for _ in range(times):
        work()
    one = time.perf_counter() - start
    with ThreadPoolExecutor(2) as pool:
        start = time.perf_counter()
        for done in [pool.submit(work) for _ in range(times)]:
            done.result()
        return one / (time.perf_counter() - start)


def measured(data: bytes, seconds: float) -> tuple[list[float], float]:
    """Milliseconds for each of MIN_SIDES, the thumbnail and Pillow alone; the speed-up of two threads."""

    def decoded(side: int | None) -> PIL.Image.Image:
        return decode(data, min_side=side, max_pixels=MAX_PIXELS).image

    small = decoded(900)
    figures = [timed(partial(decoded, side), seconds) for side in MIN_SIDES]
    figures.append(timed(lambda: make_thumbnail(small), seconds))
    figures.append(timed(lambda: PIL.Image.open(io.BytesIO(data)).convert("RGB"), seconds))
    return figures, speed_up(lambda: decoded(900))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=0.5, help="time for each figure")
    seconds = options.parse_args().seconds
    columns = [f"min_side {side or 'none'}" for side in MIN_SIDES]
    print(f"{'ms a picture':<28}" + "".join(f"{c:>14}" for c in (*columns, "thumbnail", "Pillow", "2 threads")))
    for name, (saved_as, saving) in FORMATS.items():
        for size in SIZES:
            figures, ratio = measured(drawn(size, saved_as, saving), seconds)
            row = "".join(f"{figure:14.2f}" for figure in figures) + f"{ratio:13.2f}x"
            print(f"{name + f' {size[0]}x{size[1]}':<28}{row}", flush=True)


if __name__ == "__main__":
    main()
