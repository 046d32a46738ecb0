import subprocess
import sys

import pytest

from core.imaging.formats import ALLOWED_FORMATS, SUFFIXES, describe, identify, looks_like_picture
from tests.imaging.drawing import FORMATS, sample


@pytest.mark.parametrize(
    "name",
    [
        *(b"a.jpg", b"A.JPEG", b"dir.x/b.Png", b"c.webp", b"d.gif", b"e.bmp", b"f.TIF", b"g.tiff", b"h.avif"),
        *(b"i.HEIC", b"j.heif", b"caf\xe9\xff.jpg", b"new\nline.jpg", b"two.dots.jpg"),
    ],
)
def test_picture_names(name):
    assert looks_like_picture(name)


@pytest.mark.parametrize("name", [b"a.txt", b"jpg", b".jpg", b"dir.jpg/readme", b"a.jpg.part", b"._a.jpg", b"", b"a."])
def test_other_names(name):
    assert not looks_like_picture(name)


def test_suffixes_are_lower_case_with_their_dot():
    assert all(suffix == suffix.lower() and suffix.startswith(b".") for suffix in SUFFIXES)


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_known_by_its_bytes(name):
    assert identify(sample(name)) == FORMATS[name][0]
    assert FORMATS[name][0] in ALLOWED_FORMATS


def test_a_container_that_either_codec_may_use_is_told_by_its_compatible_brands():
    assert identify(b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf") == "AVIF"
    assert identify(b"\0\0\0\x1cftypmif1\0\0\0\0mif1heicmiaf") == "HEIF"


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "an empty file"),
        (bytes(5000), "nothing but zeros"),
        (b"\n <!DOCTYPE html><html>404", "an HTML page"),
        ("\ufeff<html>".encode(), "an HTML page"),
        (b'{"error": "not found"}', "a text file"),
        ("Not found: café".encode(), "a text file"),
        (b"%PDF-1.7", "a PDF document"),
        (b"PK\x03\x04rest", "a ZIP archive"),
        (b"8BPS\0\1", "Photoshop"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "an MP4 or QuickTime video"),
        (b"RIFF\0\0\0\0AVI LIST", "an AVI video"),
        (b"<?xml version='1.0'?><svg>", "an SVG drawing"),
        (b"version https://git-lfs.github.com/spec/v1", "Git LFS pointer"),
        (bytes(range(128, 228)), "a file of unknown kind (it begins with 80 81"),
    ],
)
def test_what_is_no_picture_is_called_by_its_name(data, what):
    assert identify(data) is None
    assert what in describe(data)


def test_names_are_judged_without_loading_pillow():
    program = (
        "import sys, core.imaging.formats, core.imaging.read, core.imaging.hashes, core.imaging.decode\n"
        "import core.imaging.thumbnails\n"
        "assert not {'PIL', 'numpy', 'pillow_heif'} & set(sys.modules), sorted(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_pillow_heif_is_loaded_only_for_a_heif():
    program = (
        "import sys, core.imaging.decode as d\n"
        "d.decode(sys.stdin.buffer.read(), min_side=None, max_pixels=10**6)\n"
        "assert 'pillow_heif' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], input=sample("jpeg"), check=True)
