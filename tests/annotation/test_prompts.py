"""From classes to prompts, and to prototypes."""

import numpy as np
import pytest

from core.annotation.classes import ClassName, parse_classes
from core.annotation.prompts import prompts_of, prototypes
from core.annotation.templates import IMAGENET
from core.errors import UsageError
from tests.annotation.pile import pocket


def of(*names, prompts="auto"):
    return prompts_of([ClassName(name) for name in names], prompts)


def test_digits_are_known_by_their_names():
    assert of("0", "2")[1] == ["the digit two", "handwritten number 2", "the number 2", "digit 2"]


@pytest.mark.parametrize("names", [("digit 3", "digit 7"), ("the number three", "Number 7"), ("3", "seven")])
def test_digits_are_known_however_they_are_said(names):
    three, seven = of(*names)
    assert three == ["the digit three", "handwritten number 3", "the number 3", "digit 3"]
    assert seven[0] == "the digit seven"


def test_words_from_zero_on_are_digits():
    assert of("zero", "one")[0][0] == "the digit zero"


def test_letters_are_signs_of_a_hand():
    assert of("A", "b")[1] == ["sign language letter b", "hand sign for b", "hand gesture showing b", "b"]
    assert of("A") == [["a photo of a A"]]
    assert of("A", "bee")[0] == ["a photo of a A"]


def test_number_words_are_signs_of_a_hand():
    assert of("one", "Two")[1] == [
        "sign language number two",
        "hand sign for two",
        "hand gesture showing two",
        "a hand showing the number 2",
        "two",
    ]


def test_anything_else_is_an_object():
    assert of("cat", "2", "12") == [["a photo of a cat"], ["a photo of a 2"], ["a photo of a 12"]]


@pytest.mark.parametrize("prompts", ["digits", "signs", "objects", "imagenet"])
def test_every_set_takes_any_name(prompts):
    for own in of("12", "a", "{}", "猫", "999999", prompts=prompts):
        assert own and all(own)


def test_the_imagenet_set_is_eighty_prompts_a_class():
    own = of("tench", prompts="imagenet")[0]
    assert len(own) == len(set(own)) == len(IMAGENET) == 80
    assert all("tench" in prompt and "{" not in prompt for prompt in own)


def test_templates_of_the_users_own_have_either_place_for_the_name():
    assert of("cat", prompts=["a {} here", "{name}"]) == [["a cat here", "cat"]]
    assert of("a {name} b", prompts="x {}") == [["x a {name} b"]]


def test_what_is_said_of_a_class_takes_the_place_of_its_prompts():
    classes = parse_classes("cat\nbear: a white {}; snow").classes
    assert prompts_of(classes) == [["a photo of a cat"], ["a white bear", "snow"]]


@pytest.mark.parametrize("prompts", ["photos", "", ["no place"], [], ["{}" * 400]])
def test_prompts_that_cannot_work_are_refused(prompts):
    with pytest.raises(UsageError):
        of("cat", prompts=prompts)


def test_a_prototype_is_the_unit_mean_of_its_prompts():
    encode = pocket().encode_texts
    found = prototypes(encode, [["a car", "a drawing of a car"], ["a fish"]])
    both = encode(["a car", "a drawing of a car"]).sum(axis=0)
    np.testing.assert_allclose(found[0], both / np.linalg.norm(both), atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
