"""The scan: the catalog says what the folder holds, whatever happened to it since."""

import os
import random
import shutil
from functools import partial
from pathlib import Path

import pytest

from core.catalog import encoders, images, sources
from core.catalog.database import Database
from core.jobs.scan import CHUNK, ScanReport, scan
from core.project import Project, open_project
from tests import programs

SCAN = """
import os, sys
from core.catalog import images, sources
from core.jobs.scan import scan
from core.project import open_project
project = open_project(None, sys.argv[1])
with project.database() as db, project.database() as reading:
    (source,) = sources.all_sources(db)
    print(scan(db, reading, source, project.root_of(source), progress=lambda _: None).as_dict())
    print([listed.path.decode() for listed in images.listed(db, source.id) if listed.missing])
"""
State = dict[bytes, tuple[int, int, bool]]


@pytest.fixture
def folder(tmp_path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    return folder


@pytest.fixture
def project(folder) -> Project:
    return open_project(folder)


def write(folder: Path, *paths: str, size: int = 1, time: int = 1) -> None:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(bytes(size))
        os.utime(folder / path, ns=(time, time))


def scanned(project: Project, progress=lambda _: None) -> dict[str, int]:
    """What a scan reports, what is nothing left out."""
    with project.database() as db, project.database() as reading:
        source = sources.all_sources(db)[0]
        report = scan(db, reading, source, project.root_of(source), progress=progress)
    return {name: number for name, number in report.as_dict().items() if number}


def listed(project: Project) -> State:
    """What the catalog says of every path: size, mtime, missing."""
    with project.database() as db:
        return {item.path: (item.size, item.mtime_ns, item.missing) for item in images.listed(db, 1)}


def test_new_changed_gone_and_back_are_told_apart(project, folder):
    write(folder, "a.jpg", "b.jpg", "sub/c.jpg", "sub/d.jpg")
    assert scanned(project) == {"found": 4, "new": 4}
    write(folder, "a.jpg", size=2)
    write(folder, "b.jpg", time=2)
    shutil.move(folder / "sub" / "c.jpg", folder.parent / "c.jpg")
    write(folder, "e.jpg")
    assert scanned(project) == {"found": 4, "new": 1, "changed": 2, "gone": 1}
    assert listed(project) == {
        b"a.jpg": (2, 1, False),
        b"b.jpg": (1, 2, False),
        b"e.jpg": (1, 1, False),
        b"sub/c.jpg": (1, 1, True),
        b"sub/d.jpg": (1, 1, False),
    }
    assert scanned(project) == {"found": 4}, "what is gone is told once"
    shutil.move(folder.parent / "c.jpg", folder / "sub" / "c.jpg")
    assert scanned(project) == {"found": 5, "back": 1}
    assert listed(project)[b"sub/c.jpg"] == (1, 1, False)


def test_a_file_that_comes_back_as_another_is_changed(project, folder):
    write(folder, "a.jpg", "b.jpg")
    scanned(project)
    (folder / "a.jpg").unlink()
    assert scanned(project) == {"found": 1, "gone": 1}
    write(folder, "a.jpg", size=3, time=9)
    assert scanned(project) == {"found": 2, "changed": 1}
    assert listed(project)[b"a.jpg"] == (3, 9, False)


def test_a_changed_file_is_to_be_embedded_again_and_an_unchanged_one_is_not(project, folder):
    write(folder, "a.jpg", "b.jpg")
    scanned(project)
    with project.database() as db:
        record = encoders.register(db, fingerprint="x", spec="pocket", options={}, dimension=4)
        with db.transaction():
            encoders.add_embeddings(db, record.id, [b"a", b"b"], 0)
            images.mark_ready(db, [(1, b"a"), (2, b"b")])
        assert images.count_to_embed(db, record.id) == 0
        write(folder, "b.jpg", time=7)
        scanned(project)
        assert [image.path for image in images.to_embed(db, record.id, after=0, limit=9)] == [b"b.jpg"]


def test_an_emptied_folder_leaves_all_missing_and_nothing_forgotten(project, folder):
    write(folder, *(f"{n}.jpg" for n in range(20)))
    scanned(project)
    for file in folder.glob("*.jpg"):
        file.unlink()
    assert scanned(project) == {"gone": 20}
    assert len(listed(project)) == 20


def test_a_second_scan_writes_nothing(project, folder):
    write(folder, "a.jpg", "b/c.jpg")
    (folder / "late.jpg").write_bytes(b"x")
    os.utime(folder / "late.jpg", (0, 13_000_000_000))  # a time that the catalog cannot hold
    scanned(project)
    with project.database() as watcher:
        before = watcher.data_version()
        assert scanned(project) == {"found": 3}
        assert watcher.data_version() == before


def test_what_cannot_be_read_is_not_taken_for_gone():
    with programs.folder_for_all() as place:
        folder = place / "photos"
        write(folder, "a.jpg", "b-a.jpg", "b-gone.jpg", "b/x.jpg", "b/y.jpg", "b0.jpg", "c/z.jpg", "c/gone.jpg")
        for name in ("b", "c"):
            (folder / name).chmod(0o777)
        project = open_project(folder, place / "project")
        assert scanned(project) == {"found": 8, "new": 8}
        for path in (place / "project", place / "project" / "catalog.sqlite"):
            path.chmod(0o777)
        for name in ("b-gone.jpg", "b/y.jpg", "c/gone.jpg"):
            (folder / name).unlink()
        (folder / "b").chmod(0o000)
        (folder / "c").chmod(0o444)
        done = programs.run(SCAN, place / "project", as_nobody=True)
        assert done.returncode == 0, done.stderr
        report, missing = done.stdout.splitlines()
        # Of b nothing is known; of c its names are, and z.jpg alone could not be looked at.
        assert "'found': 3" in report and "'gone': 2" in report and "'unreadable': 2" in report
        assert missing == "['b-gone.jpg', 'c/gone.jpg']"
        (folder / "b").chmod(0o777)
        (folder / "c").chmod(0o777)


def test_an_empty_folder_that_cannot_be_read_is_counted():
    with programs.folder_for_all() as place:
        write(place / "photos", "a.jpg")
        (place / "photos" / "zz").mkdir(mode=0)
        open_project(place / "photos", place / "project")
        for path in (place / "project", place / "project" / "catalog.sqlite"):
            path.chmod(0o777)
        done = programs.run(SCAN, place / "project", as_nobody=True)
        assert "'new': 1" in done.stdout and "'unreadable': 1" in done.stdout, done.stderr


def test_a_cancel_in_the_middle_loses_nothing(project, folder):
    class CancelledHereError(Exception):
        pass

    write(folder, *(f"{n:04}.jpg" for n in range(3 * CHUNK)))
    scanned(project)
    for n in range(0, 3 * CHUNK, 2):
        (folder / f"{n:04}.jpg").unlink()
    write(folder, *(f"{n:04}.png" for n in range(3 * CHUNK)))

    def cancel(report: ScanReport, after: int) -> None:
        if report.found == after:
            raise CancelledHereError

    for after in (1, CHUNK, 2 * CHUNK + 1):
        with pytest.raises(CancelledHereError):
            scanned(project, partial(cancel, after=after))
    scanned(project)
    state = listed(project)
    assert {path for path, (_, _, missing) in state.items() if not missing} == {
        os.fsencode(file.name) for file in folder.iterdir() if file.suffix
    } - {b".shoebox"}
    assert len(state) == 6 * CHUNK
    assert scanned(project) == {"found": 4 * CHUNK + CHUNK // 2}


def test_progress_counts_every_file(project, folder):
    write(folder, *(f"{n}.jpg" for n in range(10)))
    seen: list[int] = []
    scanned(project, lambda report: seen.append(report.found))
    assert seen == list(range(1, 11))


def test_sources_are_scanned_each_by_itself(project, folder, tmp_path):
    write(folder, "a.jpg")
    write(tmp_path / "other", "a.jpg", "b.jpg")
    scanned(project)
    with project.database() as db, project.database() as reading:
        other = sources.add(db, "folder", os.fsencode(tmp_path / "other"))
        report = scan(db, reading, other, project.root_of(other), progress=lambda _: None)
        assert (report.new, report.gone) == (2, 0)
        assert images.counts(db).images == 3
    assert scanned(project) == {"found": 1}


@pytest.mark.parametrize("seed", range(8))
def test_the_catalog_follows_whatever_is_done_to_the_folder(project, folder, seed):
    """Random changes, and a model that knows nothing but paths, sizes, times and whether they are there."""
    generator = random.Random(seed)
    names = ["a", "a-", "a.", "a0", "b", "b.jpg", "é"]
    model: dict[bytes, tuple[int, int, bool]] = {}
    for step in range(12):
        for _ in range(generator.randint(0, 12)):
            _change(folder, generator, names, 10 * step)
        present = {
            os.fsencode(file.relative_to(folder)): (file.stat().st_size, file.stat().st_mtime_ns, False)
            for file in folder.rglob("*.jpg")
            if file.is_file()
        }
        expected = {
            "found": len(present),
            "new": len(present.keys() - model.keys()),
            "changed": sum(p in model and model[p][:2] != s[:2] for p, s in present.items()),
            "back": sum(p in model and model[p] == (*s[:2], True) for p, s in present.items()),
            "gone": sum(not missing for p, (_, _, missing) in model.items() if p not in present),
        }
        assert scanned(project) == {name: number for name, number in expected.items() if number}
        model = {path: (size, time, True) for path, (size, time, _) in model.items()} | present
        assert listed(project) == model
    assert len(model) > 10


def _change(folder: Path, generator: random.Random, names: list[str], time: int) -> None:
    """One thing that a user does to a folder."""

    def anywhere(suffix: str) -> Path:
        return folder.joinpath(*generator.choices(names, k=generator.randint(0, 2)), generator.choice(names) + suffix)

    files = sorted(file for file in folder.rglob("*.jpg") if file.is_file())
    folders = sorted(file for file in folder.rglob("*") if file.is_dir() and ".shoebox" not in file.parts)
    target = anywhere(".jpg")
    blocked = target.is_dir() or any(p.is_file() for p in target.parents)
    match generator.choice(["write", "write", "write", "delete", "move", "copy", "touch", "remove", "rename"]):
        case "write" if not blocked:
            write(folder, str(target.relative_to(folder)), size=generator.randint(1, 3), time=time + 1)
        case "delete" if files:
            generator.choice(files).unlink()
        case "move" if files and not blocked:
            target.parent.mkdir(parents=True, exist_ok=True)
            generator.choice(files).rename(target)
        case "copy" if files and not blocked:
            target.parent.mkdir(parents=True, exist_ok=True)
            source = generator.choice(files)
            if source != target:
                shutil.copy2(source, target)
        case "touch" if files:
            os.utime(generator.choice(files), ns=(time, time + generator.randint(2, 9)))
        case "remove" if folders:
            shutil.rmtree(generator.choice(folders))
        case "rename" if folders:
            new = anywhere("")
            if not new.exists() and new.parent.is_dir():
                old = generator.choice(folders)
                if old not in new.parents:
                    old.rename(new)


def test_a_scan_beside_another_connections_writes_ends_well(project, folder):
    write(folder, *(f"{n:03}.jpg" for n in range(50)))
    with Database(project.catalog_path) as other:

        def write_too(report: ScanReport) -> None:
            other.execute("INSERT INTO meta VALUES (?, '') ON CONFLICT DO NOTHING", (str(report.found),))

        assert scanned(project, write_too) == {"found": 50, "new": 50}
        assert other.value("SELECT count(*) FROM meta") == 50
