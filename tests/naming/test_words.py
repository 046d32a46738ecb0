"""Vocabularies: the user's own file is not trusted, and the bundled ones are there."""

import pytest

from core.errors import ShoeboxError, UsageError
from core.naming.words import load_vocabulary, prompts
from core.pocket import captions


def test_the_bundled_vocabularies_hold_what_they_say():
    scenes = load_vocabulary("scenes", pocket=False).words
    lemmas = load_vocabulary("lemmas", pocket=False).words
    assert len(scenes) > 600 and {"beach", "wedding", "shoes"} <= set(scenes)
    assert len(lemmas) > 20_000 and "tench" in lemmas
    assert len(load_vocabulary("all", pocket=False).words) < len(scenes) + len(lemmas), "none twice"
    assert load_vocabulary("auto", pocket=True).words == captions.words()
    assert load_vocabulary("auto", pocket=False).words == scenes


def test_a_file_of_words_is_tidied(tmp_path):
    file = tmp_path / "words.txt"
    file.write_bytes(
        b"\xef\xbb\xbf# mine\r\nRed  car\r\n\r\nred car\n\tdog\x00\x1b[2J\n" + b"x" * 500 + b"\ncaf\xc3\xa9\n"
    )
    assert load_vocabulary(str(file), pocket=False).words == ("Red car", "dog [2J", "café")


@pytest.mark.parametrize("data", [b"", b"# nothing\n\n", b"\xff\xfe\x00", b"a\n" * 8_000_001])
def test_a_file_that_is_no_vocabulary_is_told(tmp_path, data):
    file = tmp_path / "words.txt"
    file.write_bytes(data)
    with pytest.raises(ShoeboxError, match=r"words\.txt"):
        load_vocabulary(str(file), pocket=False)


def test_a_file_there_is_not_names_what_there_is(tmp_path):
    with pytest.raises(UsageError, match="scenes, lemmas"):
        load_vocabulary(str(tmp_path), pocket=False)


def test_prompts_read_as_a_person_would_say_them():
    assert prompts("umbrella", pocket=False)[0] == "a photo of an umbrella"
    assert "the digit two" in prompts("two", pocket=True)
    assert prompts("red", pocket=True)[0] == "something red"
