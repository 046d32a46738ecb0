from concurrent.futures import ThreadPoolExecutor

import numpy as np
import PIL.Image
import pytest

from core.imaging.decode import decode
from tests.imaging.drawing import FORMATS, MAX_PIXELS, corners, sample, saved

Transpose = PIL.Image.Transpose
# What a camera did to the upright picture when it wrote this orientation (EXIF 2.3, tag 0x0112).
AS_STORED = {
    1: None,
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_90,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_270,
}


def pixels(data: bytes, min_side: int | None = None) -> np.ndarray:
    picture = decode(data, min_side=min_side, max_pixels=MAX_PIXELS)
    assert picture.image.mode == "RGB"
    return np.asarray(picture.image).astype(int)


def assert_alike(found: np.ndarray, expected: PIL.Image.Image, within: float) -> None:
    """Mean difference of channel values; codecs blur the edges between the quarters."""
    wanted = np.asarray(expected.convert("RGB")).astype(int)
    assert found.shape == wanted.shape
    assert np.abs(found - wanted).mean() <= within


@pytest.mark.parametrize("name", FORMATS)
def test_every_format(name):
    picture = decode(sample(name), min_side=None, max_pixels=MAX_PIXELS)
    assert (picture.width, picture.height, picture.format) == (96, 64, FORMATS[name][0])
    lossless = name in {"png", "gif", "bmp", "tiff", "lzw tiff", "lossless webp"}
    assert_alike(pixels(sample(name)), corners(), within=0 if lossless else 6)


@pytest.mark.parametrize("orientation", AS_STORED)
@pytest.mark.parametrize("name", ["jpeg", "png", "webp", "tiff", "lzw tiff", "avif"])
@pytest.mark.parametrize("min_side", [None, 32])
def test_exif_orientation(name, orientation, min_side):
    upright = corners(96, 64)
    turn = AS_STORED[orientation]
    stored = upright if turn is None else upright.transpose(turn)
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    saved_as, _, options = FORMATS[name]
    picture = decode(saved(stored, saved_as, exif=exif, **options), min_side=min_side, max_pixels=MAX_PIXELS)
    assert (picture.width, picture.height) == (96, 64)
    factor = 1 if min_side is None else 2
    assert_alike(np.asarray(picture.image).astype(int), upright.reduce(factor), within=6)


@pytest.mark.parametrize("orientation", AS_STORED)
def test_a_heif_is_turned_once(orientation):
    upright = corners(96, 64)
    turn = AS_STORED[orientation]
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    stored = upright if turn is None else upright.transpose(turn)
    # The encoder writes the orientation as the container's own rotation.
    picture = decode(saved(stored, "HEIF", quality=95, exif=exif.tobytes()), min_side=None, max_pixels=MAX_PIXELS)
    assert (picture.width, picture.height) == (96, 64)
    assert_alike(np.asarray(picture.image).astype(int), upright, within=6)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
@pytest.mark.parametrize(
    "exif",
    [b"Exif\0\0", b"Exif\0\0garbage", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03"]
    + [b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0" + bytes([value, 0, 0, 0]) for value in (0, 9, 255)],
)
@pytest.mark.parametrize("name", ["jpeg", "webp", "png"])
def test_broken_exif_fails_no_picture(name, exif):
    saved_as, _, options = FORMATS[name]
    assert_alike(pixels(saved(corners(), saved_as, exif=exif, **options)), corners(), within=6)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("min_side", [20, 64, 65, 100, 399, 400, 900])
def test_reduced_no_further_than_the_shorter_side_asked_for(name, min_side):
    data = sample(name, corners(606, 401))
    picture = decode(data, min_side=min_side, max_pixels=MAX_PIXELS)
    assert (picture.width, picture.height) == (606, 401)
    short = min(picture.image.size)
    assert short >= min(min_side, 401)
    assert short < 2 * min_side + 1 or min_side >= 401
    whole = corners(606, 401).resize(picture.image.size, PIL.Image.Resampling.BOX)
    assert_alike(np.asarray(picture.image).astype(int), whole, within=6)


def test_very_long_pictures():
    picture = decode(sample("png", corners(3000, 2)), min_side=64, max_pixels=MAX_PIXELS)
    assert picture.image.size == (3000, 2)
    assert decode(sample("jpeg", corners(1, 1)), min_side=64, max_pixels=MAX_PIXELS).image.size == (1, 1)


def test_the_first_frame_of_an_animation():
    first, second = corners(), PIL.Image.new("RGB", (96, 64), "black")
    for saved_as, within in (("GIF", 0), ("WEBP", 6), ("PNG", 0), ("TIFF", 0), ("AVIF", 6)):
        data = saved(first, saved_as, save_all=True, append_images=[second, second], duration=100)
        assert_alike(pixels(data), first, within)


def test_the_first_picture_of_a_camera_file_of_several():
    data = saved(corners(), "MPO", quality=95, save_all=True, append_images=[PIL.Image.new("RGB", (8, 8))])
    picture = decode(data, min_side=None, max_pixels=MAX_PIXELS)
    assert (picture.width, picture.height, picture.format) == (96, 64, "JPEG")


def test_threads_get_what_one_alone_gets():
    files = [sample(name, corners(300, 200)) for name in FORMATS] * 4
    alone = [pixels(data, 100) for data in files]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda data: pixels(data, 100), files))
    assert all((one == other).all() for one, other in zip(alone, together, strict=True))
