"""The pile that the demo draws."""

import signal

from core.demo import MARKER, draw_pile
from tests import programs

DRAW_AND_DIE = """
import os, signal, sys
from pathlib import Path
from core.demo import draw_pile
def die(event, arguments):
    if event == "open" and str(arguments[0]).endswith(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(die)
draw_pile(Path(sys.argv[1]), seed=1)
"""


def test_a_pile_left_half_drawn_is_drawn_to_its_end(tmp_path, drawn):
    folder = tmp_path / "demo"
    done = programs.run(DRAW_AND_DIE, folder, drawn[9].name)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert (folder / drawn[8].name).exists() and not (folder / drawn[-1].name).exists()
    draw_pile(folder, seed=1)
    found = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != MARKER}
    assert found == {file.name: file.data for file in drawn}
