"""Where words for clusters come from, and the prompts that a word is put into before an encoder reads it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from core.catalog.names import tidy
from core.catalog.paths import shown
from core.errors import ShoeboxError, UsageError
from core.pocket import captions

SOURCES = ("auto", "scenes", "lemmas", "all", "pocket")
POCKET = "pocket"
PROMPTS = "2"
"""The version of the prompts: what was encoded with another is not asked."""
MAX_FILE_BYTES = 16_000_000
MAX_WORDS = 200_000
MAX_LENGTH = 100
"""Of a word in characters; no encoder reads more."""

_PHOTO = ("a photo of {a} {name}", "{name}")
_DRAWN = ("{a} {name}", "a photo of {a} {name}", "a picture of {a} {name}", "a drawing of {a} {name}")
_LEMMAS = "data/_info/imagenet_synset_to_lemma.txt"


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Words, none twice, and what they are called."""

    name: str
    words: tuple[str, ...]


def load_vocabulary(source: str, *, pocket: bool, on_cpu: bool = True) -> Vocabulary:
    """The vocabulary that `source` names: one of SOURCES, or a file of words, one a line.

    `auto` is what suits the encoder: the words of the `pocket` model for that; else scenes, and the lemmas too (`all`)
    where no CPU has to read 20,000 of them. Raises UsageError for a file there is not, ShoeboxError for one that
    holds no words.
    """
    if source == "auto":
        source = POCKET if pocket else "scenes" if on_cpu else "all"
    if source == "scenes":
        return Vocabulary("scenes", _scenes())
    if source == "lemmas":
        return Vocabulary("lemmas", _lemmas())
    if source == "all":
        return Vocabulary(source, _unique([*_scenes(), *_lemmas()]))
    if source == POCKET:
        return Vocabulary(POCKET, captions.words())
    return _from_file(Path(source))


def prompts(word: str, *, pocket: bool) -> tuple[str, ...]:
    """The prompts whose average stands for a word."""
    if not pocket:
        return tuple(template.format(a=_article(word), name=word) for template in _PHOTO)
    if word in captions.NUMBERS:
        return captions.prompts(str(captions.NUMBERS.index(word)))
    if word in captions.FIELDS["colour"] or word in captions.FIELDS["texture"]:
        return (f"something {word}", f"{_article(word)} {word} thing")
    return tuple(template.format(a=_article(word), name=word) for template in _DRAWN)


def background_words(*, pocket: bool) -> tuple[str, ...]:
    """Everyday words: what their texts have in common is of the encoder, and of no word."""
    return captions.words() if pocket else _scenes()[::12]


def _article(word: str) -> str:
    return "an" if word[:1].lower() in "aeiou" else "a"


def _scenes() -> tuple[str, ...]:
    text = (resources.files("core.naming") / "vocabulary" / "scenes.txt").read_text(encoding="utf-8")
    return _unique(_lines(text))


def _lemmas() -> tuple[str, ...]:
    """The first lemma of every synset of ImageNet-22k (Deng et al., 2009), from timm's package data."""
    text = (resources.files("timm") / _LEMMAS).read_text(encoding="utf-8")
    return _unique(line.partition("\t")[2].partition(",")[0] for line in text.splitlines())


def _from_file(path: Path) -> Vocabulary:
    name = shown(os.fsencode(path))
    if not path.is_file():
        known = ", ".join(SOURCES)
        raise UsageError(f"there is no vocabulary {name}", f"name a file of words, one a line, or one of {known}")
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
        if len(data) > MAX_FILE_BYTES:
            raise ShoeboxError(f"the vocabulary {name} is too large", f"{MAX_FILE_BYTES // 10**6} MB are the most")
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise ShoeboxError(f"cannot read the vocabulary {name} ({error.strerror})", "mend its permissions") from error
    except UnicodeDecodeError as error:
        raise ShoeboxError(f"the vocabulary {name} is not UTF-8 text", "save it as UTF-8, one word a line") from error
    words = _unique(_lines(text))
    if len(words) > MAX_WORDS:
        raise ShoeboxError(f"the vocabulary {name} holds {len(words):,} words", f"{MAX_WORDS:,} are the most")
    if not words:
        raise ShoeboxError(f"the vocabulary {name} holds no words", "write one a line; # begins a comment")
    return Vocabulary(shown(os.fsencode(path.name)), words)


def _lines(text: str) -> Iterable[str]:
    return (line for line in re.split(r"[\r\n]+", text) if not line.lstrip().startswith("#"))


def _unique(words: Iterable[str] | Sequence[str]) -> tuple[str, ...]:
    """Tidied, the too long left out, the first of those that differ in case alone."""
    found: dict[str, str] = {}
    for word in map(tidy, words):
        if word and len(word) <= MAX_LENGTH:
            found.setdefault(word.casefold(), word)
    return tuple(found.values())
