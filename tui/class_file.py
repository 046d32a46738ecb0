"""A file of classes or of templates, as the command and the screen read it."""

from __future__ import annotations

from pathlib import Path

from core.annotation.classes import MAX_TEXT, parse_classes
from core.errors import ShoeboxError, UsageError


def read_lines(path: str) -> str:
    """Its text. Raises ShoeboxError where it cannot be read, UsageError where it is not UTF-8."""
    try:
        with Path(path).open("rb") as opened:
            return decoded(opened.read(4 * MAX_TEXT), path)
    except OSError as error:
        raise ShoeboxError(f"cannot read {path} ({error.strerror})", "check the path") from error


def read_classes(path: str) -> str:
    """The same of classes. Raises UsageError where it names none, or more or longer ones than are allowed."""
    text = read_lines(path)
    parse_classes(text)
    return text


def decoded(data: bytes, path: str) -> str:
    """The text of what was read. Raises UsageError where it is not UTF-8."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 text", "save it as UTF-8") from error
