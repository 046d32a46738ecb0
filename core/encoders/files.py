"""Model configurations on disk: open_clip's own form, the hub's form, and timm's. All untrusted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from core.errors import ShoeboxError


def read_config(path: Path) -> dict[str, Any]:
    """The JSON object in a configuration file.

    Raises ShoeboxError where it holds none.
    """
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ShoeboxError(f"{path} cannot be read as a model configuration", str(error)) from error
    if not isinstance(content, dict):
        raise ShoeboxError(f"{path} is no model configuration", "it must hold a JSON object")
    return content


def beside(weights: Path, name: str) -> Path | None:
    """The configuration file of this name next to the weights, if there is one."""
    path = weights.parent / name
    return path if path.is_file() else None


def not_these_weights(weights: Path, model: str, error: Exception) -> ShoeboxError:
    """What to say when weights do not load: the first line of what the library says."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = lines[1] if len(lines) > 1 and lines[0].startswith("Error(s) in loading") else (lines or [""])[0]
    return ShoeboxError(
        f"{weights.name} does not hold weights of {model}: {said[:200]}",
        "name the right --encoder, or give the configuration with --model-config",
    )
