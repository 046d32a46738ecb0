"""The user's list of classes, as it is typed, pasted or read."""

import pytest

from core.annotation.classes import MAX_CLASSES, MAX_NAME, parse_classes
from core.errors import UsageError


def test_names_with_spaces_and_of_any_script_come_in_order():
    found = parse_classes("polar bear\nхлеб\n猫\nกระเป๋า\n")
    assert found.names == ["polar bear", "хлеб", "猫", "กระเป๋า"]
    assert not found.notes


def test_what_is_said_after_a_colon_is_phrases_parted_by_semicolons():
    bear, time = parse_classes(["bear: a white bear; a bear cub ;", "12:30"]).classes
    assert (bear.name, bear.phrases) == ("bear", ("a white bear", "a bear cub"))
    assert (time.name, time.phrases) == ("12:30", ())


def test_a_line_that_names_a_class_again_adds_its_phrases():
    found = parse_classes("cat: a cat\ndog\ncat: a kitten")
    assert found.names == ["cat", "dog"]
    assert found.classes[0].phrases == ("a cat", "a kitten")
    assert not found.notes


def test_repeats_empty_names_and_names_that_differ_in_case_are_told():
    found = parse_classes(["cat", "", "cat", "Cat", " : "])
    assert found.names == ["cat", "Cat"]
    said = " / ".join(found.notes)
    assert "cat" in said and "more than once" in said
    assert "2 empty" in said
    assert "case" in said


def test_comments_marks_and_line_ends_of_a_file_are_no_names():
    assert parse_classes("\ufeffcat\r\n# not this\r\ndog\r\n").names == ["cat", "dog"]


def test_a_sharp_given_as_an_argument_is_a_name():
    assert parse_classes(["C#", "#1"]).names == ["C#", "#1"]


def test_what_could_disturb_a_terminal_is_taken_out():
    assert parse_classes(["\x1b[31mred\x07 \u202ecar"]).names == ["[31mred car"]


@pytest.mark.parametrize(
    "given",
    ["", " \n# only this\n", "x" * (MAX_NAME + 1), "a: " + "b" * 501, [f"class {i}" for i in range(MAX_CLASSES + 1)]],
)
def test_no_class_and_far_too_much_are_refused(given):
    with pytest.raises(UsageError):
        parse_classes(given)
