"""The walk of a folder: everything once, in the order of path bytes, whatever the tree is like."""

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import ShoeboxError
from core.sources.folder import EXPORT_MARKER, FoundFile, Unreadable, walk
from tests import programs

WALK = """
import os, sys
from core.sources.folder import FoundFile, walk
for item in walk(os.fsencode(sys.argv[1])):
    print(type(item).__name__, item.path.decode(), getattr(item, "reason", ""), sep="|")
"""


def touch(root: Path, *paths: str | bytes) -> None:
    for path in paths:
        full = os.path.join(os.fsencode(root), os.fsencode(path))
        os.makedirs(os.path.dirname(full), exist_ok=True)
        Path(os.fsdecode(full)).write_bytes(b"x")


def found(root: Path) -> list[bytes]:
    items = list(walk(os.fsencode(root)))
    assert all(isinstance(item, FoundFile) for item in items)
    return [item.path for item in items]


@pytest.fixture
def root(tmp_path) -> Iterator[Path]:
    root = tmp_path / "root"
    root.mkdir()
    yield root
    subprocess.run(["rm", "-rf", root], check=True)  # deeper than shutil recurses: pytest could not clean up


def test_pictures_are_found_at_every_depth_with_their_size_and_time(root):
    touch(root, "b.PNG", "a/c/d.jpeg", "a/notes.txt", "a/jpg")
    (root / "b.PNG").write_bytes(b"12345")
    os.utime(root / "b.PNG", ns=(1, 1_234_567_890_123_456_789))
    assert list(walk(os.fsencode(root))) == [
        FoundFile(b"a/c/d.jpeg", 1, (root / "a/c/d.jpeg").stat().st_mtime_ns),
        FoundFile(b"b.PNG", 5, 1_234_567_890_123_456_789),
    ]


def test_an_empty_folder_has_nothing(root):
    assert found(root) == []


@pytest.mark.parametrize("seed", range(6))
def test_the_order_is_that_of_the_paths_bytes(root, seed):
    generator = random.Random(seed)
    letters = [b"a", b"b", b".", b"-", b" ", b"!", b"0", b"\x01", b"\xff", b"~", "é".encode(), b"\n", b"A"]

    def name() -> bytes:
        return b"n" + b"".join(generator.choices(letters, k=generator.randint(0, 4)))

    folders, paths = [b""], set()
    for _ in range(25):
        folder = os.path.join(generator.choice(folders), name())
        if not os.path.exists(os.path.join(os.fsencode(root), folder)):
            folders.append(folder)
            os.mkdir(os.path.join(os.fsencode(root), folder))
    for _ in range(150):
        path = os.path.join(generator.choice(folders), name() + b".jpg")
        touch(root, path)
        paths.add(path)
    assert found(root) == sorted(paths)


def test_names_around_the_slash_are_in_the_order_of_bytes(root):
    # A file beside a folder of like name: "-" and "." come before "/", "0" after it.
    touch(root, "a/x.jpg", "a-b.jpg", "a.jpg", "a0.jpg", "a./x.jpg", "a-/x.jpg", "a.jpg-/x.jpg")
    assert found(root) == [
        *(b"a-/x.jpg", b"a-b.jpg", b"a./x.jpg", b"a.jpg", b"a.jpg-/x.jpg"),
        *(b"a/x.jpg", b"a0.jpg"),
    ]


def test_hidden_things_projects_and_exports_are_skipped(root):
    touch(root, ".hidden.jpg", ".git/a.jpg", ".shoebox/a.jpg", "other.shoebox/a.jpg", "._mac.jpg", "kept/a.jpg")
    touch(root, "export/a.jpg", "export/sub/a.jpg", b"export/" + EXPORT_MARKER)
    assert found(root) == [b"kept/a.jpg"]


def test_names_of_any_bytes_are_found(root):
    paths = [b"\x80\xff.jpg", b"a\nb/c\x1b.jpg", "日本/é.jpg".encode(), b"\xed\xb3\xa9.jpg"]
    touch(root, *paths)
    assert found(root) == sorted(paths)


@pytest.mark.parametrize(
    "target",
    [".", "..", "sub", "sub/deep", "../root/sub", "loop", "../outside", "../outside/../root"],
)
def test_a_link_leads_to_everything_once(root, target):
    touch(root, "sub/deep/a.jpg", "zz.jpg")
    touch(root.parent, "outside/o.jpg")
    (root.parent / "outside" / "back").symlink_to(root)
    for place in ("aa", "sub/link"):
        (root / place).symlink_to(root / target if target != "loop" else Path("aa"))
    paths = found(root)
    reached = {b"aa/o.jpg"} if target == "../outside" else {b"aa/outside/o.jpg"} if target == ".." else set()
    assert paths == sorted({b"sub/deep/a.jpg", b"zz.jpg"} | reached)


def test_two_links_to_a_folder_outside_give_it_once(root, tmp_path):
    touch(tmp_path, "outside/deep/o.jpg")
    (root / "b").symlink_to(tmp_path / "outside")
    (root / "a").symlink_to(tmp_path / "outside")
    (root / "c").symlink_to(tmp_path / "outside" / "deep")
    assert found(root) == [b"a/deep/o.jpg"]


