"""From classes to the sentences that a model compares pictures with, shown before a run and editable.

Sets of prompts: `auto` (digits, sign language, objects: by the names), `imagenet` (the 80 templates of Radford et al.,
2021), or the user's own template with `{}` or `{name}`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np

from core.annotation.classes import MAX_PHRASE, ClassName
from core.annotation.templates import IMAGENET
from core.clustering.vectors import Floats
from core.errors import UsageError

SETS = ("auto", "digits", "signs", "objects", "imagenet")

NUMBERS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty"),
)

_SAID = re.compile("^(?:the )?(?:digit|number|numeral) (?=[a-z0-9]+$)", re.IGNORECASE)
"""What may stand before a number."""
_DIGITS = ("the digit {word}", "handwritten number {figure}", "the number {figure}", "digit {figure}")
_SIGNS = (
    "sign language number {word}",
    "hand sign for {word}",
    "hand gesture showing {word}",
    "a hand showing the number {figure}",
    "{word}",
)
_SIGNED = ("sign language letter {name}", "hand sign for {name}", "hand gesture showing {name}", "{name}")
"""Signs of what is no number."""
_OBJECTS = ("a photo of a {name}",)
MAX_TEMPLATES = 200


def chosen_set(names: Sequence[str]) -> str:
    """The set that `auto` stands for, by the names.

    Digits: every one is a digit, as a figure, or said to be one (`digit 3`, `the number seven`), or a word where `zero`
    is among them. Signs: every one is a number word, or every one a letter of several. Else objects.
    """
    numbers = [_number(name) for name in names]
    words = [name.lower() in NUMBERS for name in names]
    if all(n is not None and n < 10 for n in numbers) and (0 in numbers or not all(words)):
        return "digits"
    letters = len(names) > 1 and all(len(name) == 1 and name.isascii() and name.isalpha() for name in names)
    return "signs" if all(words) or letters else "objects"


def prompts_of(classes: Sequence[ClassName], prompts: str | Sequence[str] = "auto") -> list[list[str]]:
    """The prompts of each class, none empty, none twice.

    `prompts`: the name of a set, or templates of the user's own. A class with phrases has these as they stand, with
    `{}` and `{name}` filled in. Raises UsageError for an unknown set or a template without a place for the name.
    """
    names = [c.name for c in classes]
    if isinstance(prompts, str) and prompts not in SETS and not _has_place(prompts):
        raise UsageError(
            f"there is no set of prompts {prompts!r}",
            f"use one of {', '.join(SETS)}, or a template such as 'a drawing of a {{}}'",
        )
    if isinstance(prompts, str) and prompts in SETS:
        templates = _templates(chosen_set(names) if prompts == "auto" else prompts)
    else:
        own = [prompts] if isinstance(prompts, str) else list(prompts)
        _check(own)
        templates = lambda _: own  # noqa: E731
    return [list(dict.fromkeys(_filled(t, c.name) for t in (c.phrases or templates(c.name)))) for c in classes]


def prototypes(encode: Callable[[Sequence[str]], Floats], prompts: Sequence[Sequence[str]]) -> Floats:
    """Unit vectors [K, D]: the mean of the unit vectors of each class's prompts, made unit again.

    `encode` gives unit vectors [n, D] of n texts, as `Encoder.encode_texts` does; each text is asked for once.
    """
    texts = list(dict.fromkeys(text for own in prompts for text in own))
    vectors = encode(texts)
    row = {text: i for i, text in enumerate(texts)}
    means = np.stack([vectors[[row[t] for t in own]].mean(axis=0) for own in prompts])
    lengths = np.linalg.norm(means, axis=1, keepdims=True)
    return np.asarray(means / np.where(lengths > 0, lengths, 1), dtype=np.float32)


def _templates(name: str) -> Callable[[str], Sequence[str]]:
    if name == "digits":
        return lambda given: _DIGITS if _number(given) is not None else _OBJECTS
    if name == "signs":
        return lambda given: _SIGNS if _number(given) is not None else _SIGNED
    return lambda given: IMAGENET if name == "imagenet" else _OBJECTS


def _number(name: str) -> int | None:
    name = _SAID.sub("", name)
    if name.isascii() and name.isdigit() and len(name) <= 2 and int(name) < len(NUMBERS):
        return int(name)
    return NUMBERS.index(name.lower()) if name.lower() in NUMBERS else None


def _filled(template: str, name: str) -> str:
    """By replacement, not `format`: a template is the user's, and a name may hold braces of its own."""
    number = _number(name)
    word, figure = (name, name) if number is None else (NUMBERS[number], str(number))
    parts = template.replace("{}", "{name}").split("{name}")
    return name.join(part.replace("{word}", word).replace("{figure}", figure) for part in parts)


def _has_place(template: str) -> bool:
    return "{}" in template or "{name}" in template


def _check(templates: Sequence[str]) -> None:
    if not templates or len(templates) > MAX_TEMPLATES:
        raise UsageError(f"{len(templates)} prompt templates", f"give 1 to {MAX_TEMPLATES}")
    for template in templates:
        if not _has_place(template):
            raise UsageError(f"the prompt {template[:80]!r} has no place for the name", "write {} where it belongs")
        if len(template) > MAX_PHRASE:
            raise UsageError(f"a prompt has {len(template)} characters", f"keep it under {MAX_PHRASE + 1}")
