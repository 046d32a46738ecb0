"""Folders of pictures: what lands where, and what never happens."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.catalog import clusterings, curation
from core.catalog.clusterings import NewCluster
from core.errors import CancelledError, ShoeboxError, UsageError
from core.export.run import export
from core.export.settings import ExportSettings
from core.sources.folder import walk
from tests.export.piles import DIMENSION, PILE, files_below, make_project, run_export
from tests.export.test_names import HOSTILE
from tests.programs import PATIENCE

LISTS = {
    *("clusters.json", "clusters.html", "clusters.csv", "clusters.parquet", ".shoebox-export"),
    *("cluster_names.json", "cluster_descriptions.json"),
}


def test_every_picture_lands_byte_identical_in_the_folder_of_its_cluster(tmp_path):
    project = make_project(tmp_path / "pile")
    before = {path: data for path, data in files_below(tmp_path / "pile").items() if ".shoebox" not in path}
    result = run_export(project, tmp_path)
    assert result.directory.parent == tmp_path and result.directory.name.startswith("pile-20")
    assert {p.name for p in result.directory.iterdir()} == {*LISTS, "01-beach-at-dusk", "cluster-02"}
    document = json.loads((result.directory / "clusters.json").read_text())
    seen = 0
    for cluster in document["clusters"]:
        for member in cluster["members"]:
            exported = result.directory / member["file"]
            path = base64.b64decode(member["path_b64"]) if "path_b64" in member else os.fsencode(member["path"])
            assert exported.read_bytes() == (tmp_path / "pile" / os.fsdecode(path)).read_bytes()
            assert exported.stat().st_mtime == 1_500_000_000
            seen += 1
    assert seen == result.files == 8
    assert result.skipped == []
    after = files_below(tmp_path / "pile")
    assert {path: data for path, data in after.items() if ".shoebox" not in path} == before


def test_equal_basenames_are_kept_apart(tmp_path):
    result = run_export(make_project(tmp_path / "pile"), tmp_path)
    names = {p.name for p in (result.directory / "01-beach-at-dusk").iterdir()}
    assert names == {"img.jpg", "img-2.jpg", "IMG-3.JPG", "sand.png", "caf_.png"}


def test_an_earlier_run_is_exported_as_it_was_left(tmp_path, shoebox):
    project = make_project(tmp_path / "pile")
    with project.database() as db:
        first = clusterings.latest(db)
        assert first is not None
        curation.rename(db, first.id, 2, "trees")
        all_ids = sorted(clusterings.placed(db, first.id))
        clusters = [NewCluster(9, "all", len(all_ids), all_ids[0], 0.5, 0.1, False, all_ids[:2], b"\0\0" * DIMENSION)]
        clusterings.record(
            db,
            encoder=first.encoder,
            method="kmeans",
            route="kmeans",
            settings={},
            seed=0,
            silhouette=0.1,
            seconds=0.1,
            clusters=clusters,
            assignments=[(image, 9, 0.5) for image in all_ids],
        )
    folders = {p.name for p in run_export(project, tmp_path, run=first.id).directory.iterdir() if p.is_dir()}
    assert folders == {"01-beach-at-dusk", "02-trees"}
    assert [p.name for p in run_export(project, tmp_path).directory.iterdir() if p.is_dir()] == ["09-all"]
    paths = shoebox("export", tmp_path / "pile", "--run", first.id, "--clusters", "2", "--print0").out.split("\0")
    assert [Path(path).name for path in paths if path] == ["=1+1.png", "<img src=x onerror=alert(1)>.png", "tree.png"]
    with pytest.raises(UsageError, match="no clustering 99"):
        run_export(project, tmp_path, run=99)


def test_the_same_contents_give_the_same_names(tmp_path):
    project = make_project(tmp_path / "pile")
    first, second = run_export(project, tmp_path), run_export(project, tmp_path)
    pictures = [{k: v for k, v in files_below(r.directory).items() if "/" in k} for r in (first, second)]
    assert pictures[0] == pictures[1]


def test_nothing_is_overwritten_when_it_runs_again(tmp_path):
    project = make_project(tmp_path / "pile")
    first = run_export(project, tmp_path)
    (first.directory / "mine.txt").write_text("mine")
    before = files_below(first.directory)
    second = run_export(project, tmp_path)
    (tmp_path / f"{first.directory.name}-3").write_text("mine, too")
    third = run_export(project, tmp_path)
    name = first.directory.name
    assert [r.directory.name for r in (second, third)] == [f"{name}-2", f"{name}-4"]
    assert files_below(first.directory) == before
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")]


def test_a_folder_that_was_named_is_the_one_or_nothing_is_done(tmp_path, shoebox):
    project = make_project(tmp_path / "pile")
    (tmp_path / "out").mkdir()
    assert run_export(project, tmp_path, output="out").directory == tmp_path / "out"
    before = files_below(tmp_path / "out")
    with pytest.raises(UsageError, match="out is there already"):
        run_export(project, tmp_path, output="out")
    refused = shoebox("run", tmp_path / "pile", "--encoder", "pocket", "--output", tmp_path / "out")
    assert refused.code == 2
    assert "is there already" in refused.err
    with project.database() as db:
        assert len(clusterings.all_clusterings(db)) == 1, "it is refused before any work"
    (tmp_path / "link").symlink_to(tmp_path / "pile")
    with pytest.raises(UsageError):
        run_export(project, tmp_path, output="link")
    assert files_below(tmp_path / "out") == before


def test_exports_at_the_same_moment_get_a_folder_each(tmp_path):
    project = make_project(tmp_path / "pile")
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: run_export(project, tmp_path, what="previews"), range(8)))
    name = min((r.directory.name for r in results), key=len)
    names = [name, *(f"{name}-{n}" for n in range(2, 9))]
    assert sorted(r.directory.name for r in results) == names
    assert {len(files_below(tmp_path / name)) for name in names} == {len(LISTS) + 6}


def test_an_output_name_of_the_longest_kind_works(tmp_path):
    project = make_project(tmp_path / "pile")
    output = "é" * 127
    assert run_export(project, tmp_path, output=output, what="none").directory.name == output


def test_hostile_cluster_names_stay_inside(tmp_path):
    names = dict(enumerate((n for n in HOSTILE if n.isprintable()), start=1))
    project = make_project(tmp_path / "pile", {f"{n}.png".encode(): n for n in names}, names)
    result = run_export(project, tmp_path, output="deep/out")
    assert {p.name for p in tmp_path.iterdir()} == {"pile", "deep"}
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["out"]
    folders = [p for p in result.directory.iterdir() if p.is_dir()]
    assert len(folders) == len(names) == result.files
    assert all(len(list(folder.iterdir())) == 1 for folder in folders)


def test_hard_links_share_the_file(tmp_path):
    result = run_export(make_project(tmp_path / "pile"), tmp_path, mode="hardlink")
    exported, origin = result.directory / "cluster-02" / "tree.png", tmp_path / "pile" / "forest" / "tree.png"
    assert exported.stat().st_ino == origin.stat().st_ino


def test_a_hard_link_to_a_linked_picture_is_to_the_picture(tmp_path):
    project = make_project(tmp_path / "pile")
    tree = tmp_path / "pile" / "forest" / "tree.png"
    tree.rename(tmp_path / "elsewhere.png")
    tree.symlink_to("../../elsewhere.png")
    result = run_export(project, tmp_path, mode="hardlink")
    exported = result.directory / "cluster-02" / "tree.png"
    assert not exported.is_symlink()
    assert exported.stat().st_ino == (tmp_path / "elsewhere.png").stat().st_ino


@pytest.mark.skipif(not os.path.isdir("/dev/shm"), reason="needs a second file system")
def test_hard_links_across_file_systems_are_refused_with_what_to_do(tmp_path):
    if os.stat("/dev/shm").st_dev == tmp_path.stat().st_dev:
        pytest.skip("the same file system")
    project = make_project(tmp_path / "pile")
    output = Path("/dev/shm") / f"shoebox-test-{os.getpid()}"
    with pytest.raises(ShoeboxError, match="--mode copy"):
        run_export(project, tmp_path, output=str(output), mode="hardlink")
    assert not [p for p in os.listdir("/dev/shm") if output.name in p]


def test_symbolic_links_are_absolute_and_resolve(tmp_path):
    project = make_project(tmp_path / "pile")
    result = run_export(project, tmp_path, mode="symlink")
    moved = result.directory.rename(tmp_path / "moved")
    links = [p for p in moved.rglob("*") if p.is_symlink()]
    assert len(links) == 8
    assert all(os.path.isabs(os.readlink(link)) and link.is_file() for link in links)


def test_previews_alone_and_the_unclustered_when_asked(tmp_path):
    project = make_project(tmp_path / "pile")
    result = run_export(project, tmp_path, what="previews", unclustered=True)
    sizes = {p.name: len(list(p.iterdir())) for p in result.directory.iterdir() if p.is_dir()}
    assert sizes == {"01-beach-at-dusk": 3, "cluster-02": 3, "unclustered": 1}


def test_a_selection_exports_its_clusters_alone(tmp_path):
    result = run_export(make_project(tmp_path / "pile"), tmp_path, clusters=[2])
    assert [p.name for p in result.directory.iterdir() if p.is_dir()] == ["cluster-02"]
    assert (result.clusters, result.pictures, result.files) == (1, 3, 3)


def test_a_picture_that_vanished_is_left_out_and_said(tmp_path):
    project = make_project(tmp_path / "pile")
    (tmp_path / "pile" / "forest" / "tree.png").unlink()
    sand = tmp_path / "pile" / "beach" / "sand.png"
    sand.unlink()
    os.mkfifo(sand)
    for mode in ("copy", "hardlink", "symlink"):
        result = run_export(project, tmp_path, mode=mode)
        assert result.files == 6
        assert {(s.member.path, s.reason) for s in result.skipped} == {
            (b"forest/tree.png", "it is gone"),
            (b"beach/sand.png", "it is no file any more"),
        }
        document = json.loads((result.directory / "clusters.json").read_text())
        assert {s["path"] for s in document["skipped"]} == {"forest/tree.png", "beach/sand.png"}
        assert sum("file" in m for c in document["clusters"] for m in c["members"]) == 6


def test_pictures_that_are_all_gone_are_an_error(tmp_path):
    project = make_project(tmp_path / "pile")
    for path in PILE:
        os.unlink(bytes(tmp_path / "pile") + b"/" + path)
    with pytest.raises(ShoeboxError, match=r"none of the 8 pictures .* it is gone"):
        run_export(project, tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["pile"]


@pytest.mark.parametrize("output", ["pile/out", "pile", "link/out", "link/a/../b/out", "pile/beach/.hidden/out"])
def test_an_output_inside_the_source_is_refused(tmp_path, output):
    project = make_project(tmp_path / "pile")
    (tmp_path / "link").symlink_to(tmp_path / "pile" / "forest")
    before = files_below(tmp_path / "pile").keys()
    with pytest.raises(UsageError, match="--output"):
        run_export(project, tmp_path, output=output)
    assert files_below(tmp_path / "pile").keys() == before


def test_the_default_folder_is_never_inside_the_source(tmp_path):
    result = run_export(make_project(tmp_path / "pile"), tmp_path / "pile" / "beach", what="none")
    assert result.directory.parent == tmp_path


def test_a_scan_of_a_tree_that_holds_an_export_skips_it(tmp_path):
    project = make_project(tmp_path / "pictures" / "pile")
    run_export(project, tmp_path / "pictures")
    found = {entry.path for entry in walk(bytes(tmp_path / "pictures"))}
    assert found == {b"pile/" + path for path in PILE}


def test_cancelling_leaves_nothing(tmp_path):
    project = make_project(tmp_path / "pile")
    calls = 0

    def checkpoint() -> None:
        nonlocal calls
        calls += 1
        if calls == 5:
            raise CancelledError("cancelled")

    with pytest.raises(CancelledError):
        export(project, ExportSettings(working_directory=str(tmp_path)), checkpoint=checkpoint)
    assert [p.name for p in tmp_path.iterdir()] == ["pile"]


def test_what_a_killed_export_left_goes_with_the_next_one_and_nothing_else_does(tmp_path):
    project = make_project(tmp_path / "pile")
    program = """
