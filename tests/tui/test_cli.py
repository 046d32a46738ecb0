"""The `shoebox` command from outside: processes, exit codes, stdout and stderr."""

import collections
import os
import signal
import subprocess
import sys
import time
from functools import partial

import pytest

from core.catalog import encoders, jobs
from core.project import find_project
from tests.programs import PATIENCE

POCKET = ("--encoder", "pocket")


def purity(document) -> float:
    """The share of pictures that are of their cluster's commonest kind; the kind begins the file's name."""
    right = total = 0
    for cluster in document["clusters"]:
        kinds = collections.Counter(member["path"].split("-")[0] for member in cluster["members"])
        right += kinds.most_common(1)[0][1]
        total += cluster["size"]
    return right / total


def test_the_demo_draws_sorts_and_prints_one_document(shoebox, tmp_path):
    ran = shoebox("demo", tmp_path / "demo", "--json")
    assert ran.code == 0, ran.err
    document = ran.json
    assert document["summary"]["total_images"] >= 400
    assert purity(document) >= 0.9
    assert (tmp_path / "here").joinpath(os.path.basename(document["output"]), "clusters.json").is_file()
    shoebox("stop", tmp_path / "demo")


def test_the_demo_leaves_a_folder_of_somebody_else_alone(shoebox, pictures):
    before = sorted(path.name for path in pictures.iterdir())
    ran = shoebox("demo", pictures)
    assert ran.code == 2
    assert "not empty" in ran.err
    assert sorted(path.name for path in pictures.iterdir()) == before


def test_run_goes_from_a_folder_to_groups_on_disk(shoebox, pictures):
    ran = shoebox("run", pictures, *POCKET, "--clusters", "4", "--json")
    assert ran.code == 0, ran.err
    document = ran.json
    assert [cluster["size"] for cluster in document["clusters"]] == sorted(
        (cluster["size"] for cluster in document["clusters"]), reverse=True
    )
    assert sum(cluster["size"] for cluster in document["clusters"]) == 64
    for cluster in document["clusters"]:
        assert cluster["representative"] in [member["path"] for member in cluster["members"]]
    assert purity(document) >= 0.9
    written = [path for path in (pictures.parent / "here").rglob("*.*") if path.suffix in (".png", ".jpg")]
    assert len(written) == 64


def test_running_again_embeds_nothing_and_gives_the_same_groups(shoebox, pictures):
    first = shoebox("run", pictures, *POCKET, "--stages", "embed,cluster", "--clusters", "4", "--json").json
    again = shoebox("embed", pictures, "--json").json
    assert (again["done"], again["unchanged"], again["encoder"]) == (0, 64, "pocket")
    second = shoebox("cluster", pictures, "--clusters", "4", "--json").json
    assert second["clusters"] == first["clusters"]


def test_new_renamed_copied_and_lost_files(shoebox, pictures, drawn):
    assert shoebox("embed", pictures, *POCKET, "--json").json["done"] == 64
    files = sorted(path for path in pictures.iterdir() if path.is_file())
    files[0].rename(pictures / "renamed.png")
    (pictures / "copied.png").write_bytes(files[1].read_bytes())
    files[2].unlink()
    fresh = next(file for file in drawn if file.name.startswith("tree"))
    (pictures / fresh.name).write_bytes(fresh.data)
    ran = shoebox("embed", pictures, "--json").json
    assert (ran["done"], ran["reused"]) == (3, 2)  # the fresh one went through the encoder, the others did not
    info = shoebox("info", pictures, "--json").json
    assert (info["images"], info["embedded"], info["missing"]) == (65, 65, 1)


def test_a_broken_picture_stops_nothing_and_its_reason_is_listed(shoebox, pictures):
    (pictures / "page.jpg").write_text("<!DOCTYPE html><html><body>Not found</body></html>")
    ran = shoebox("embed", pictures, *POCKET)
    assert ran.code == 0, ran.err
    assert "1 picture failed" in ran.out
    info = shoebox("info", pictures, "--failed", "--json").json
    assert info["failed"] == 1
    [failure] = info["failures"]
    assert failure["path"] == "page.jpg"
    assert "HTML" in failure["reason"]


