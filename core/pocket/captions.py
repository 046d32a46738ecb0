"""What is said of a drawing: captions from a small grammar, and which captions are true of which drawings."""

from __future__ import annotations

import random
import re
from dataclasses import asdict
from typing import NamedTuple

from core.pocket.digits import DIGITS
from core.pocket.draw import Attributes
from core.pocket.styles import COLOURS, TEXTURES
from core.pocket.things import KINDS

NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
"""The digits as words."""

SYNONYMS: dict[str, tuple[str, ...]] = {
    "umbrella": ("parasol",),
    "car": ("automobile",),
    "house": ("home",),
    "cup": ("mug",),
    "boat": ("ship", "sailboat"),
    "bicycle": ("bike",),
    "cat": ("kitten",),
    "turtle": ("tortoise",),
}
"""Other words for some kinds."""

FIELDS: dict[str, tuple[str, ...]] = {
    "kind": (*KINDS, *DIGITS),
    "colour": tuple(COLOURS),
    "texture": TEXTURES,
    "background": tuple(COLOURS),
    "backdrop": TEXTURES,
    "script": ("", "handwritten", "printed"),
}
"""What a caption may state, with the values of each, in the order of `encode`."""

UNKNOWN = "zzyzx"
"""Stands in captions for any word the model has not learnt, so that "a wooden house" stays a house."""

_SINGULAR = (
    "{a} {np}",
    "{a} {np}",
    "the {np}",
    "{np}",
    "a photo of {a} {np}",
    "a photo of {a} {np}",
    "a photo of the {np}",
    "a picture of {a} {np}",
    "an image of {a} {np}",
    "a drawing of {a} {np}",
    "a sketch of {a} {np}",
    "a painting of {a} {np}",
    "a cartoon of {a} {np}",
    "a blurry photo of {a} {np}",
    "a close-up photo of {a} {np}",
    "a small picture of {a} {np}",
    "this is {a} {np}",
    "there is {a} {np} here",
)
_PLURAL = ("{np}", "some {np}", "photos of {np}", "a picture of {np}", "drawings of {np}")
_NUMBER = (
    "{script} {n}",
    "the {script} digit {n}",
    "{script} digit {n}",
    "the {script} number {n}",
    "{script} number {n}",
)
_NUMBER_IN = ("a photo of {np}", "a picture of {np}", "an image of {np}", "a scan of {np}")
_BACKGROUND = (" on {a} {np} background", " on {np}", " in front of {np}")
_VAGUE = ("{word}", "something {word}", "{a} {word} thing", "a photo of something {word}")


class Caption(NamedTuple):
    """A caption, and what it states: values of some of FIELDS."""

    text: str
    states: dict[str, str]


class Rates(NamedTuple):
    """The shares of captions that state more than the kind."""

    colour: float = 0.4
    texture: float = 0.3
    background: float = 0.2


def words() -> tuple[str, ...]:
    """The words that the model has learnt for what a picture shows: kinds, digits, colours, textures."""
    return (*KINDS, *NUMBERS, *COLOURS, *(t for t in TEXTURES if t != "plain"))


def lexicon() -> list[str]:
    """Every word that a caption may hold, sorted."""
    templates = " ".join((*_SINGULAR, *_PLURAL, *_NUMBER, *_NUMBER_IN, *_BACKGROUND, *_VAGUE))
    nouns = [*KINDS, *(s for others in SYNONYMS.values() for s in others)]
    said = [*words(), *FIELDS["kind"], *FIELDS["script"], *nouns, *map(plural, nouns), "a", "an"]
    return sorted({*re.sub(r"\{\w+\}", " ", templates).split(), *said} - {""})


def plural(noun: str) -> str:
    """The plural of one of the kinds or their synonyms."""
    irregular = {"fish": "fish", "snowman": "snowmen", "butterfly": "butterflies"}
    return irregular.get(noun, noun + "s")


