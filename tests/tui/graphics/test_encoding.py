"""Each protocol's sequences, read back to the picture that went in."""

import io

import pytest
from PIL import Image, ImageDraw

from core.imaging.thumbnails import make_thumbnail
from tests.tui.graphics.emulator import Emulator, difference
from tui.graphics.kitty import Uploads, placeholders
from tui.graphics.previews import Encoder, Key
from tui.graphics.terminal import Terminal

CELL = (8, 17)


def drawn(size=(256, 192), seed=0):
    """A picture whose parts can be told apart."""
    image = Image.linear_gradient("L").resize(size).convert("RGB")
    draw = ImageDraw.Draw(image)
    colours = [(200, 30, 30), (30, 160, 60), (40, 60, 200), (230, 200, 40)]
    for i, colour in enumerate(colours[seed:] + colours[:seed]):
        x, y = i % 2 * size[0] // 2, i // 2 * size[1] // 2
        draw.rectangle((x + size[0] // 16, y + size[1] // 16, x + size[0] // 3, y + size[1] // 3), fill=colour)
    return image


def shown(terminal, preview, uploads=None):
    screen = Emulator(preview.columns, preview.rows + 1, CELL)
    if terminal.graphics == "sixel":
        screen.feed("\x1b[1;1H" + preview.data)
    else:
        from rich.console import Console
        from textual.strip import Strip

        rows = preview.text
        if terminal.graphics == "kitty":
            uploads = uploads or Uploads()
            number = uploads.number("one", preview.data, preview.columns, preview.rows)
            rows = [(placeholders(number, row, preview.columns),) for row in range(preview.rows)]
            screen.feed(uploads.take())
        for y, row in enumerate(rows):
            screen.feed(f"\x1b[{y + 1};1H" + Strip(row).render(Console()))
    return screen.picture(0, 0, preview.columns, preview.rows)


@pytest.mark.parametrize(
    ("terminal", "most"),
    [
        (Terminal("sixel"), 12),
        (Terminal("sixel", registers=16), 20),
        (Terminal("kitty"), 10),
        (Terminal("halfcell"), 22),
    ],
    ids=["sixel", "sixel-16", "kitty", "halfcell"],
)
@pytest.mark.parametrize("size", [(256, 192), (120, 256), (90, 50)])
def test_the_picture_that_went_in_comes_out(terminal, most, size):
    image = drawn(size)
    preview = Encoder(terminal).preview(make_thumbnail(image), Key(b"x", (20, 10), CELL))
    assert preview.columns <= 20
    assert preview.rows <= 10
    assert abs(preview.columns * CELL[0] / (preview.rows * CELL[1]) / (size[0] / size[1]) - 1) < 0.15
    out = shown(terminal, preview)
    assert difference(out, image.resize(out.size)) < most
    assert difference(out, Image.new("RGB", out.size)) > 2 * most


@pytest.mark.parametrize("graphics", ["sixel", "kitty"])
def test_a_busy_picture_keeps_within_its_bytes(graphics):
    noise = Image.effect_noise((256, 256), 90).convert("RGB")
    out = io.BytesIO()
    noise.save(out, "JPEG", quality=95)
    preview = Encoder(Terminal(graphics)).preview(out.getvalue(), Key(b"x", (20, 10), (12, 24)))
    assert len(preview.data) < 100_000, "noise, which cannot be packed"
    smooth = Encoder(Terminal(graphics)).preview(make_thumbnail(drawn()), Key(b"x", (20, 10), (12, 24)))
    assert len(smooth.data) < 500_000 / 24


def test_in_tmux_a_sixel_picture_ends_with_whole_bands():
    encoder = Encoder(Terminal("sixel", multiplexer="tmux"))
    preview = encoder.preview(make_thumbnail(drawn((256, 256))), Key(b"x", (15, 7), CELL))
    height = int(preview.data.split('"1;1;')[1].split("#")[0].split(";")[1])
    assert height % 6 == 0
    assert preview.rows * CELL[1] - 6 < height <= preview.rows * CELL[1]


def test_the_terminal_holds_the_last_pictures_only_and_none_in_the_end():
    screen, uploads = Emulator(10, 5), Uploads(3)
    encoder = Encoder(Terminal("kitty"))
    preview = encoder.preview(make_thumbnail(drawn()), Key(b"x", (4, 2), CELL))
    numbers = [uploads.number(i, preview.data, 4, 2) for i in range(5)]
    assert uploads.number(4, preview.data, 4, 2) == numbers[4]
    screen.feed(uploads.take())
    assert screen.uploads == 5
    assert set(screen.held) == set(numbers[2:])
    screen.feed(uploads.free_all())
    assert not screen.held
    assert len(uploads) == 0


def test_through_tmux_the_same_picture_arrives():
    screen, uploads = Emulator(10, 5), Uploads(3, tmux=True)
    preview = Encoder(Terminal("kitty")).preview(make_thumbnail(drawn()), Key(b"x", (20, 10), CELL))
    number = uploads.number("one", preview.data, 20, 10)
    sent = uploads.take()
    assert sent.startswith("\x1bPtmux;\x1b\x1b_G")
    screen.feed(sent)
    assert difference(screen.held[number][0], drawn().resize(screen.held[number][0].size)) < 8


def test_placeholders_can_be_cut_anywhere():
    from textual.strip import Strip

    whole = Strip([placeholders(0x123456, 3, 12)])
    assert whole.cell_length == 12
    parts = whole.divide([5, 12])
    assert "".join(part.text for part in parts) == whole.text
    assert [part.cell_length for part in parts] == [5, 7]
    assert whole.crop(4, 6).text == whole.text[12:18]


def test_the_library_is_imported_without_a_word_to_the_terminal():
    import subprocess
    import sys

    code = "from tui.graphics.library import diacritics; import sys; sys.exit(len(diacritics()) < 250)"
    import os
    import pty

    master, slave = pty.openpty()
    done = subprocess.run([sys.executable, "-c", code], stdin=slave, stdout=slave, stderr=slave, check=False)
    os.set_blocking(master, False)
    with pytest.raises(BlockingIOError):
        os.read(master, 100)
    assert done.returncode == 0
    os.close(master)
    os.close(slave)
