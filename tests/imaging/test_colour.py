"""Every kind of pixel comes out as the 8-bit RGB that a viewer shows."""

import struct
import zlib

import numpy as np
import PIL.Image
import PIL.ImageCms
import pytest

from core.imaging.colour import to_rgb
from core.imaging.decode import decode
from tests.imaging.drawing import MAX_PIXELS, chunk, corners, png_claiming, saved

RAMP = np.linspace(0, 255, 64 * 64).round().astype(np.uint8).reshape(64, 64)


def pixels(data: bytes, min_side: int | None = None) -> np.ndarray:
    picture = decode(data, min_side=min_side, max_pixels=MAX_PIXELS)
    assert picture.image.mode == "RGB"
    return np.asarray(picture.image).astype(int)


def grey(values: np.ndarray) -> np.ndarray:
    return np.repeat(values.astype(int)[..., None], 3, axis=2)


@pytest.mark.parametrize("saved_as", ["JPEG", "PNG", "TIFF", "BMP", "GIF", "WEBP"])
def test_greyscale(saved_as):
    options = {"quality": 95} if saved_as == "JPEG" else {"lossless": True} if saved_as == "WEBP" else {}
    assert np.abs(pixels(saved(PIL.Image.fromarray(RAMP), saved_as, **options)) - grey(RAMP)).max() <= 3


@pytest.mark.parametrize("saved_as", ["PNG", "TIFF", "BMP", "GIF"])
def test_one_bit(saved_as):
    image = PIL.Image.fromarray(RAMP > 99)
    assert (pixels(saved(image, saved_as)) == grey((RAMP > 99) * 255)).all()


@pytest.mark.parametrize("saved_as", ["PNG", "TIFF"])
@pytest.mark.parametrize("min_side", [None, 32])
def test_sixteen_bit_grey_is_scaled_not_clipped(saved_as, min_side):
    image = PIL.Image.fromarray(RAMP.astype(np.uint16) * 257)
    expected = grey(RAMP)
    if min_side:
        expected = np.asarray(PIL.Image.fromarray(expected.astype(np.uint8)).reduce(2)).astype(int)
    assert np.abs(pixels(saved(image, saved_as), min_side) - expected).max() <= 1


def test_sixteen_bit_grey_of_either_byte_order():
    for order in ("<u2", ">u2"):
        image = PIL.Image.fromarray((RAMP.astype(np.uint16) * 257).astype(order))
        assert np.abs(np.asarray(to_rgb(image)).astype(int) - grey(RAMP)).max() <= 1


def test_twelve_bits_in_sixteen_are_not_shown_as_night():
    image = PIL.Image.fromarray(RAMP.astype(np.uint16) * 16)
    assert np.abs(pixels(saved(image, "TIFF")) - grey(RAMP)).max() <= 1


@pytest.mark.parametrize(
    "values",
    [
        RAMP.astype(np.int32) * 257,
        RAMP.astype(np.float32) / 255,
        RAMP.astype(np.float32),
        RAMP.astype(np.float32) * 1e6 - 3e7,
        RAMP.astype(np.int32) * 1000 - 70_000,
    ],
)
def test_wide_integers_and_floats(values):
    assert np.abs(pixels(saved(PIL.Image.fromarray(values), "TIFF")) - grey(RAMP)).max() <= 1


def test_floats_that_are_no_numbers():
    values = RAMP.astype(np.float32) / 255
    values[0, :3] = np.nan, np.inf, -np.inf
    found = pixels(saved(PIL.Image.fromarray(values), "TIFF"))
    assert found[0, :3, 0].tolist() == [0, 255, 0]
    assert np.abs(found[1:] - grey(RAMP)[1:]).max() <= 1
    assert pixels(saved(PIL.Image.fromarray(np.full((4, 4), np.nan, np.float32)), "TIFF")).max() == 0


def test_sixteen_bit_colour():
    wide = np.asarray(corners(8, 8)).astype(">u2") * 257
    body = b"".join(b"\0" + row.tobytes() for row in wide)
    header = struct.pack(">IIBBBBB", 8, 8, 16, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(body)) + chunk(b"IEND", b"")
    assert (pixels(data) == np.asarray(corners(8, 8))).all()


