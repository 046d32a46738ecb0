"""Names of files and folders that every file system takes: ext4, APFS, NTFS, exFAT, a network share."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable

MAX_BYTES = 255
"""Of a name in UTF-8: the strictest common limit."""
FOLDER_BYTES = 100
"""Of a cluster's folder: leaves room, as some systems limit the whole path."""

_FORBIDDEN = frozenset('<>:"/\\|?*')
_JOINERS = "\u200c\u200d"
"""Print nothing, but emoji and several scripts need them. Some file systems ignore them when they compare."""
_DEVICES = frozenset(
    {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$"}
    | {f"{port}{digit}" for port in ("COM", "LPT") for digit in "0123456789"}
)
"""Reserved on Windows, with any extension."""


def safe_name(name: str | bytes, *, fallback: str = "unnamed", max_bytes: int = MAX_BYTES) -> str:
    """`name` as a single path component that is safe on every file system; `fallback` where nothing is left.

    NFC; forbidden and unprintable characters and bytes that are no UTF-8 become `_`; no dot or dash leads (a
    hidden file, an option of a command), no dot or space ends it; device names are set apart; what is too long
    is cut between characters, its extension kept.
    """
    text = name.decode("utf-8", "surrogateescape") if isinstance(name, bytes) else name
    text = "".join(map(_safe_character, unicodedata.normalize("NFC", text))).strip(" ").rstrip(". ")
    if text[:1] in (".", "-"):
        text = f"_{text[1:]}"
    if _is_device(text):
        text = f"_{text}"
    return _cut(text, max_bytes) or fallback


def cluster_folder(number: int, name: str | None, digits: int = 2) -> str:
    """The folder of a cluster: `07-beach-at-dusk`, or `cluster-07` where it has no name.

    The number makes it unique, whatever the names are.
    """
    words = "-".join(safe_name(name or "", fallback="").split())
    if not words.strip("_-."):
        return f"cluster-{number:0{digits}}"
    return safe_name(f"{number:0{digits}}-{words}", max_bytes=FOLDER_BYTES)


def class_folders(names: Iterable[str], *, taken: Iterable[str] = ()) -> list[str]:
    """The folder of each of the user's classes, in order: the name itself where that is safe and free.

    `taken` are names that other files of the export have, such as `splits`. Names that differ in case alone, or in
    what no file system can hold, get a number.
    """
    unique = UniqueNames()
    for name in taken:
        unique.take(name)
    return [unique.take(safe_name(name, fallback="class", max_bytes=FOLDER_BYTES)) for name in names]


class UniqueNames:
    """The names taken in one folder. Names that differ in case or in form alone are kept apart as well."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._next: dict[str, int] = {}  # of each name asked for: a thousand equal ones are not tried in turn

    def take(self, name: str) -> str:
        """`name`, or where that is taken `stem-2.ext`, `stem-3.ext` and so on. `name` is a safe one."""
        wanted, candidate = _key(name), name
        while _key(candidate) in self._taken:
            number = self._next.get(wanted, 2)
            self._next[wanted] = number + 1
            candidate = _with_suffix(name, f"-{number}")
        self._taken.add(_key(candidate))
        return candidate


def _safe_character(character: str) -> str:
    if character.isspace():
        return " "
    if character in _FORBIDDEN or not (character.isprintable() or character in _JOINERS):
        return "_"
    return character


def _is_device(text: str) -> bool:
    # NFKC: Windows takes COM¹ for COM1.
    return unicodedata.normalize("NFKC", text.partition(".")[0]).strip(" ").upper() in _DEVICES


def _with_suffix(name: str, suffix: str) -> str:
    stem, extension = _split(name)
    return _cut(stem, MAX_BYTES - len((suffix + extension).encode())) + suffix + extension


def _cut(text: str, max_bytes: int) -> str:
    if len(text.encode()) <= max_bytes:
        return text
    stem, extension = _split(text)
    room = max_bytes - len(extension.encode())
    return stem.encode()[:room].decode("utf-8", "ignore").rstrip(". -") + extension


def _split(name: str) -> tuple[str, str]:
    stem, extension = os.path.splitext(name)
    # A full stop inside a sentence makes no extension.
    return (stem, extension) if len(extension.encode()) <= 16 and " " not in extension else (name, "")


def _key(name: str) -> str:
    """Equal for names that some file system takes for the same."""
    text = unicodedata.normalize("NFKC", name).upper().casefold()
    return text.replace(_JOINERS[0], "").replace(_JOINERS[1], "")
