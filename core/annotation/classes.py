"""The user's classes as they are typed, pasted or read from a file: untrusted words to a clean list.

    polar bear: a white bear on ice; a bear cub in snow
    dog
    # a comment

A line is a name, or a name, a colon, and what is said of the class; semicolons part several such phrases. A line
that gives a name again adds its phrases.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from core.errors import UsageError

MAX_CLASSES = 5_000
MAX_NAME = 200  # characters; a model reads some 70 tokens
MAX_PHRASE = 500
MAX_PHRASES = 100  # of one class
MAX_TEXT = 2_000_000  # characters of a list
_JOINERS = "\u200c\u200d"
"""Print nothing, but several scripts and emoji need them."""


@dataclass(frozen=True)
class ClassName:
    """A class: its name, and what the user says of it, which takes the place of the prompts where there is any."""

    name: str
    phrases: tuple[str, ...] = ()


@dataclass(frozen=True)
class ClassList:
    """The classes in the order given, each name once, and what the user should be told about the list."""

    classes: tuple[ClassName, ...]
    notes: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """The names alone."""
        return [c.name for c in self.classes]


def parse_classes(lines: str | Iterable[str]) -> ClassList:
    """Classes from a text of one a line, or from arguments, one each.

    Empty names, repeats and names that differ in case alone are told in `notes`; the empty lines of a text are not.
    Raises UsageError where there is no class, or more or longer ones than are allowed.
    """
    if isinstance(lines, str):
        if len(lines) > MAX_TEXT:
            raise UsageError(f"the list of classes has {len(lines):,} characters", "give one class a line")
        lines = lines.removeprefix("\ufeff").splitlines()
        lines = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    found: dict[str, ClassName] = {}
    repeated: list[str] = []
    empty = 0
    for line in lines:
        name, phrases = _parts(line)
        if not name:
            empty += 1
            continue
        known = found.get(name)
        if known is None:
            found[name] = ClassName(name, phrases)
        else:
            found[name] = ClassName(name, tuple(dict.fromkeys((*known.phrases, *phrases))))
            if not phrases:
                repeated.append(name)
        _check(found[name])
        if len(found) > MAX_CLASSES:
            raise UsageError(f"there are more than {MAX_CLASSES:,} classes", "give fewer")
    if not found:
        raise UsageError("no class is named", "give the names of the classes, one a line or as arguments")
    return ClassList(tuple(found.values()), tuple(_notes(list(found), repeated, empty)))


def _parts(line: str) -> tuple[str, tuple[str, ...]]:
    """Name and phrases of a line.

    A colon parts them where a name stands before it and a space or nothing follows: `12:30` is a name.
    """
    text = _clean(line)
    name, colon, rest = text.partition(": ")
    if not colon and text.endswith(":"):
        name, rest = text[:-1], ""
    if not name.strip():
        return text.strip(": "), ()
    phrases = (phrase.strip() for phrase in rest.split(";"))
    return name.strip(), tuple(dict.fromkeys(p for p in phrases if p))


def _clean(line: str) -> str:
    """NFC, on one line, single spaces, without what cannot be printed (controls, direction marks)."""
    text = unicodedata.normalize("NFC", line)
    text = "".join(c if c.isprintable() or c in _JOINERS else " " if c.isspace() else "" for c in text)
    return " ".join(text.split())


def _check(found: ClassName) -> None:
    shown = f"{found.name[:40]}..." if len(found.name) > 40 else found.name
    if len(found.name) > MAX_NAME:
        raise UsageError(f"the class {shown} has {len(found.name)} characters", f"keep names under {MAX_NAME + 1}")
    if len(found.phrases) > MAX_PHRASES or any(len(p) > MAX_PHRASE for p in found.phrases):
        raise UsageError(
            f"too much is said of the class {shown}",
            f"give at most {MAX_PHRASES} phrases of at most {MAX_PHRASE} characters",
        )


def _notes(names: list[str], repeated: list[str], empty: int) -> Iterable[str]:
    if repeated:
        given = ", ".join(dict.fromkeys(repeated))
        yield f"named more than once, counted once: {given}"
    if empty:
        yield f"{empty} empty name{'s' if empty > 1 else ''} left out"
    alike: dict[str, list[str]] = {}
    for name in names:
        alike.setdefault(unicodedata.normalize("NFKC", name).casefold(), []).append(name)
    for same in alike.values():
        if len(same) > 1:
            yield f"{' and '.join(same)} differ in case or form alone: they stay separate classes"
