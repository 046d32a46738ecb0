"""Whatever a file holds or claims: a picture or a PictureError, within the memory allowed."""

import io
import random
import struct
import subprocess
import sys
import threading
import time
import zipfile
from contextlib import suppress

import numpy as np
import PIL.Image
import pytest

from core.errors import PictureError
from core.imaging.decode import decode
from core.imaging.gate import MemoryGate
from tests.imaging.drawing import FORMATS, MAX_PIXELS, corners, png_claiming, sample, saved
from tests.programs import PATIENCE

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's, about broken metadata


def refusal(data: bytes, max_pixels: int = MAX_PIXELS, min_side: int | None = None) -> str:
    with pytest.raises(PictureError) as caught:
        decode(data, min_side=min_side, max_pixels=max_pixels)
    return str(caught.value)


def test_what_is_no_picture_says_what_it_is():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.txt", "text")
    assert "ZIP" in refusal(packed.getvalue())
    assert "HTML" in refusal(b"<html><body>404 Not Found")
    assert "empty file" in refusal(b"")
    assert "icon" in refusal(saved(corners(), "ICO"))
    assert "PostScript" in refusal(saved(corners(), "EPS"))
    for saved_as in ("PPM", "TGA", "PCX", "SGI", "IM"):
        assert "not a picture" in refusal(saved(corners(), saved_as))


