"""Contact sheets."""

import io

import pytest
from PIL import Image

from core.imaging.sheets import contact_sheet

COLOURS = [(250, 10, 10), (10, 200, 10), (10, 10, 250), (200, 200, 10)]


def jpeg(colour: tuple[int, int, int], size: tuple[int, int]) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "JPEG", quality=95)
    return out.getvalue()


def test_pictures_stand_in_rows_fitted_and_apart():
    pictures = [
        jpeg(colour, size) for colour, size in zip(COLOURS, [(90, 90), (90, 30), (20, 80), (9, 9)], strict=True)
    ]
    sheet = Image.open(io.BytesIO(contact_sheet(pictures, columns=3, side=64)))
    assert sheet.size == (3 * 64 + 2 * 8, 2 * 64 + 8)
    for place, colour in enumerate(COLOURS):
        at = (place % 3 * 72 + 32, place // 3 * 72 + 32)
        seen = sheet.getpixel(at)
        assert isinstance(seen, tuple)
        assert all(abs(a - b) < 24 for a, b in zip(seen, colour, strict=True))
    between = sheet.getpixel((68, 32))
    assert isinstance(between, tuple)
    assert min(between) > 230


def test_few_pictures_make_a_small_sheet_and_none_make_none():
    two = [jpeg(COLOURS[0], (50, 50)), jpeg(COLOURS[1], (50, 50))]
    assert Image.open(io.BytesIO(contact_sheet(two, side=50))).size == (108, 50)
    assert contact_sheet(two) == contact_sheet(two)
    with pytest.raises(ValueError, match="no pictures"):
        contact_sheet([])