def test_names_that_are_no_utf8_come_through(shoebox, pictures):
    hostile = [b"caf\xe9.png", b"new\nline.png", b"-rf.png", b"\x1b[31mred.png"]
    source = next(path for path in pictures.iterdir() if path.is_file()).read_bytes()
    for number, name in enumerate(hostile):
        with open(os.path.join(os.fsencode(pictures), name), "wb") as file:
            file.write(source + bytes(number))
    assert shoebox("run", pictures, *POCKET, "--stages", "embed,cluster", "--clusters", "2").code == 0
    done = subprocess.run(
        [sys.executable, "-m", "tui", "export", str(pictures), "--print0"], capture_output=True, check=True
    )
    paths = done.stdout.split(b"\0")[:-1]
    assert len(paths) == 68
    assert all(os.path.exists(path) for path in paths)
    ran = shoebox("cluster", pictures, "--clusters", "2", "--json")
    assert "\x1b" not in ran.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "--clusters", "30", "--min-cluster-ratio", "0.05"), ("30", "0.05", "1.5")),
        (("run", "--clusters", "100"), ("100 clusters", "64")),
        (("run", "--clusters", "many"), ("whole number",)),
        (("run", "--stages", "embed,dance"), ("dance", "cluster")),
        (("run", "--method", "kmeans", "--min-cluster-ratio", "0.1"), ("kmeans", "balanced")),
        (("run", "--encoder", "pocketx"), ("pocketx", "pocket")),
    ],
)
def test_what_cannot_be_done_is_refused_before_any_work(shoebox, pictures, arguments, words):
    command, *rest = arguments
    encoder = () if "--encoder" in rest else POCKET
    ran = shoebox(command, pictures, *encoder, *rest)
    assert ran.code == 2, ran.err
    assert all(word in ran.err for word in words), ran.err
    assert ran.out == ""
    project = find_project(pictures) if (pictures / ".shoebox").exists() else None
    if project is not None:
        with project.database() as db:
            assert encoders.last(db) is None  # nothing was embedded


@pytest.mark.parametrize("arguments", [("embed", "nowhere"), ("info", "nowhere"), ("export", "nowhere")])
def test_a_folder_that_is_not_there_is_one_line(shoebox, arguments):
    ran = shoebox(*arguments)
    assert ran.code == 1
    assert len(ran.err.strip().splitlines()) == 1
    assert "nowhere" in ran.err


def test_a_folder_without_pictures_is_said(shoebox, tmp_path):
    (tmp_path / "empty").mkdir()
    ran = shoebox("embed", tmp_path / "empty", *POCKET)
    assert ran.code == 1
    assert "no pictures" in ran.err
    shoebox("stop", tmp_path / "empty")


def test_no_weights_and_no_network_says_what_to_do(shoebox, pictures):
    ran = shoebox("embed", pictures)
    assert ran.code == 1
    assert len(ran.err.strip().splitlines()) == 1
    assert "--encoder pocket" in ran.err
    assert "--weights" in ran.err


def test_asking_makes_no_project(shoebox, pictures):
    assert shoebox("info", pictures).code == 1
    assert shoebox("export", pictures, "--print0").code == 1
    assert not (pictures / ".shoebox").exists()


def test_detach_returns_at_once_and_the_work_goes_on(shoebox, pictures):
    ran = shoebox("run", pictures, *POCKET, "--stages", "embed,cluster", "--detach", "--json")
    assert ran.code == 0
    job_id = ran.json["job"]
    project = find_project(pictures)
    deadline = time.monotonic() + PATIENCE
    with project.database() as db:
        while not jobs.get(db, job_id).ended:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert jobs.get(db, job_id).state == "done"
    info = shoebox("info", pictures, "--json").json
    assert info["embedded"] == 64
    assert info["clusterings"]


@pytest.mark.parametrize("presses", [1, 2])
def test_ctrl_c_cancels_keeps_what_is_done_and_says_130(many_pictures, presses):
    command = [sys.executable, "-m", "tui", "embed", str(many_pictures), *POCKET]
    slow = os.environ | {"SHOEBOX_BATCH_SIZE": "2", "SHOEBOX_DECODE_THREADS": "1"}
    # Tests that run in the background of a shell hand down that Ctrl-C is ignored.
    hears = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    running = subprocess.Popen(command, env=slow, stderr=subprocess.PIPE, text=True, preexec_fn=hears)  # noqa: PLW1509
    deadline = time.monotonic() + PATIENCE
    while not _embedded(many_pictures):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    for _ in range(presses):  # the second one while the first is at work
        running.send_signal(signal.SIGINT)
        time.sleep(0.005)
    _, err = running.communicate(timeout=PATIENCE)
    assert running.returncode == 130, err
    assert "kept" in err
    kept = _embedded(many_pictures)
    assert 0 < kept < 384
    with find_project(many_pictures).database() as db:
        assert [job.state for job in jobs.recent(db)] == ["cancelled"]


