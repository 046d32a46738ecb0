"""What a user names as a source."""

import pytest

from core.errors import UsageError
from core.sources.found import evenly
from core.sources.places import parse_place


@pytest.mark.parametrize(
    ("text", "kind", "root", "name"),
    [
        ("reddit:Cats", "reddit", "reddit:cats", "reddit-cats"),
        ("reddit:/r/cats/", "reddit", "reddit:cats", "reddit-cats"),
        ("reddit:u_somebody", "reddit", "reddit:u_somebody", "reddit-u_somebody"),
        ("s3://pics", "bucket", "s3://pics/", "pics"),
        ("s3://pics/2024/raw/", "bucket", "s3://pics/2024/raw/", "pics-2024-raw"),
        ("s3:/pics/a", "bucket", "s3://pics/a", "pics-a"),  # as a shell's path completion leaves it
        ("r2://pics/a", "bucket", "r2://pics/a", "pics-a"),
    ],
)
def test_subreddits_and_buckets_are_known_by_their_text(text, kind, root, name):
    place = parse_place(text)
    assert (place.kind, place.root, place.name) == (kind, root, name)


@pytest.mark.parametrize("text", ["reddit:", "reddit:a b", "reddit:../x", "s3://", "s3:///x", "s3://a b/c"])
def test_what_can_be_none_is_refused(text):
    with pytest.raises(UsageError):
        parse_place(text)


def test_a_url_by_itself_says_what_to_do():
    with pytest.raises(UsageError, match=r"\.txt"):
        parse_place("https://example.org/a.jpg")


def test_text_files_are_lists_unless_they_lie_beside_pictures(tmp_path):
    (tmp_path / "cats.txt").write_text("https://example.org/1.jpg\n")
    assert parse_place(tmp_path / "cats.txt").kind == "urls"
    assert parse_place(tmp_path).kind == "urls"
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "a.jpg").write_bytes(b"x")
    assert parse_place(tmp_path).kind == "folder"  # the text files are captions
    assert parse_place(tmp_path / "cats.txt").kind == "urls"
    assert parse_place(tmp_path / "gone.txt").kind == "folder"  # whoever opens it says that it does not exist


def test_a_sample_is_evenly_spaced_and_in_order():
    assert evenly(range(10), 5) == [1, 3, 5, 7, 9]
    assert evenly(range(2500), 10) == [125 + 250 * i for i in range(10)]
    assert evenly("abc", 7) == ["a", "b", "c"]
    assert evenly("abc", 0) == []