import os, signal, sys
from pathlib import Path
from core.export.run import export
from core.export.settings import ExportSettings
from core.project import reopen
def checkpoint(calls=[]):
    calls.append(None)
    if len(calls) == 5:
        os.kill(os.getpid(), signal.SIGKILL)
project = reopen(Path(sys.argv[1]) / "pile" / ".shoebox")
export(project, ExportSettings(working_directory=sys.argv[1], output="out"), checkpoint=checkpoint)
"""
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False, timeout=PATIENCE)
    assert done.returncode == -signal.SIGKILL
    (left,) = tmp_path.glob(".out.partial-*")
    assert len(files_below(left)) > 1
    mine = tmp_path / ".out.partial-0123abcd"  # no export of anybody
    others = tmp_path / ".out.partial-0123abce"
    mine.mkdir()
    others.mkdir()
    (others / ".shoebox-export").write_text('{"project": "/elsewhere/.shoebox"}')
    assert run_export(project, tmp_path, output="out").directory.name == "out"
    assert {p.name for p in tmp_path.iterdir()} == {"pile", "out", mine.name, others.name}


def test_more_than_the_disk_holds_is_refused_before_any_work(tmp_path):
    project = make_project(tmp_path / "pile")
    try:
        os.truncate(tmp_path / "pile" / "forest" / "tree.png", 8 << 40)  # sparse: claims 8 TiB
    except OSError:
        pytest.skip("this file system has no such large files")
    with pytest.raises(ShoeboxError, match=r"takes 8,\d{3},\d{3} MB and [\d,]+ MB are free"):
        run_export(project, tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["pile"]
    assert run_export(project, tmp_path, mode="symlink").files == 8


def test_a_disk_that_takes_no_more_midway_leaves_nothing(tmp_path):
    make_project(tmp_path / "pile")
    with open(tmp_path / "pile" / "forest" / "tree.png", "ab") as picture:
        picture.write(b"\0" * 4_000_000)
    program = """
