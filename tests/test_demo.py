"""The pile that the demo draws."""

from core.demo import MARKER, draw_pile
from tests import programs

DRAW = "import sys; from pathlib import Path; from core.demo import draw_pile; draw_pile(Path(sys.argv[1]), seed=1)"


def test_a_pile_left_half_drawn_is_drawn_to_its_end(tmp_path, drawn):
    folder = tmp_path / "demo"
    drawing = programs.start(DRAW, folder)
    while drawing.poll() is None and not (folder / drawn[9].name).exists():
        pass
    drawing.kill()
    drawing.communicate()
    assert not (folder / drawn[-1].name).exists(), "it was drawn before it could be killed"
    draw_pile(folder, seed=1)
    found = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != MARKER}
    assert found == {file.name: file.data for file in drawn}
