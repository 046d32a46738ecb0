"""Where a traceback goes: no user shall have to read one."""

from __future__ import annotations

import time
import traceback
from pathlib import Path

import platformdirs


def log_crash() -> Path:
    """Appends the exception being handled to the user's log, and gives the log's path."""
    path = platformdirs.user_log_path("shoebox") / "shoebox.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a", encoding="utf-8") as log:
        log.write(f"\n{time.strftime('%Y-%m-%d %H:%M:%S')}\n{traceback.format_exc()}")
    return path
