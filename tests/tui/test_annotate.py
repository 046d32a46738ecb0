"""`shoebox annotate` from outside: folders and lists on disk, corrections, hostile names, a worker that is killed."""

import csv
import hashlib
import json
import os
import signal
from pathlib import Path

import pytest
from click.testing import CliRunner

from core.catalog import annotation, classes, clusterings, curation
from core.errors import UsageError
from core.jobs.client import Client
from core.project import find_project
from tests.jobs.test_worker import worker_pid
from tui.cli import shoebox as command

NAMES = ("car", "fish", "star", "umbrella")
POCKET = ("--encoder", "pocket")


def kind_of(path: str) -> str:
    return os.path.basename(path).split("-")[0]


def contents(folder: Path) -> dict[str, str]:
    """The hash of each picture below a folder, by its path."""
    found = (path for path in folder.rglob("*") if path.is_file() and path.suffix in (".png", ".jpg"))
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


def test_a_folder_never_embedded_becomes_folders_splits_and_lists(shoebox, pictures, tmp_path):
    out = tmp_path / "out"
    ran = shoebox("annotate", pictures, *NAMES, *POCKET, "--output", out, "--json")
    assert ran.code == 0, ran.err
    document = json.loads((out / "metadata.json").read_text())
    asked = "method class_names num_images class_distribution organized_paths image_annotations statistics"
    assert set(asked.split()) <= document.keys()
    assert document["class_names"] == ran.json["class_names"] == list(NAMES)
    assert document["num_images"] == sum(document["class_distribution"].values()) == 64
    assert document["statistics"].keys() == {"mean", "std", "min", "max"}
    for told in document["image_annotations"]:
        assert {"original_path", "class_index", "class_name", "confidence", "all_similarities"} <= told.keys()
        assert document["class_names"][told["class_index"]] == told["class_name"]
        assert len(told["all_similarities"]) == 4
        assert (out / told["file"]).read_bytes() == Path(told["original_path"]).read_bytes()
        assert (out / "splits" / told["split"] / told["file"]).is_file()
        assert told["file"] in document["organized_paths"][told["class_name"]]
    right = [kind_of(told["original_path"]) == told["class_name"] for told in document["image_annotations"]]
    assert sum(right) >= 60
    # No picture is lost, in the folders or in the splits.
    assert sorted(contents(out / "splits").values()) == sorted(contents(pictures).values())
    assert sorted(path.name for path in (out / "splits").iterdir()) == ["test", "train", "val"]
    with (out / "annotations.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 64
    coco = json.loads((out / "annotations.coco.json").read_text())
    assert len(coco["images"]) == len(coco["annotations"]) == 64
    assert all((out / image["file_name"]).is_file() for image in coco["images"])
    assert "umbrella" in (out / "report.txt").read_text()
    # Again into the same folder: it is left alone.
    before = contents(out)
    again = shoebox("annotate", pictures, "--output", out, "--json")
    assert again.code == 2
    assert "is there already" in again.json["error"]
    assert contents(out) == before
    assert shoebox("info", pictures, "--json").json["images"] == 64


def test_hostile_names_of_classes_make_safe_folders_and_twins_stay_together(shoebox, embedded, tmp_path):
    names = ["splits", "..", "CON", "a/b", "Car", "car", "metadata.json", "猫", "none of the classes"]
    twin = next(path for path in sorted(embedded.iterdir()) if path.suffix == ".png")
    for number in range(3):
        (embedded / f"{twin.stem}-copy{number}.png").write_bytes(twin.read_bytes())
    out = tmp_path / "out"
    ran = shoebox("annotate", embedded, "--output", out, "--mode", "symlink", "--method", "text", "--", *names)
    assert ran.code == 0, ran.err
    assert "differ in case" in ran.err
    document = json.loads((out / "metadata.json").read_text())
    assert document["class_names"] == names
    for told in document["image_annotations"]:
        file = out / told["file"]
        assert file.is_symlink() and file.parent.parent == out
        assert os.path.realpath(file) == told["original_path"]
    assert "a/b   in the folder a_b" in (out / "report.txt").read_text()
    folders = [path.name for path in out.iterdir() if path.is_dir()]
    assert len({name.casefold() for name in folders}) == len(folders)
    parts = {told["split"] for told in document["image_annotations"] if kind_of(told["path"]) == kind_of(twin.name)
             and hashlib.sha256(Path(told["original_path"]).read_bytes()).digest()
             == hashlib.sha256(twin.read_bytes()).digest()}  # fmt: skip
    assert len(parts) == 1


def test_corrections_from_a_file_hold_in_this_run_and_the_next_and_train_a_head(shoebox, embedded, tmp_path):
    files = sorted(path.name for path in embedded.iterdir() if path.is_file())
    wrong = files[0]  # a car
    lines = [["path", "class"], [wrong, "fish"], [files[1], "none"], *([name, kind_of(name)] for name in files[2:40])]
    with (tmp_path / "given.csv").open("w", newline="") as file:
        csv.writer(file).writerows(lines)
    head = tmp_path / "head.safetensors"
    ran = shoebox("annotate", embedded, *NAMES, "--corrections", tmp_path / "given.csv", "--save-head", head, "--json")
    assert ran.code == 0, ran.err
    for document in (ran.json, shoebox("annotate", embedded, "--json").json):
        told = {own["path"]: own for own in document["image_annotations"]}
        assert (told[wrong]["class_name"], told[wrong]["corrected"]) == ("fish", True)
        assert (told[files[1]]["class_name"], told[files[1]]["class_index"]) == (None, -1)
        assert document["corrections"] == 40
    assert ran.json["accuracy"]["count"] > 0
    # The head takes the place of the words, whatever the order of the classes.
    other = shoebox("annotate", embedded, *reversed(NAMES), "--head", head, "--json")
    assert other.code == 0, other.err
    found = {own["path"]: own["class_name"] for own in other.json["image_annotations"]}
    assert found == {path: own["class_name"] for path, own in told.items()}
    assert shoebox("annotate", embedded, "whale", "--head", head).code == 2
    bad = tmp_path / "bad.json"
    bad.write_text(json.dumps({wrong: "whale"}))
    assert "whale" in shoebox("annotate", embedded, "--corrections", bad).err
    bad.write_text(json.dumps({"nowhere.png": "car"}))
    refused = shoebox("annotate", embedded, "--corrections", bad)
    assert (refused.code, "nowhere.png" in refused.err) == (2, True)


def test_corrections_are_said_listed_taken_back_and_undone_by_the_command(shoebox, embedded, tmp_path):
    with find_project(embedded).database() as db:
        classes.set_classes(db, [(name, ()) for name in NAMES])
    files = sorted(path for path in embedded.iterdir() if path.is_file())
    assert shoebox("corrections", embedded, *files[:2], "--class", "FISH", "--json").json == {"corrected": 2}
    assert shoebox("corrections", embedded, files[2], "--class", "none").code == 0
    assert f"{files[2].name}: none of the classes" in shoebox("corrections", embedded, files[2]).out
    listed = shoebox("corrections", embedded, "--json").json["corrections"]
    said = [(own["path"], own["class"]) for own in listed]
    assert said == [(files[0].name, "fish"), (files[1].name, "fish"), (files[2].name, None)]
    assert shoebox("corrections", embedded, files[0], "--forget", "--json").json == {"forgotten": 1}
    # What was said at once is undone at once, last first; the list that was printed says it again.
    undone = [shoebox("corrections", embedded, "--undo", "--json").json["undone"] for _ in range(3)]
    assert ["took back" in undone[0], "none of the classes" in undone[1], "2 pictures" in undone[2]] == [True] * 3
    other = shoebox("corrections", embedded, "--undo")  # the classes: no correction
    assert (other.code, "of another kind: set 4 classes" in other.err) == (1, True)
    (tmp_path / "listed.json").write_text(json.dumps({"corrections": listed}))
    ran = shoebox("annotate", embedded, "--corrections", tmp_path / "listed.json", "--json")
    assert ran.json["corrections"] == 3, ran.err
    assert shoebox("corrections", embedded, "--undo", "--json").json == {"undone": "annotated 64 pictures"}


@pytest.mark.parametrize("given", [("FILE", "--class", "whale"), ("--class", "fish"), ("FILE", "--class", "")])
def test_a_correction_that_means_nothing_is_refused(embedded, given):
    with find_project(embedded).database() as db:
        classes.set_classes(db, [("fish", ())])
    file = next(path for path in embedded.iterdir() if path.is_file())
    ran = CliRunner().invoke(command, ["corrections", str(embedded), *(str(file) if w == "FILE" else w for w in given)])
    assert isinstance(ran.exception, UsageError)
    with find_project(embedded).database() as db:
        assert classes.corrections(db) == {}


def test_the_names_of_clusters_become_classes_and_the_queue_is_printed(shoebox, embedded, tmp_path):
    shoebox("cluster", embedded, "--clusters", "2")
    with find_project(embedded).database() as db:
        run = clusterings.latest(db)
        assert run is not None
        first, _ = clusterings.clusters_of(db, run.id)
        curation.rename(db, run.id, first.number, "a red car")
    ran = shoebox("annotate", embedded, "--from-clusters", "--review", "5", "--json")
    assert ran.json["class_names"] == ["a red car"]
    assert "1 cluster without a name" in ran.err
    ran = shoebox("annotate", embedded, "car", "fish", "--review", "5")
    assert "to review (5)" in ran.out
    with find_project(embedded).database() as db:
        assert [c.name for c in classes.in_force(db)] == ["car", "fish"]


def test_a_dry_run_shows_the_prompts_and_makes_nothing(shoebox, pictures, tmp_path):
    (tmp_path / "names.txt").write_text("# classes\nzero\nice bear: a white bear; a {} on ice\n")
    ran = shoebox(
        "annotate", pictures, "--classes", tmp_path / "names.txt", "--prompts", "digits", "--dry-run", "--json"
    )
    assert ran.json["prompts"]["ice bear"] == ["a white bear", "a ice bear on ice"]
    assert "handwritten number 0" in ran.json["prompts"]["zero"]
    assert not (pictures / ".shoebox").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), ("no class",)),
        (("a", "--threshold", "2"), ("threshold",)),
        (("a", "--splits", "0/50/50"), ("train",)),
        (("a", "--prompts", "nothing"), ("nothing", "objects")),
        (("a", "--classes", "x"), ("several ways",)),
        (("a", "--below", "0.5"), ("--review",)),
    ],
)
def test_what_cannot_be_done_is_refused(shoebox, embedded, arguments, words):
    ran = shoebox("annotate", embedded, *arguments)
    assert ran.code == 2, ran.err
    assert all(word in ran.err for word in words), ran.err


def test_nothing_is_written_among_the_pictures(shoebox, embedded):
    ran = shoebox("annotate", embedded, *NAMES, "--output", embedded / "out")
    assert ran.code == 2
    assert "where the pictures are" in ran.err
    assert not (embedded / "out").exists()


def test_a_worker_killed_midway_is_started_again_and_the_annotation_is_whole(shoebox, many_pictures, tmp_path):
    out = tmp_path / "out"
    ran = shoebox("annotate", many_pictures, "car", "fish", "tree", *POCKET, "--output", out, "--detach", "--json")
    project = find_project(many_pictures)
    with Client(project) as client:
        for job in client.watch(ran.json["job"]):
            if job.progress.get("stage") == "embedding" and job.progress["done"] > 0:
                break
        os.kill(worker_pid(project), signal.SIGKILL)
        *_, job = client.watch(ran.json["job"])
        assert (job.state, job.attempts) == ("done", 2)
    with project.database() as db:
        run = annotation.latest(db)
        assert run is not None
        assert sum(c.pictures for c in annotation.counts(db, run)) == 384
    assert len(contents(out / "splits")) == 384
    assert not list(tmp_path.glob(".out.partial-*"))