import resource, signal, sys
from pathlib import Path
from core.errors import ShoeboxError
from core.project import reopen
from tests.export.piles import run_export
project = reopen(Path(sys.argv[1]) / "pile" / ".shoebox")
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))
try:
    run_export(project, Path(sys.argv[1]))
except ShoeboxError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True, timeout=PATIENCE
    )
    assert "cannot write the export" in done.stdout and "File too large" in done.stdout
    assert [p.name for p in tmp_path.iterdir()] == ["pile"]


def test_a_place_that_cannot_be_written_is_said(tmp_path):
    project = make_project(tmp_path / "pile")
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(ShoeboxError, match="cannot write the export"):
        run_export(project, tmp_path, output="file/out")
    assert (tmp_path / "file").read_text() == "no folder"


def test_without_a_clustering_it_says_what_to_do(tmp_path):
    project = make_project(tmp_path / "pile")
    with project.database() as db:
        db.execute("DELETE FROM clusterings")
        assert clusterings.latest(db) is None
    with pytest.raises(ShoeboxError, match="shoebox cluster"):
        run_export(project, tmp_path)


@pytest.mark.parametrize("wrong", [{"mode": "move"}, {"what": "some"}, {"truth": "names"}, {"clusters": []}])
def test_options_that_do_not_fit_are_refused(tmp_path, wrong):
    with pytest.raises(UsageError, match=f"--{next(iter(wrong))}"):
        run_export(make_project(tmp_path / "pile"), tmp_path, **wrong)
