"""A grid on a folder, to look at in a real terminal: `python -m tests.tui.graphics.demo FOLDER [GRAPHICS]`.

Keys: those of the grid, o opens a dialog, n another screen, t a toast, z a large picture, q leaves.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tui.graphics.probe import probe
from tui.graphics.terminal import prepare_environment


def main() -> None:
    """Runs the demonstration."""
    terminal = probe(sys.argv[2] if len(sys.argv) > 2 else "auto", timeout=60)
    prepare_environment(terminal)
    from tests.tui.graphics.demo_app import Demo
    from tui.graphics.typed import replay_keys, take_any_bytes

    app = Demo(terminal, sorted(Path(sys.argv[1]).rglob("*.jpg")))
    app.call_later(lambda: replay_keys(app, terminal))
    take_any_bytes()
    app.run()


if __name__ == "__main__":
    main()
