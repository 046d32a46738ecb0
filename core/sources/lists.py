"""Lists of URLs: text files, one URL a line."""

from __future__ import annotations

import codecs
import os
from collections.abc import Iterator
from pathlib import Path

from core.errors import ShoeboxError
from core.sources.found import BadLine, Found, Page
from core.sources.places import LIST_SUFFIX, list_files
from core.sources.urls import LONGEST, cleaned, public

PAGE = 500
_LONGEST_LINE = 4 * LONGEST


def read_lists(root: str) -> Iterator[Page]:
    """The URLs of a list, or of every list in a folder; each comes with the name of its list as its tag.

    Blank lines and comments (# at the beginning, or after a space) are passed over; a line that is no URL comes as
    a BadLine. Raises ShoeboxError where a list cannot be read, or there is none.
    """
    files = list_files(root) if os.path.isdir(root) else [root]
    if not files:
        raise ShoeboxError(f"there is no list of URLs at {root}", "it was moved or deleted; name it where it is now")
    found: list[Found] = []
    bad: list[BadLine] = []
    for file in files:
        for item in _read(file):
            (found if isinstance(item, Found) else bad).append(item)  # type: ignore[arg-type]
            if len(found) + len(bad) >= PAGE:
                yield Page(found, bad)
                found, bad = [], []
    yield Page(found, bad)


def _read(file: str) -> Iterator[Found | BadLine]:
    name = os.path.basename(file)
    tag = name[: -len(LIST_SUFFIX)] if name.lower().endswith(LIST_SUFFIX) else name
    try:
        with open(file, encoding=_encoding(file), errors="replace") as lines:
            number = 0
            while line := lines.readline(_LONGEST_LINE):
                number += 1
                while not line.endswith("\n") and (rest := lines.readline(_LONGEST_LINE)):
                    line = "x" * (LONGEST + 1) + rest[-1]  # one line still, and too long, whatever is in it
                text = _without_comment(line)
                if text:
                    yield _item(name, number, text, tag)
    except OSError as error:
        raise ShoeboxError(f"cannot read {file} ({error.strerror})", "mend its permissions or its path") from error


def _item(name: str, number: int, text: str, tag: str) -> Found | BadLine:
    if "\ufffd" in text or "\0" in text:
        return BadLine(name, number, "it is not UTF-8 text")
    try:
        address = cleaned(text)
    except ValueError as error:
        return BadLine(name, number, str(error))
    return Found(public(address), address, tag)


def _without_comment(line: str) -> str:
    line = line.strip().lstrip("\ufeff")
    if line.startswith("#"):
        return ""
    for mark in (" #", "\t#"):
        line = line.partition(mark)[0].rstrip()
    return line


def _encoding(file: str) -> str:
    """UTF-8, unless the first two bytes say that a Windows program wrote UTF-16."""
    with Path(file).open("rb") as opened:
        start = opened.read(2)
    return "utf-16" if start in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"
