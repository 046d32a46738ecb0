"""What is typed to search, as the user means it."""

import pytest

from core.errors import UsageError
from core.search.query import parse_query


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("a red car at night", [("a red car at night", 1)]),
        ("cat:1.0 -dog:0.5", [("cat", 1), ("dog", -0.5)]),
        ("a red car:2 at night -people", [("a red car", 2), ("at night", 1), ("people", -1)]),
        ('"night sky":2 -"street lights" sea', [("night sky", 2), ("street lights", -1), ("sea", 1)]),
        ("cat:.5 dog:-1", [("cat", 0.5), ("dog", -1)]),
        ("a t-shirt - white", [("a t-shirt - white", 1)]),
        ("a clock at 10:30", [("a clock at 10:30", 1)]),
        ("ein Schild: Vorsicht", [("ein Schild: Vorsicht", 1)]),
        ("S:t Eriksplan", [("S:t Eriksplan", 1)]),
        ("猫:2 -犬", [("猫", 2), ("犬", -1)]),
        ("猫：夜", [("猫：夜", 1)]),
        ('"time: 10:30 -5":0.5', [("time: 10:30 -5", 0.5)]),
        ('sea "half typ', [("sea", 1), ("half typ", 1)]),
        ("cat -", [("cat -", 1)]),
        ("cat cat:2 dog:0", [("cat cat", 2)]),
        ("cat:1 cat:2", [("cat", 3)]),
        ('an 8" disk', [('an 8" disk', 1)]),
    ],
)
def test_prompts_weights_and_phrases(text, terms):
    assert [(term.text, term.weight) for term in parse_query(text)] == terms


@pytest.mark.parametrize("text", ["", "  ", '""', "cat:0"])
def test_nothing_to_look_for_is_said(text):
    with pytest.raises(UsageError, match="nothing to look for"):
        parse_query(text)
