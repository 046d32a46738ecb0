import io

import numpy as np
import PIL.Image
import pytest

from core.imaging.decode import decode
from core.imaging.thumbnails import make_thumbnail
from tests.imaging.drawing import MAX_PIXELS, corners, saved


def opened(data: bytes) -> PIL.Image.Image:
    image = PIL.Image.open(io.BytesIO(data))
    assert (image.format, image.mode) == ("JPEG", "RGB")
    return image


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((1024, 768), (256, 192)),
        ((768, 1024), (192, 256)),
        ((100, 40), (100, 40)),
        ((256, 256), (256, 256)),
        ((257, 257), (256, 256)),
        ((5000, 3), (256, 1)),
        ((2, 9000), (1, 256)),
        ((1, 1), (1, 1)),
    ],
)
def test_fits_the_square_and_keeps_the_aspect(size, expected):
    assert opened(make_thumbnail(corners(*size) if min(size) > 1 else PIL.Image.new("RGB", size))).size == expected


def test_another_side():
    assert opened(make_thumbnail(corners(300, 200), side=60)).size == (60, 40)


def test_shows_the_picture_and_leaves_it_as_it_was():
    image = corners(1024, 768)
    before = image.tobytes()
    small = np.asarray(opened(make_thumbnail(image))).astype(int)
    expected = np.asarray(corners(256, 192)).astype(int)
    assert np.abs(small - expected).mean() < 4
    assert image.tobytes() == before


def test_carries_nothing_but_pixels():
    exif = PIL.Image.Exif()
    exif[0x010E] = "a private description"
    said = saved(corners(), "JPEG", comment=b"a private comment", exif=exif, icc_profile=b"a private profile")
    assert said.count(b"private") == 3
    image = decode(said, min_side=None, max_pixels=MAX_PIXELS).image
    assert image.info == {}
    assert b"private" not in make_thumbnail(image)
    assert make_thumbnail(PIL.Image.open(io.BytesIO(said))) == make_thumbnail(image)


def test_the_same_pixels_give_the_same_bytes():
    assert make_thumbnail(corners(700, 500)) == make_thumbnail(corners(700, 500))