def test_links_to_files_are_pictures_and_broken_ones_are_not(root, tmp_path):
    touch(tmp_path, "outside/o.jpg")
    touch(root, "a.jpg")
    (root / "link.jpg").symlink_to("a.jpg")
    (root / "out.jpg").symlink_to(tmp_path / "outside" / "o.jpg")
    (root / "broken.jpg").symlink_to("none.jpg")
    (root / "broken").symlink_to("none")
    (root / "self.jpg").symlink_to("self.jpg")
    (root / "self").symlink_to("self")
    assert found(root) == [b"a.jpg", b"link.jpg", b"out.jpg"]


def test_what_is_no_file_is_no_picture(root):
    os.mkfifo(root / "pipe.jpg")
    (root / "folder.jpg").mkdir()
    (root / "device.jpg").symlink_to("/dev/zero")
    touch(root, "folder.jpg/a.jpg")
    assert found(root) == [b"folder.jpg/a.jpg"]


def test_a_root_that_is_a_link_or_ends_in_a_slash_is_walked(root, tmp_path):
    touch(root, "a.jpg", "sub/b.jpg")
    (root / "back").symlink_to(tmp_path / "link")
    (tmp_path / "link").symlink_to(root)
    for name in (tmp_path / "link", f"{root}/", f"{root}/./sub/.."):
        assert [item.path for item in walk(os.fsencode(name))] == [b"a.jpg", b"sub/b.jpg"]


@pytest.mark.parametrize("kind", ["none", "file"])
def test_a_root_that_cannot_be_listed_is_told(root, kind):
    touch(root, "file")
    with pytest.raises(ShoeboxError, match="cannot list"):
        list(walk(os.fsencode(root / kind)))


def test_folders_and_files_that_may_not_be_read_are_told_in_their_place():
    with programs.folder_for_all() as root:
        touch(root, "a.jpg", "b/closed.jpg", "b-a.jpg", "c/unsearchable.jpg", "c/sub/x.jpg", "d.jpg")
        (root / "b").chmod(0o000)
        (root / "c").chmod(0o444)  # its names can be listed, but nothing in it looked at
        done = programs.run(WALK, root, as_nobody=True)
        (root / "b").chmod(0o755)
        (root / "c").chmod(0o755)
        assert done.stdout.splitlines() == [
            "FoundFile|a.jpg|",
            "FoundFile|b-a.jpg|",
            "Unreadable|b/|Permission denied",
            "Unreadable|c/sub/|Permission denied",
            "Unreadable|c/unsearchable.jpg|Permission denied",
            "FoundFile|d.jpg|",
        ], done.stderr


def test_what_goes_away_during_the_walk_is_gone_not_unreadable(root):
    touch(root, "a.jpg", "b/b.jpg", "c/c.jpg", "d.jpg")
    items = walk(os.fsencode(root))
    assert next(items).path == b"a.jpg"
    shutil.rmtree(root / "b")
    (root / "d.jpg").unlink()
    assert [item.path for item in items] == [b"c/c.jpg"]


def test_a_folder_deep_beyond_all_measure_is_walked(root):
    deep, steps = os.open(root, os.O_RDONLY), 1500
    for _ in range(steps):
        os.mkdir("d", dir_fd=deep)
        deeper = os.open("d", os.O_RDONLY, dir_fd=deep)
        os.close(deep)
        deep = deeper
    os.close(os.open("x.jpg", os.O_CREAT | os.O_WRONLY, dir_fd=deep))
    os.close(deep)
    assert steps > sys.getrecursionlimit()
    assert found(root) == [b"d/" * steps + b"x.jpg"]


def test_a_path_longer_than_the_system_takes_is_unreadable(root):
    deep = os.open(root, os.O_RDONLY)
    for _ in range(20):
        os.mkdir("d" * 250, dir_fd=deep)
        deeper = os.open("d" * 250, os.O_RDONLY, dir_fd=deep)
        os.close(deep)
        deep = deeper
    os.close(deep)
    touch(root, "z.jpg")
    unreadable, z = walk(os.fsencode(root))
    assert isinstance(unreadable, Unreadable) and "long" in unreadable.reason and unreadable.path.endswith(b"d/")
    assert z.path == b"z.jpg"


def test_times_beyond_what_the_catalog_holds_are_bounded(root):
    touch(root, "late.jpg", "early.jpg")
    try:
        os.utime(root / "late.jpg", (0, 13_000_000_000))  # the year 2381
    except OverflowError:
        pytest.skip("the file system has no such times")
    os.utime(root / "early.jpg", (0, -1_000_000_000))
    times = {item.path: item.mtime_ns for item in walk(os.fsencode(root)) if isinstance(item, FoundFile)}
    assert times[b"early.jpg"] == -1_000_000_000_000_000_000
    assert times[b"late.jpg"] <= 2**63 - 1


def test_twenty_thousand_files_are_walked(root):
    for number in range(200):
        folder = root / str(number)
        folder.mkdir()
        for name in range(100):
            os.close(os.open(folder / f"{name}.jpg", os.O_CREAT | os.O_WRONLY))
    assert sum(1 for _ in walk(os.fsencode(root))) == 20_000
