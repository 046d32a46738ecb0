"""What the probe found, remembered as long as the same session lasts in the same terminal.

The network's delay is then paid once a session, not at every start.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tui.graphics.terminal import Terminal

_VERSION = 1
_KEPT = 32
_NAMES = ("TERM", "TERM_PROGRAM", "TERM_PROGRAM_VERSION", "COLORTERM", "SSH_CONNECTION", "WINDOWID", "KITTY_PID")


def identity(fd: int, environment: Mapping[str, str]) -> str | None:
    """What tells this terminal from others, or None where nothing does.

    A terminal is a device and the session that leads it, with its start: devices are used again. Behind a
    multiplexer another terminal may be attached at any time.
    """
    if environment.get("TMUX") or environment.get("STY"):
        return None
    try:
        import psutil

        session = os.getsid(0)
        started = psutil.Process(session).create_time()
        return json.dumps([_VERSION, os.ttyname(fd), session, started, *(environment.get(n, "") for n in _NAMES)])
    except Exception:  # no such process, no permission, no such call: nothing to know it by
        return None


def recall(key: str, environment: Mapping[str, str]) -> Terminal | None:
    """The terminal of that identity, if it was seen."""
    said = _read(environment).get(key)
    if not isinstance(said, dict):
        return None
    try:
        terminal = Terminal(**(said | {"cell": tuple(said["cell"]), "why": tuple(said["why"]), "typed": b""}))
    except (TypeError, KeyError):
        return None
    known = terminal.graphics in ("kitty", "sixel", "halfcell", "none") and len(terminal.cell) == 2
    return terminal if known and all(isinstance(n, int) and n > 0 for n in terminal.cell) else None


def remember(key: str, terminal: Terminal, environment: Mapping[str, str]) -> None:
    """Keeps it, with the last few others. A cache that cannot be written is no loss."""
    fields = asdict(terminal)
    del fields["typed"]
    kept = dict(list(_read(environment).items())[-_KEPT + 1 :]) | {key: fields}
    path = _path(environment)
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as aside:
            json.dump(kept, aside)
        Path(aside.name).replace(path)


def _read(environment: Mapping[str, str]) -> dict[str, Any]:
    try:
        content = json.loads(_path(environment).read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _path(environment: Mapping[str, str]) -> Path:
    if folder := environment.get("XDG_CACHE_HOME"):
        return Path(folder) / "shoebox" / "terminals.json"
    import platformdirs

    return platformdirs.user_cache_path("shoebox") / "terminals.json"
