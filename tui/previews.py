"""Small previews of pictures that are in no project yet: a few, in a thread, within limits."""

from __future__ import annotations

from core.errors import PictureError

MOST_BYTES = 40_000_000
MOST_PIXELS = 60_000_000
SIDE = 256


def preview_of_file(path: bytes) -> bytes | None:
    """A JPEG of the picture at `path`, None where it is too large or cannot be read. Takes a while; any thread."""
    from core.imaging.decode import decode
    from core.imaging.read import read_picture_file
    from core.imaging.thumbnails import make_thumbnail

    try:
        picture = decode(read_picture_file(path, MOST_BYTES), min_side=SIDE, max_pixels=MOST_PIXELS)
        return make_thumbnail(picture.image, SIDE)
    except PictureError:
        return None
