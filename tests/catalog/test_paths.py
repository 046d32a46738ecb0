"""Paths as shown, and the bytes beside them wherever what is shown is not the path itself."""

import base64
import random

import pytest

from core.catalog.paths import path_fields, shown


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (b"a b/c.jpg", "a b/c.jpg"),
        ("Ж/日本/é😀.jpg".encode(), "Ж/日本/é😀.jpg"),
        ("Screenshot at 10.00.00\u202fAM.png".encode(), "Screenshot at 10.00.00\u202fAM.png"),
        (rb"back\slash\x0a.jpg", r"back\slash\x0a.jpg"),
    ],
)
def test_a_path_that_prints_is_shown_as_it_is(path, text):
    assert path_fields(path) == {"path": text}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (b"caf\xe9.jpg", r"caf\xe9.jpg"),
        (b"a\nb.jpg", r"a\x0ab.jpg"),
        (b"\x1b[31mred.jpg", r"\x1b[31mred.jpg"),
        (b"\x7f\x00\x9b.jpg", r"\x7f\x00\x9b.jpg"),
        ("turned\u202egpj.exe".encode(), r"turned\xe2\x80\xaegpj.exe"),
        ("c1\u009b.jpg".encode(), r"c1\xc2\x9b.jpg"),
        (b"\xed\xb3\xa9.jpg", r"\xed\xb3\xa9.jpg"),  # an encoded surrogate: no UTF-8
        (b"\xf0\x9f\x98", r"\xf0\x9f\x98"),
    ],
)
def test_what_does_not_print_is_escaped_and_the_bytes_are_given(path, text):
    fields = path_fields(path)
    assert fields["path"] == shown(path) == text
    assert base64.b64decode(fields["path_b64"]) == path


def test_two_paths_never_have_the_same_fields():
    # Both are shown as \x0a: the one whose text is not its bytes is told apart by them.
    assert path_fields(b"\n") != path_fields(rb"\x0a")
    generator = random.Random(0)
    alphabet = [b"\\", b"x", b"0", b"a", b"\n", b"\xe9", "é".encode(), b"\x1b"]
    paths = {b"".join(generator.choices(alphabet, k=generator.randint(1, 6))) for _ in range(3000)}
    fields = {tuple(path_fields(path).items()) for path in paths}
    assert len(fields) == len(paths)


def test_any_bytes_come_back_from_their_fields():
    generator = random.Random(1)
    for _ in range(2000):
        path = generator.randbytes(generator.randint(1, 12))
        fields = path_fields(path)
        assert all(c.isprintable() or (c.isspace() and c not in "\n\r\t") for c in fields["path"])
        back = base64.b64decode(fields["path_b64"]) if "path_b64" in fields else fields["path"].encode("utf-8")
        assert back == path
