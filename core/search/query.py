"""What is typed to search: words, phrases, weights, and what shall not be seen.

    a red car at night              one prompt, as a picture's caption would say it
    cat:1.0 -dog:0.5                two prompts with weights; a minus says: away from this
    "night sky":2 -"street lights"  quotes hold a phrase together, whatever is in it

A weight is a colon and a number (at most two digits before the point) at the end of a word or a phrase, and goes
for all the words since the last weight, minus or phrase; without one it is 1. After a digit a colon is no weight
(10:30, 16:9), nor is one inside a word. A minus counts at the beginning of a word alone (t-shirt is a word).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from core.errors import UsageError

_PIECE = re.compile(
    r'(?P<minus>-?)"(?P<phrase>[^"]*)(?:"|$)(?::(?P<weight>-?\d{0,2}(?:\.\d+)?))?(?=\s|$)|(?P<word>\S+)'
)
_WEIGHTED = re.compile(r"(?P<word>.*[^\d:]):(?P<weight>-?(?:\d{1,2}(?:\.\d*)?|\.\d+))", re.ASCII)


@dataclass(frozen=True, slots=True)
class Term:
    """A prompt and what it weighs; below zero: away from it."""

    text: str
    weight: float = 1.0


def parse_query(text: str) -> list[Term]:
    """The prompts of a query, equal ones put together; those that weigh nothing are left out.

    An open quote is closed by the end. Raises UsageError where nothing is left to look for.
    """
    weights: dict[str, float] = {}
    for term in _Reading().terms(text):
        weights[term.text] = weights.get(term.text, 0.0) + term.weight
    terms = [Term(prompt, weight) for prompt, weight in weights.items() if weight]
    if not terms:
        raise UsageError("there is nothing to look for", 'write what the pictures show, as in "a red car at night"')
    return terms


class _Reading:
    """Reads a query from the left; `_words` are those of the term that is not ended yet."""

    def __init__(self) -> None:
        self._terms: list[Term] = []
        self._words: list[str] = []
        self._sign = 1.0

    def terms(self, text: str) -> list[Term]:
        for piece in _PIECE.finditer(text):
            if piece["word"] is None:
                self._end()
                self._sign = -1.0 if piece["minus"] else 1.0
                self._words = piece["phrase"].split()
                self._end(float(piece["weight"] or 1))
            else:
                self._read_word(piece["word"])
        self._end()
        return self._terms

    def _read_word(self, word: str) -> None:
        if word.startswith("-") and word.strip("-"):
            self._end()
            self._sign = -1.0
            word = word[1:]
        if weighted := _WEIGHTED.fullmatch(word):
            self._words.append(weighted["word"])
            self._end(float(weighted["weight"]))
        else:
            self._words.append(word)

    def _end(self, weight: float = 1.0) -> None:
        if self._words:
            self._terms.append(Term(" ".join(self._words), self._sign * weight))
        self._words, self._sign = [], 1.0
