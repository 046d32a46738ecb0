"""Paths as the file system has them (bytes), and as people and JSON can take them (text)."""

from __future__ import annotations

import base64
import unicodedata


def shown(path: bytes) -> str:
    r"""The path as text for a screen, JSON or CSV: what is no UTF-8 or does not print becomes `\xNN`."""
    text = path.decode("utf-8", "surrogateescape")
    return text if text.isprintable() else "".join(c if _prints(c) else _escaped(c) for c in text)


def path_fields(path: bytes) -> dict[str, str]:
    """`path` for people, and `path_b64`, the bytes themselves, where the two differ."""
    text = shown(path)
    if text.encode("utf-8") == path:
        return {"path": text}
    return {"path": text, "path_b64": base64.b64encode(path).decode("ascii")}


def _prints(character: str) -> bool:
    # The spaces of other scripts are harmless; macOS puts one into the names of its screenshots.
    return character.isprintable() or unicodedata.category(character) == "Zs"


def _escaped(character: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in character.encode("utf-8", "surrogateescape"))