def test_a_job_that_no_worker_does_any_more_is_told_as_interrupted(shoebox, embedded):
    with find_project(embedded).database() as db:
        jobs.add(db, "embed", "bulk", {})
        jobs.take_next(db, "bulk")
    assert "embed: interrupted" in shoebox("info", embedded).out
    assert shoebox("info", embedded, "--json").json["worker"] is False


def test_a_folder_whose_name_is_no_text_is_told_of_on_a_strict_terminal(shoebox, embedded):
    strange = os.path.join(os.fsencode(embedded.parent), b"caf\xe9 \x1b[31m")
    os.rename(embedded, strange)
    strict = {"PYTHONIOENCODING": "utf-8:strict"}
    for arguments in (("info",), ("info", "--json")):
        ran = shoebox(arguments[0], os.fsdecode(strange), *arguments[1:], env=strict)
        assert ran.code == 0, ran.err
        assert "\x1b" not in ran.out
    assert ran.json["project"] == os.fsdecode(strange) + "/.shoebox"


def test_a_project_can_be_kept_elsewhere(shoebox, pictures, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    assert shoebox("embed", pictures, *POCKET, "--project", elsewhere).code == 0
    assert not (pictures / ".shoebox").exists()
    assert shoebox("info", "--project", elsewhere, "--json").json["embedded"] == 64
    shoebox("stop", "--project", elsewhere)


def test_an_embedding_stays_apart_from_another_encoders(shoebox, pictures):
    assert shoebox("embed", pictures, *POCKET).code == 0
    ran = shoebox("export", pictures, "--encoder", "open_clip:ViT-B-32/datacomp_xl_s13b_b90k")
    assert ran.code == 1  # never clustered: it would have to be embedded with that one first
    info = shoebox("info", pictures, "--json").json
    assert info["encoder"] == "pocket"
    assert info["embedded"] == 64


def test_every_command_has_help_without_loading_anything_heavy(shoebox):
    for command in ("demo", "run", "embed", "cluster", "export", "info", "encoders", "stop"):
        ran = shoebox(command, "--help")
        assert ran.code == 0
        assert "Usage" in ran.out
    ran = shoebox()
    assert ran.code == 0
    assert "embed" in ran.out


def _embedded(pictures) -> int:
    try:
        project = find_project(pictures)
        with project.database() as db:
            record = encoders.last(db)
            return record.rows if record else 0
    except Exception:
        return 0


def test_names_are_given_measured_and_told(shoebox, embedded, tmp_path):
    file = tmp_path / "words.txt"
    file.write_text("car\nfish\nstar\numbrella\n")
    missing = shoebox("name", embedded, "--vocabulary", tmp_path / "none.txt")
    assert missing.code == 2 and "none.txt" in missing.err, "told before any work"
    named = shoebox("name", embedded, "--vocabulary", file, "--json")
    assert named.code == 0, named.err
    document = named.json
    assert {c["name"] for c in document["clusters"]} <= {"car", "fish", "star", "umbrella", None}
    assert document["names"]["named"] == 4 and document["names"]["quality"] > 0.7
    assert all(c["state"] == "proposed" and c["quality"]["auroc"] > 0.5 for c in document["clusters"] if c["name"])
    info = shoebox("info", embedded)
    assert "4 of" in info.out and "mean quality" in info.out
    sizes = {c["name"]: c["size"] for c in document["clusters"]}
    chosen = shoebox("export", embedded, "--clusters", "Fish,star", "--print0")
    assert chosen.out.count("\0") == sizes["fish"] + sizes["star"], chosen.err
    wrong = shoebox("export", embedded, "--clusters", "star,umbrela", "--print0")
    assert wrong.code == 2 and "there is no cluster umbrela: is it umbrella?" in wrong.err
    assert shoebox("info", embedded, "--json").json["clusterings"][-1]["names"]["named"] == 4
