"""Reads what a model answered. Nothing of it is trusted: not its form, not its length, not its characters."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from typing import Any

LABEL_WORDS = 10
NAME_WORDS = 4
MOST_NAME, MOST_LABEL, MOST_SENTENCE = 60, 120, 300  # characters
_FENCE = re.compile(r"```(?:json)?\s*(.*?)```", re.DOTALL)
_THOUGHTS = re.compile(r"<think>.*?</think>", re.DOTALL)
_EMPTY_NAMES = frozenset(
    ("", "error", "unknown", "none", "null", "n/a", "na", "undefined", "unnamed", "untitled", "name", "cluster")
)


class MalformedError(Exception):
    """The reply is not what was asked for. Its text says in what."""


def read_object(text: str) -> dict[str, Any]:
    """The JSON object in a reply, which may be wrapped in words, fences or thoughts. Raises MalformedError."""
    text = _THOUGHTS.sub("", text).strip()
    for candidate in (text, *_FENCE.findall(text)):
        if (found := _parsed(candidate.strip())) is not None:
            return found
    decoder = json.JSONDecoder()
    for start in [m.start() for m in re.finditer(r"\{", text)][:50]:
        try:
            value, _ = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            return value
    raise MalformedError("it holds no JSON object" if text else "it is empty")


def label_of(data: dict[str, Any]) -> str:
    """The label of a reply {label}: at most ten words. Raises MalformedError."""
    label = plain(data.get("label"), MOST_LABEL, "label").strip(" .")
    if label.lower() in _EMPTY_NAMES:
        raise MalformedError("its label says nothing")
    words = label.split()
    if len(words) > 2 * LABEL_WORDS:
        raise MalformedError(f"its label has {len(words)} words, more than {LABEL_WORDS}")
    return " ".join(words[:LABEL_WORDS])


def name_of(value: Any) -> str:
    """A name: 1 to 4 words that mean something. Raises MalformedError."""
    name = plain(value, MOST_NAME, "name").strip(" .\"'`*#")
    if name.lower() in _EMPTY_NAMES or not any(c.isalnum() for c in name):
        raise MalformedError("its name says nothing")
    if len(name.split()) > NAME_WORDS:
        raise MalformedError(f"its name has {len(name.split())} words, more than {NAME_WORDS}")
    return name


def named_of(data: dict[str, Any]) -> dict[str, Any]:
    """{name, alternatives, description} of a reply: two alternatives at most. Raises MalformedError."""
    name = name_of(data.get("name"))
    given = data.get("alternatives")
    alternatives: list[str] = []
    for value in given if isinstance(given, list) else []:
        try:
            other = name_of(value)
        except MalformedError:
            continue
        if other.lower() not in {name.lower(), *(a.lower() for a in alternatives)}:
            alternatives.append(other)
    if not alternatives:
        raise MalformedError("it names no alternatives")
    description = plain(data.get("description"), MOST_SENTENCE, "description")
    return {"name": name, "alternatives": alternatives[:2], "description": description}


def told_apart_of(data: dict[str, Any], numbers: Sequence[int]) -> dict[int, str]:
    """The names by cluster number of a reply {names: [{number, name}]}: each once, no two the same."""
    given = data.get("names")
    if not isinstance(given, list):
        raise MalformedError("it has no list of names")
    found: dict[int, str] = {}
    for entry in given:
        if not isinstance(entry, dict) or type(entry.get("number")) is not int:
            raise MalformedError("an entry of its names has no number")
        if entry["number"] in found:
            raise MalformedError(f"it names group {entry['number']} twice")
        found[entry["number"]] = name_of(entry.get("name"))
    if set(found) != set(numbers):
        raise MalformedError("its groups are not those that were asked about")
    if len({name.casefold() for name in found.values()}) < len(found):
        raise MalformedError("two of its names are the same")
    return found


def plain(value: Any, most: int, what: str) -> str:
    """Text on one line, of at most `most` characters, without what controls a terminal. Raises MalformedError."""
    if not isinstance(value, str):
        raise MalformedError(f"its {what} is no text")
    text = tidy(value)
    if not text:
        raise MalformedError(f"its {what} is empty")
    if len(text) > most:
        raise MalformedError(f"its {what} is longer than {most} characters")
    return text


def tidy(text: str) -> str:
    """`text` on one line, without control, format and unpaired characters (a right-to-left mark could hide words)."""
    kept = (c if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") else " " for c in text)
    return " ".join("".join(kept).split())


def excerpt(text: str, most: int = 160) -> str:
    """The beginning of what a server said, fit to be shown."""
    words = tidy(text[: 4 * most])
    return words if len(words) <= most else words[: most - 3] + "..."


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
