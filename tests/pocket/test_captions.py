"""Captions are true of their drawings, and the model knows every word in them."""

import random
from collections.abc import Iterator

import pytest

from core.pocket.captions import (
    FIELDS,
    NUMBERS,
    UNKNOWN,
    Caption,
    Rates,
    article,
    caption,
    encode,
    encode_drawing,
    lexicon,
    plural,
    prompts,
    words,
)
from core.pocket.draw import DIGITS, KINDS, Attributes, draw
from core.pocket.styles import COLOURS


def captions_of(kind: str, n: int = 300, rates: Rates | None = None) -> Iterator[tuple[Attributes, Caption]]:
    rng = random.Random(kind)
    for seed in range(n):
        attributes = draw(kind, seed % 20, (16, 16)).attributes
        yield attributes, caption(attributes, rng, rates)


@pytest.mark.parametrize("kind", ["umbrella", "car", "fish", "2", "8"])
def test_captions_are_true_and_say_what_they_state(kind):
    for attributes, (text, states) in captions_of(kind):
        assert states, text
        for field, value in states.items():
            assert getattr(attributes, field) == value
            if field != "kind":
                assert value in text.split(), (text, states)
        drawn, stated = encode_drawing(attributes), encode(states)
        assert all(s in (-1, d) for s, d in zip(stated, drawn, strict=True))


def test_captions_are_rich_and_well_formed():
    texts = [text for kind in (*KINDS, *DIGITS) for _, (text, _) in captions_of(kind, 100)]
    assert len(set(texts)) > 1500
    for text in texts:
        assert text == " ".join(text.split())
        assert "{" not in text
        assert not any(f" a {vowel}" in f" {text}" for vowel in ("apple", "umbrella", "orange", "arrow"))


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ("car", "a photo of a red car"),
        ("2", "handwritten number 2"),
        ("2", "the digit two"),
        ("umbrella", "an umbrella"),
    ],
)
def test_the_grammar_makes_the_prompts_people_write(kind, wanted):
    rng = random.Random(1)
    drawings = [d for seed in range(60) if (d := draw(kind, seed, (16, 16)).attributes).colour in ("red", "white")]
    assert any(caption(rng.choice(drawings), rng).text == wanted for _ in range(30000))


def test_every_word_is_in_the_lexicon():
    known = set(lexicon()) | {UNKNOWN}
    for kind in (*KINDS, *DIGITS):
        for _, (text, _) in captions_of(kind, 60):
            assert set(text.split()) <= known, text
        for prompt in prompts(kind):
            assert set(prompt.split()) <= known, prompt


def test_the_unknown_word_shares_no_token_with_the_lexicon():
    from core.pocket.model import tokenizer

    ends = set(tokenizer()("").flatten().tolist())
    learnt = set(tokenizer()(lexicon()).flatten().tolist()) - ends
    assert not learnt & set(tokenizer()(UNKNOWN).flatten().tolist())


def test_fewer_colours_are_stated_when_asked():
    often = sum("colour" in states for _, (_, states) in captions_of("car", 600, Rates(colour=0.8)))
    rarely = sum("colour" in states for _, (_, states) in captions_of("car", 600, Rates(colour=0.1)))
    assert often > 4 * rarely > 0


def test_the_vocabulary_for_naming():
    assert set(KINDS) | set(NUMBERS) | set(COLOURS) <= set(words())
    assert len(set(words())) == len(words())
    assert set(words()) <= set(lexicon())
    assert set(FIELDS["kind"]) == {*KINDS, *DIGITS}


def test_articles_and_plurals():
    assert [article(w) for w in ("umbrella", "car", "orange car", "one")] == ["an", "a", "an", "a"]
    assert [plural(w) for w in ("car", "butterfly", "fish", "snowman")] == ["cars", "butterflies", "fish", "snowmen"]
