from typing import Literal

import numpy as np
import pytest
import torch
from open_clip.transform import PreprocessCfg, image_transform_v2
from PIL import Image
from sklearn.datasets import load_sample_images
from timm.data.transforms_factory import create_transform

from core.encoders.preprocess import Preprocessing

MEAN, STD = (0.48, 0.46, 0.41), (0.27, 0.26, 0.28)
MODES: dict[str, Literal["crop", "squash", "longest"]] = {"shortest": "crop", "squash": "squash", "longest": "longest"}
CROPS: dict[str, Literal["crop", "squash", "longest"]] = {"center": "crop", "squash": "squash", "border": "longest"}
SIZES = [(640, 427), (427, 640), (501, 333), (64, 64), (640, 90), (37, 23), (224, 224)]


def photograph(size):
    return Image.fromarray(load_sample_images().images[0]).crop((0, 0, *size))


def pixels_of(transformed):
    """The uint8 levels that a transform normalised."""
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (MEAN, STD))
    return ((transformed * std + mean) * 255).round().permute(1, 2, 0).numpy()


def assert_same_picture(given, wanted):
    assert given.dtype == np.uint8 and given.flags.c_contiguous
    assert given.shape == wanted.shape
    assert np.abs(given - wanted).max() <= 3  # of 255 levels: the last bits of two resizers
    assert np.abs(given - wanted).mean() < 0.2


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
@pytest.mark.parametrize("resize_mode", MODES)
def test_the_pixels_are_those_of_open_clip(size, interpolation, resize_mode):
    own = image_transform_v2(
        PreprocessCfg(224, mean=MEAN, std=STD, interpolation=interpolation, resize_mode=resize_mode), is_train=False
    )
    ours = Preprocessing((224, 224), MODES[resize_mode], interpolation, MEAN, STD)
    image = photograph(size)
    assert_same_picture(ours.prepare(image), pixels_of(own(image)))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("crop_mode", CROPS)
@pytest.mark.parametrize(("side", "crop_pct", "interpolation"), [(98, 0.9, "bicubic"), (64, 1.0, "lanczos")])
def test_the_pixels_are_those_of_timm(size, crop_mode, side, crop_pct, interpolation):
    own = create_transform(
        side, interpolation=interpolation, mean=MEAN, std=STD, crop_pct=crop_pct, crop_mode=crop_mode
    )
    fill = tuple(round(255 * value) for value in MEAN)
    ours = Preprocessing((side, side), CROPS[crop_mode], interpolation, MEAN, STD, fill, crop_pct)
    image = photograph(size)
    assert_same_picture(ours.prepare(image), pixels_of(own(image)))


def test_a_size_that_is_not_square():
    own = create_transform((96, 128), interpolation="bilinear", mean=MEAN, std=STD, crop_pct=1.0)
    ours = Preprocessing((96, 128), "crop", "bilinear", MEAN, STD)
    image = photograph((501, 333))
    assert_same_picture(ours.prepare(image), pixels_of(own(image)))


@pytest.mark.parametrize("size", [(3, 9000), (9000, 2), (1, 1)])
def test_a_strip_is_prepared_in_little_memory(size):
    import tracemalloc

    ours = Preprocessing((224, 224), "crop", "bicubic", MEAN, STD)
    image = Image.new("RGB", size, (10, 200, 30))
    tracemalloc.start()
    prepared = ours.prepare(image)
    assert tracemalloc.get_traced_memory()[1] < 50e6
    tracemalloc.stop()
    assert prepared.shape == (224, 224, 3)
    assert (prepared == (10, 200, 30)).all()


def test_the_original_size_decides_the_crop_of_a_reduced_picture():
    """1999 x 1333 halved is 1000 x 667, whose shape alone would shift the crop."""
    full = Image.fromarray(load_sample_images().images[1]).resize((1999, 1333), Image.Resampling.BICUBIC)
    ours = Preprocessing((224, 224), "crop", "bicubic", MEAN, STD)
    wanted = ours.prepare(full).astype(int)
    reduced = full.reduce(2)
    with_original = np.abs(ours.prepare(reduced, full.size) - wanted).mean()
    assert with_original < 1.5


def test_how_far_a_decoder_may_reduce():
    ours = Preprocessing((224, 224), "crop", "bicubic", MEAN, STD, crop_pct=0.875, decode_scale=4)
    assert ours.decode_min_side == 4 * 256
    assert Preprocessing((64, 64), "squash", "bicubic", MEAN, STD, decode_scale=0).decode_min_side > 100_000


def test_many_threads_prepare_at_once():
    from concurrent.futures import ThreadPoolExecutor

    ours = Preprocessing((64, 64), "crop", "bicubic", MEAN, STD)
    images = [photograph((300 + n, 200)) for n in range(16)]
    alone = [ours.prepare(image) for image in images]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(ours.prepare, images * 4))
    assert all((a == b).all() for a, b in zip(alone * 4, together, strict=True))
