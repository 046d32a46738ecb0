"""Names that every file system takes."""

from __future__ import annotations

import unicodedata

import pytest

from core.export.names import UniqueNames, class_folders, cluster_folder, safe_name

HOSTILE = (
    *("../../etc", "CON", "con.tar.gz", "COM¹", "a/b", "a\\b", "LPT9 .x", "nul", ".shoebox", "..", ".", ""),
    *(" ", "...", "-rf", "--help.png", 'a:b*c?<d>|"e', "tab\there\nand\0nul", "\u202egpj.exe", "🏖️" * 200, "x" * 300),
    *("é" * 200 + ".jpeg", "trailing. . ", "한글" * 100, "a.b c" * 90, "\ud800", "line\u2028break", "aux .png"),
)
DEVICES = {"CON", "PRN", "AUX", "NUL", "COM1", "LPT9"}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("make", [safe_name, lambda name: cluster_folder(7, name)], ids=["file", "folder"])
def test_any_name_becomes_one_that_every_file_system_takes(make, name):
    made = make(name)
    assert made
    assert len(made.encode("utf-8")) <= 255
    assert not set(made) & set('<>:"/\\|?*')
    assert not any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") or c == "\u202e" for c in made)
    assert made[0] not in ".- " and made[-1] not in ". "
    assert unicodedata.normalize("NFKC", made.split(".")[0]).strip().upper() not in DEVICES
    assert made == unicodedata.normalize("NFC", made)


def test_ordinary_names_stay_as_they_are():
    for name in ("IMG_0001.JPG", "Strand bei Nacht.png", "家族.heic", "👨‍👩‍👧.png", "a.b-c_d(1).tar.gz"):
        assert safe_name(name) == name


def test_bytes_that_are_no_utf8_are_replaced():
    assert safe_name(b"caf\xe9.png") == "caf_.png"
    assert safe_name("cafe\u0301.png") == "café.png"


def test_a_cut_name_keeps_its_extension_and_whole_characters():
    made = safe_name("é" * 200 + ".jpeg")
    assert made.endswith("é.jpeg")
    assert 250 <= len(made.encode()) <= 255


def test_a_cluster_folder_has_number_and_name():
    assert cluster_folder(7, "beach at dusk") == "07-beach-at-dusk"
    assert cluster_folder(7, None) == cluster_folder(7, " ... ") == "cluster-07"
    assert cluster_folder(7, "CON", digits=3) == "007-_CON"
    assert cluster_folder(7, "../../etc").startswith("07-")


def test_equal_names_are_numbered_in_whatever_case_or_form():
    names = UniqueNames()
    assert [names.take(n) for n in ("img.jpg", "img.jpg", "IMG.JPG", "img-2.jpg")] == [
        *("img.jpg", "img-2.jpg", "IMG-3.JPG"),
        "img-2-2.jpg",
    ]
    assert names.take("café.png") == "café.png"
    assert names.take("CAFÉ.png") == "CAFÉ-2.png"


def test_names_cut_to_the_limit_are_still_kept_apart():
    names = UniqueNames()
    made = [names.take(safe_name("é" * 200 + ".jpg")) for _ in range(20)]
    assert len(set(made)) == 20
    assert all(len(name.encode()) <= 255 and name.endswith(".jpg") for name in made)


def test_folders_of_classes_are_safe_and_apart_whatever_the_classes_are_called():
    names = ["splits", "..", "CON", "a/b", "a_b", "Dog", "dog", "", "猫", "x" * 300, "polar bear"]
    folders = class_folders(names, taken=("splits", "metadata.json"))
    assert folders[5] == "Dog" and folders[8] == "猫" and folders[10] == "polar bear"
    assert len({folder.casefold() for folder in folders} | {"splits"}) == len(names) + 1
    assert all(folder == safe_name(folder) and len(folder.encode()) <= 110 for folder in folders)