def article(phrase: str) -> str:
    """The indefinite article of a phrase."""
    return "an" if phrase[0] in "aeiou" and not phrase.startswith("one") else "a"


def caption(drawing: Attributes, rng: random.Random, rates: Rates | None = None) -> Caption:
    """A random caption that is true of the drawing."""
    rates = rates or Rates()
    states: dict[str, str] = {}
    if rng.random() < rates.colour:
        states["colour"] = drawing.colour
    if drawing.texture != "plain" and rng.random() < rates.texture:
        states["texture"] = drawing.texture
    if states and rng.random() < 0.06:
        said = _adjectives(states, rng)
        return Caption(rng.choice(_VAGUE).format(word=said, a=article(said)), states)
    states["kind"] = drawing.kind
    if drawing.kind in KINDS:
        text = _of_thing(drawing, states, rng)
    else:
        if rng.random() < 0.4:
            states["script"] = drawing.script
        text = _of_digit(drawing, states, rng)
    if rng.random() < rates.background:
        text += _on_background(drawing, states, rng)
    return Caption(text, states)


def encode(values: dict[str, str]) -> list[int]:
    """Values of FIELDS as numbers, in their order; -1 for what is not stated."""
    return [options.index(values[field]) if field in values else -1 for field, options in FIELDS.items()]


def encode_drawing(drawing: Attributes) -> list[int]:
    """What is true of a drawing, as numbers in the order of FIELDS."""
    return encode({field: value for field, value in asdict(drawing).items() if field in FIELDS})


def prompts(kind: str) -> tuple[str, ...]:
    """The prompts whose average stands for a kind or a digit."""
    if kind in DIGITS:
        word = NUMBERS[int(kind)]
        return (f"the digit {word}", f"handwritten number {kind}", f"the number {kind}", f"digit {kind}")
    phrase = f"{article(kind)} {kind}"
    return (phrase, f"a photo of {phrase}", f"a picture of {phrase}", f"a drawing of {phrase}")


def _adjectives(states: dict[str, str], rng: random.Random) -> str:
    said = [states[field] for field in ("colour", "texture") if field in states]
    if rng.random() < 0.12:
        said.insert(0, UNKNOWN)
    rng.shuffle(said)
    return " ".join(said)


def _of_thing(drawing: Attributes, states: dict[str, str], rng: random.Random) -> str:
    noun = rng.choice((drawing.kind, drawing.kind, drawing.kind, *SYNONYMS.get(drawing.kind, ())))
    many = rng.random() < 0.12
    phrase = f"{_adjectives(states, rng)} {plural(noun) if many else noun}".strip()
    return rng.choice(_PLURAL if many else _SINGULAR).format(np=phrase, a=article(phrase))


def _of_digit(drawing: Attributes, states: dict[str, str], rng: random.Random) -> str:
    n = rng.choice((drawing.kind, NUMBERS[int(drawing.kind)]))
    said = " ".join(s for s in (_adjectives(states, rng), states.get("script", "")) if s)
    phrase = rng.choice(_NUMBER).format(script=said, n=n)
    phrase = " ".join(phrase.split())
    if rng.random() < 0.5:
        return phrase
    if phrase.startswith("the "):
        return rng.choice(_NUMBER_IN).format(np=phrase)
    return rng.choice(_SINGULAR).format(np=phrase, a=article(phrase))


def _on_background(drawing: Attributes, states: dict[str, str], rng: random.Random) -> str:
    said = []
    if drawing.backdrop != "plain" and rng.random() < 0.6:
        states["backdrop"] = drawing.backdrop
        said.append(drawing.backdrop)
    if not said or rng.random() < 0.5:
        states["background"] = drawing.background
        said.append(drawing.background)
    rng.shuffle(said)
    phrase = " ".join(said)
    return rng.choice(_BACKGROUND).format(np=phrase, a=article(phrase))