@pytest.mark.parametrize("name", FORMATS)
def test_a_truncated_file_is_never_shown_half(name):
    data = sample(name)
    whole = np.asarray(decode(data, min_side=None, max_pixels=MAX_PIXELS).image)
    cuts = {*range(0, len(data), max(1, len(data) // 60)), *range(len(data) - 20, len(data))}
    for cut in sorted(cuts):
        try:
            picture = decode(data[:cut], min_side=None, max_pixels=MAX_PIXELS)
        except PictureError:
            continue
        assert cut > 0.9 * len(data)
        assert (np.asarray(picture.image) == whole).all()
    assert any(word in refusal(data[: len(data) * 2 // 3]) for word in ("truncated", "ends before"))


@pytest.mark.parametrize("name", FORMATS)
def test_random_damage_raises_nothing_but_picture_errors(name):
    whole = sample(name)
    chance = random.Random(name)
    for _ in range(120):
        data = bytearray(whole)
        reach = chance.choice((40, 200, len(data)))  # headers are where the lies are
        for _ in range(chance.choice((1, 2, 8, 40))):
            data[chance.randrange(min(reach, len(data)))] = chance.choice((0, 1, 127, 128, 255, chance.randrange(256)))
        if chance.random() < 0.2:
            cut = chance.randrange(len(data))
            data[cut : cut + chance.randrange(64)] = chance.randbytes(chance.randrange(64))
        try:
            picture = decode(bytes(data), min_side=chance.choice((None, 16)), max_pixels=1_000_000)
        except PictureError as error:
            assert str(error)
            assert "\n" not in str(error)
        else:
            assert picture.image.mode == "RGB"


def test_pure_noise_behind_every_signature():
    chance = random.Random(0)
    for name in FORMATS:
        for kept in (12, 30, 100):
            for _ in range(20):
                data = sample(name)[:kept] + chance.randbytes(2000)
                with suppress(PictureError):
                    decode(data, min_side=16, max_pixels=1_000_000)


def test_a_header_that_claims_too_much_is_refused_with_its_size():
    assert "100000 x 100000" in refusal(png_claiming(100_000, 100_000))
    assert "2147483647" in refusal(png_claiming(2**31 - 1, 2**31 - 1))
    claims = {"bmp": (18, "<ii", 60_000), "gif": (6, "<HH", 60_000)}
    for name, (place, form, side) in claims.items():
        data = bytearray(sample(name))
        struct.pack_into(form, data, place, side, side)
        assert "too large" in refusal(bytes(data))


def test_the_limit_is_exact():
    data = sample("png", corners(100, 50))
    assert decode(data, min_side=None, max_pixels=5000).width == 100
    assert "100 x 50" in refusal(data, max_pixels=4999)
    assert "4,999" in refusal(data, max_pixels=4999)
    assert "settings" in refusal(data, max_pixels=4999)


@pytest.mark.parametrize("name", sorted(set(FORMATS) - {"jpeg", "cmyk jpeg"}))
def test_a_limit_holds_for_every_decoder_that_cannot_reduce(name):
    assert "too large" in refusal(sample(name, corners(400, 300)), max_pixels=100_000, min_side=16)


def test_a_jpeg_beyond_the_limit_is_taken_if_it_fits_reduced():
    data = sample("jpeg", corners(1600, 800))
    assert "too large" in refusal(data, max_pixels=100_000)
    picture = decode(data, min_side=100, max_pixels=100_000)
    assert (picture.width, picture.height) == (1600, 800)
    assert picture.image.size == (200, 100)


def test_a_jpeg_of_many_components_apart_is_held_at_full_size_and_so_limited_by_it():
    """The decoder keeps all coefficients of a progressive JPEG, however small its result."""
    assert "too large" in refusal(sample("progressive", corners(1600, 800)), max_pixels=100_000, min_side=100)


def test_a_jpeg_larger_than_pillow_itself_would_open():
    side = 13_400
    assert PIL.Image.MAX_IMAGE_PIXELS is not None
    assert side * side > 2 * PIL.Image.MAX_IMAGE_PIXELS
    data = saved(PIL.Image.new("L", (side, side), 200), "JPEG")
    picture = decode(data, min_side=500, max_pixels=MAX_PIXELS)
    assert (picture.width, picture.image.size) == (side, (559, 559))  # 1/8 in the decoder, then 1/3
    assert picture.image.getpixel((300, 558)) == (200, 200, 200)


def test_a_jpeg_that_claims_more_pixels_than_its_bytes_can_hold():
    """The JPEG library would fill it up with grey."""
    for name, marker in (("jpeg", b"\xff\xc0"), ("progressive", b"\xff\xc2")):
        data = bytearray(sample(name))
        struct.pack_into(">HH", data, data.index(marker) + 5, 3000, 3000)
        assert "truncated" in refusal(bytes(data))


def test_a_jpeg_of_thousands_of_scans():
    data = sample("progressive")
    scans = data.index(b"\xff\xda")
    length = data.index(b"\xff\xc4", scans) - scans
    reason = refusal(data[:scans] + data[scans : scans + length] * 2000 + data[scans:])
    assert "scans" in reason


def test_a_tile_larger_than_the_picture_is_refused():
    tags = {256: 16, 257: 16, 258: 8, 259: 5, 262: 1, 277: 1, 322: 60_000, 323: 60_000, 324: 8, 325: 100}
    directory = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    data = b"II*\0" + struct.pack("<IH", 8, len(tags)) + directory + bytes(300)
    assert "60000 x 60000" in refusal(data)


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")
def test_memory_stays_bounded_whatever_the_header_claims():
    """All liars in one fresh process; the claims run to terabytes."""
    webp = bytearray(sample("lossless webp"))
    struct.pack_into("<I", webp, 21, 16_382 | 16_382 << 14)
    liars = [png_claiming(50_000, 50_000), png_claiming(2**31 - 1, 9), bytes(webp)]
    gif = bytearray(sample("gif"))
    struct.pack_into("<HH", gif, 6, 65_535, 65_535)
    liars.append(bytes(gif))
    for name in ("jpeg", "progressive"):
        jpeg = bytearray(sample(name))
        marker = b"\xff\xc0" if name == "jpeg" else b"\xff\xc2"
        struct.pack_into(">HH", jpeg, jpeg.index(marker) + 5, 65_535, 65_535)
        liars.append(bytes(jpeg))
    program = (
        "import sys; from core.imaging.decode import decode; from core.errors import PictureError\n"
        "import PIL.Image, numpy\n"
        "for line in sys.stdin:\n"
        "    try: decode(bytes.fromhex(line), min_side=100, max_pixels=20_000_000)\n"
        "    except PictureError as error: print(error)\n"
        "print(next(line for line in open('/proc/self/status') if line.startswith('VmHWM')).split()[1])\n"
    )
    lines = "\n".join(liar.hex() for liar in liars)
    done = subprocess.run([sys.executable, "-c", program], input=lines, capture_output=True, text=True, check=True)
    *reasons, peak = done.stdout.splitlines()
    assert len(reasons) == len(liars)
    assert int(peak) < 150_000  # kilobytes, of which Python and the libraries are a third


def test_the_gate_bounds_what_threads_hold_together():
    gate, held, most, lock = MemoryGate(100), [0], [0], threading.Lock()

    def work(size):
        with gate.hold(size):
            with lock:
                held[0] += min(size, 100)
                most[0] = max(most[0], held[0])
            time.sleep(0.002)
            with lock:
                held[0] -= min(size, 100)

    threads = [threading.Thread(target=work, args=(size,)) for size in (30, 60, 10, 500, 100, 40) * 8]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert not any(thread.is_alive() for thread in threads)  # even what is larger than the whole gets its turn
    assert 60 < most[0] <= 100


def test_decoding_waits_at_the_gate_and_gives_back_what_it_held():
    gate = MemoryGate(1000)
    for data in (sample("png"), sample("png")[:2000], b"no picture", sample("jpeg")):
        with suppress(PictureError):
            decode(data, min_side=None, max_pixels=MAX_PIXELS, gate=gate)
    done = threading.Event()

    def work():
        decode(sample("png"), min_side=None, max_pixels=MAX_PIXELS, gate=gate)
        done.set()

    with gate.hold(1):
        threading.Thread(target=work).start()
        assert not done.wait(0.2)
    assert done.wait(PATIENCE)