@pytest.mark.parametrize("saved_as", ["JPEG", "TIFF"])
def test_cmyk(saved_as):
    options = {"quality": 95} if saved_as == "JPEG" else {}
    found = pixels(saved(corners().convert("CMYK"), saved_as, **options))
    assert np.abs(found - np.asarray(corners())).mean() < 6


def test_ycbcr_and_lab():
    flat = PIL.Image.new("RGB", (16, 16), (200, 80, 40))
    found = pixels(saved(flat.convert("YCbCr"), "TIFF"))
    assert np.abs(found - (200, 80, 40)).max() <= 3
    lab = PIL.ImageCms.profileToProfile(
        flat, PIL.ImageCms.createProfile("sRGB"), PIL.ImageCms.createProfile("LAB"), outputMode="LAB"
    )
    assert lab is not None
    assert np.abs(pixels(saved(lab, "TIFF")) - (200, 80, 40)).max() <= 4


def test_palette():
    image = corners().quantize(8)
    for saved_as in ("PNG", "GIF", "BMP", "TIFF"):
        assert (pixels(saved(image, saved_as)) == np.asarray(image.convert("RGB"))).all()


@pytest.mark.parametrize("min_side", [None, 16])
@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "RGB with a key", "L with a key"])
def test_the_transparent_shows_white_whatever_colour_it_hides(mode, min_side):
    """Left half black and opaque, right half black and transparent."""
    alpha = np.zeros((32, 32), np.uint8)
    alpha[:, :16] = 255
    image = PIL.Image.fromarray(np.dstack([np.zeros((32, 32, 3), np.uint8), alpha]))
    if mode.endswith("key"):
        values = np.where(alpha == 255, 0, 7).astype(np.uint8)
        keyed = PIL.Image.fromarray(values).convert(mode.split()[0])
        data = saved(keyed, "PNG", transparency=(7, 7, 7) if keyed.mode == "RGB" else 7)
    elif mode == "P":
        values = np.where(alpha == 255, 0, 1).astype(np.uint8)
        palette = PIL.Image.fromarray(values, "L").convert("P")
        palette.putpalette([0, 0, 0] * 2)
        data = saved(palette, "PNG", transparency=b"\xff\x00")
    else:
        data = saved(image.convert(mode), "PNG")
    found = pixels(data, min_side)
    middle = found.shape[1] // 2
    assert (found[:, :middle] == 0).all()
    assert (found[:, middle:] == 255).all()


def test_a_palette_with_alpha():
    """No file here stores mode PA, but a decoder may return it."""
    image = PIL.Image.new("RGBA", (8, 8), (0, 0, 0, 0)).convert("PA")
    assert to_rgb(image).getpixel((4, 4)) == (255, 255, 255)


def test_a_half_transparent_pixel_is_mixed_with_white():
    image = PIL.Image.new("RGBA", (8, 8), (255, 0, 0, 128))
    for saved_as in ("PNG", "TIFF"):
        assert np.abs(pixels(saved(image, saved_as)) - (255, 127, 127)).max() <= 1
    found = pixels(saved(image, "WEBP", lossless=True))
    assert np.abs(found - (255, 127, 127)).max() <= 1


def test_bands_join_without_a_seam():
    """Taller than one band, by a number of rows that no factor divides."""
    values = np.random.default_rng(0).integers(0, 256, (1511, 1409, 4), np.uint8)
    image = PIL.Image.fromarray(values)
    page = PIL.Image.new("RGB", image.size, "white")
    page.paste(image, mask=image)
    for factor in (1, 2, 3, 7):
        expected = np.asarray(page.reduce(factor)).astype(int)
        assert (np.asarray(to_rgb(image, factor)).astype(int) == expected).all()


def test_metadata_of_a_png_is_left_unread():
    """A profile that unpacks to 64 MB would fail the picture in Pillow; here it is not even unpacked."""
    bomb = chunk(b"iCCP", b"name\0\0" + zlib.compress(bytes(1 << 26)))
    text = chunk(b"zTXt", b"name\0\0" + zlib.compress(bytes(1 << 26)))
    data = png_claiming(4, 4, bomb, text)
    assert pixels(data).shape == (4, 4, 3)
