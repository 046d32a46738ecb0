"""Lists of URLs, as people and other programs write them."""

import codecs

import pytest

from core.errors import ShoeboxError
from core.sources.lists import read_lists
from core.sources.urls import cleaned, public, redacted


def read(path):
    pages = list(read_lists(str(path)))
    found = [(f.url, f.tag) for page in pages for f in page.found]
    return found, [(bad.file, bad.line, bad.reason) for page in pages for bad in page.bad]


def test_comments_blanks_marks_and_line_ends_of_windows_are_passed_over(tmp_path):
    (tmp_path / "cats.txt").write_bytes(
        codecs.BOM_UTF8 + b"# my cats\r\n\r\n  https://example.org/1.jpg  \r\nhttps://example.org/2.jpg # a note\r\n"
        b"https://example.org/3.jpg#top\r\nhttps://example.org/1.jpg"
    )
    found, bad = read(tmp_path / "cats.txt")
    assert [url.rpartition("/")[2] for url, _ in found] == ["1.jpg", "2.jpg", "3.jpg", "1.jpg"]
    assert {tag for _, tag in found} == {"cats"}
    assert bad == []


def test_lines_that_are_no_url_are_told_with_their_number(tmp_path):
    lines = ["https://example.org/ok.jpg", "just words", "ftp://example.org/x", "", "example.org/y.jpg", "http://"]
    lines += ["https://example.org/" + "x" * 40_000, "https://example.org/z.jpg"]
    (tmp_path / "a.txt").write_text("\n".join(lines))
    found, bad = read(tmp_path / "a.txt")
    assert [url for url, _ in found] == ["https://example.org/ok.jpg", "https://example.org/z.jpg"]
    assert [(file, line) for file, line, _ in bad] == [("a.txt", n) for n in (2, 3, 5, 6, 7)]
    assert "only http and https" in bad[1][2] and "longer than" in bad[4][2]


def test_every_list_of_a_folder_is_read_and_names_its_pictures(tmp_path):
    for name in ("dogs", "cats"):
        (tmp_path / f"{name}.txt").write_text(f"https://example.org/{name}.jpg\nhttps://example.org/both.jpg\n")
    (tmp_path / "utf16.TXT").write_text("https://example.org/wide.jpg\n", encoding="utf-16")
    found, bad = read(tmp_path)
    assert found == [
        ("https://example.org/cats.jpg", "cats"),
        ("https://example.org/both.jpg", "cats"),
        ("https://example.org/dogs.jpg", "dogs"),
        ("https://example.org/both.jpg", "dogs"),
        ("https://example.org/wide.jpg", "utf16"),
    ]
    assert bad == []


def test_a_binary_file_called_txt_is_bad_lines_and_no_crash(tmp_path):
    (tmp_path / "a.txt").write_bytes(bytes(range(256)) * 50)
    found, bad = read(tmp_path / "a.txt")
    assert found == [] and bad


def test_a_list_that_is_gone_says_so(tmp_path):
    with pytest.raises(ShoeboxError, match=r"gone\.txt"):
        read(tmp_path / "gone.txt")


def test_urls_are_mended_where_they_can_be():
    assert cleaned("HTTPS://Example.ORG/A.jpg") == "https://example.org/A.jpg"
    assert cleaned("https://bücher.example/ä.jpg") == "https://xn--bcher-kva.example/%C3%A4.jpg"
    assert cleaned("http://example.org:80/a.jpg?b=1#c") in (
        "http://example.org/a.jpg?b=1",
        "http://example.org:80/a.jpg?b=1",
    )


def test_secrets_are_neither_kept_nor_shown_and_still_tell_pictures_apart():
    signed = "https://b.s3.amazonaws.com/a.jpg?X-Amz-Credential=AKIA&X-Amz-Signature={}&v=2"
    assert public(signed.format("abc")) == public(signed.format("def"))
    assert "AKIA" not in public(signed.format("abc")) and "v=2" in public(signed.format("abc"))
    assert public("https://me:hunter2@example.org/a.jpg") == "https://example.org/a.jpg"
    one, two = (public(f"https://example.org/a?key={key}") for key in ("one", "two"))
    assert one != two and "one" not in one
    assert public("https://preview.redd.it/a.jpg?width=640&s=0123") == "https://preview.redd.it/a.jpg?width=640&s=0123"
    assert redacted("cannot get http://u:p@h/x?sig=S (sorry)") == "cannot get http://h/x?sig=REDACTED (sorry)"
