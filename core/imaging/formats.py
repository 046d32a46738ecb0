"""Which files are pictures: by name when a folder is scanned, by first bytes when a file is opened.

Imports nothing heavy: the command line asks it before the first frame.
"""

from __future__ import annotations

# What a scan picks up. The suffix only selects; what a file is, its bytes decide (`identify`).
SUFFIXES: frozenset[bytes] = frozenset(
    (
        *(b".jpg", b".jpeg", b".jpe", b".jfif", b".png", b".apng", b".webp", b".gif", b".bmp", b".dib"),
        *(b".tif", b".tiff", b".avif", b".avifs", b".heic", b".heics", b".heif", b".heifs", b".hif"),
    )
)

# The decoders open to a file, by Pillow's names. Nothing outside this list ever runs on a file.
ALLOWED_FORMATS: tuple[str, ...] = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF")

_SIGNATURES = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"II+\x00", "TIFF"),  # BigTIFF
    (b"MM\x00+", "TIFF"),
)
_AVIF_BRANDS = frozenset((b"avif", b"avis"))
_HEIF_BRANDS = frozenset(
    (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"mif2", b"msf1")
)
_BMP_HEADER_SIZES = frozenset((12, 16, 40, 52, 56, 64, 108, 124))
_SNIFFED = 4096  # bytes looked at

# First bytes of what is often met under a picture's name.
_OTHERS: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive or an office document"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"\x1f\x8b", "a gzip file"),
    (b"8BPS", "a Photoshop document (PSD)"),
    (b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 picture, a format not read"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 picture, a format not read"),
    (b"\x00\x00\x00\x0cJXL ", "a JPEG XL picture, a format not read"),
    (b"\xff\x0a", "a JPEG XL picture, a format not read"),
    (b"\x00\x00\x01\x00", "an icon (ICO), a format not read"),
    (b"%!PS", "a PostScript file"),
    (b"\xc5\xd0\xd3\xc6", "a PostScript file"),
    (b"\x1a\x45\xdf\xa3", "a Matroska or WebM video"),
    (b"OggS", "an Ogg audio or video file"),
    (b"ID3", "an MP3 audio file"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"\x00\x05\x16\x07", "a macOS resource file (AppleDouble), which holds no picture"),
    (b"version https://git-lfs", "a Git LFS pointer: the picture itself was never fetched"),
)


def looks_like_picture(name: bytes) -> bool:
    """Whether a file of this name (its last path component, or a whole path) is to be tried as a picture."""
    base = name.rpartition(b"/")[2]
    if base.startswith(b"._"):  # what macOS leaves beside each file on foreign disks; never a picture
        return False
    stem, dot, suffix = base.rpartition(b".")
    return bool(stem) and dot + suffix.lower() in SUFFIXES


def identify(data: bytes) -> str | None:
    """The one of ALLOWED_FORMATS whose signature `data` begins with, or None."""
    for signature, name in _SIGNATURES:
        if data.startswith(signature):
            return name
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "WEBP"
    if data.startswith(b"BM") and int.from_bytes(data[14:18], "little") in _BMP_HEADER_SIZES:
        return "BMP"
    brands = _brands(data)
    # Containers of brand mif1 hold either kind; the compatible brands tell which.
    if brands & _AVIF_BRANDS:
        return "AVIF"
    return "HEIF" if brands & _HEIF_BRANDS else None


def describe(data: bytes) -> str:
    """What a file that is no picture seems to be, in plain words: "an HTML page", "an empty file"."""
    if not data:
        return "an empty file"
    head = data[:_SNIFFED]
    if not head.strip(b"\0"):
        return "a file that begins with nothing but zeros"
    for signature, what in _OTHERS:
        if head.startswith(signature):
            return what
    if head.startswith(b"RIFF"):
        kinds = {b"AVI ": "an AVI video", b"WAVE": "a WAV audio file"}
        return kinds.get(head[8:12], "a RIFF file that is no picture")
    if _brands(data):
        return "an MP4 or QuickTime video"
    return _describe_text(head) or f"a file of unknown kind (it begins with {head[:8].hex(' ')})"


def _brands(data: bytes) -> frozenset[bytes]:
    """Major and compatible brands of an ISO base media file (ISO/IEC 14496-12, `ftyp`); empty for others."""
    if data[4:8] != b"ftyp":
        return frozenset()
    end = min(int.from_bytes(data[:4], "big"), _SNIFFED, len(data))
    return frozenset((data[8:12], *(data[i : i + 4] for i in range(16, end - 3, 4))))


def _describe_text(head: bytes) -> str:
    for codec in ("utf-8", "utf-16") if head[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8",):
        text = head.decode(codec, "ignore").lstrip("\ufeff \t\r\n").lower()
        if text.startswith(("<!doctype html", "<html", "<head", "<body")):
            return "an HTML page"
        if text.startswith("<svg") or (text.startswith("<?xml") and "<svg" in text):
            return "an SVG drawing, a format not read"
        if text.startswith("<?xml"):
            return "an XML file"
        # A cut character at the end of `head` is dropped by "ignore"; a binary file loses far more.
        whole = len(text.encode(codec)) > 0.9 * len(head.strip())
        if text and whole and all(c.isprintable() or c in "\t\r\n\f" for c in text):
            return "a text file"
    return ""
