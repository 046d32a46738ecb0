"""Twins of a project: found, the best kept, the rest put into the trash and brought back in one step."""

import os
import signal

import pytest
from PIL import Image

from core.catalog import edits, encoders, images
from core.errors import UsageError
from core.jobs.client import Client
from core.project import open_project
from core.settings import Settings
from core.twins.run import find_twins, read_twins
from tests.conftest import embed_here
from tests.jobs.test_worker import finish, worker_pid


@pytest.fixture
def doubled(embedded):
    """The folder `embedded` with a copy of one picture, and another saved anew, larger and smaller in bytes."""
    files = sorted(embedded.glob("car*"))
    (embedded / "a-copy.png").write_bytes(files[0].read_bytes())
    with Image.open(files[1]) as picture:
        rgb = picture.convert("RGB")
        rgb.resize((rgb.width * 2, rgb.height * 2)).save(embedded / "z-large.png")
        rgb.save(embedded / "b-small.jpg", quality=80)
    embed_here(open_project(embedded), Settings(encoder="pocket"))
    return embedded, files


def names_of(project, group):
    with project.database() as db:
        return [os.fsdecode(images.get(db, image).path) for image in (group.keep, *group.rest)]


def found_with(project, **options):
    with project.database() as db:
        record = encoders.last(db)
    assert record is not None
    found = find_twins(project, record, **options)
    return {names[0]: set(names[1:]) for names in (names_of(project, group) for group in found.groups)}, found


def test_the_best_of_each_group_is_kept_by_the_rule(doubled):
    folder, files = doubled
    project = open_project(folder)
    by_area, found = found_with(project, threshold=0.985)
    assert "b-small.jpg" in by_area["z-large.png"] and files[1].name in by_area["z-large.png"]
    assert by_area["a-copy.png"] >= {files[0].name}, "of two equal ones the first by path"
    assert found.rest == sum(map(len, by_area.values()))
    assert read_twins(project) == found
    by_path, _ = found_with(project, threshold=0.985, keep="path")
    assert "z-large.png" in by_path["b-small.jpg"]
    copies, _ = found_with(project, threshold=1)
    assert copies == {"a-copy.png": {files[0].name}}
    with pytest.raises(UsageError, match="no rule beauty"):
        found_with(project, keep="beauty")
    with pytest.raises(UsageError, match="finds no twins"):
        found_with(project, threshold=0.3)


def test_the_command_puts_the_rest_into_the_trash_in_one_step(shoebox, doubled):
    folder, _ = doubled
    ran = shoebox("twins", folder, "--threshold", "0.985", "--trash", "--json")
    assert ran.code == 0, ran.err
    document = ran.json
    rest = [picture["path"] for group in document["groups"] for picture in group["rest"]]
    assert document["trashed"] == document["rest"] == len(rest) > 0
    assert shoebox("info", folder, "--json").json["trashed"] == len(rest)
    assert all((folder / path).exists() for path in rest), "no file is touched"
    assert "0 groups" in shoebox("twins", folder, "--threshold", "0.985").out
    with open_project(folder).database() as db:
        assert "to the trash" in (edits.undo(db) or "")
        assert images.counts(db).trashed == 0


def test_what_twins_lists_is_what_trash_takes(shoebox, doubled):
    folder, _ = doubled
    document = shoebox("twins", folder, "--threshold", "1", "--json").json
    (rest,) = [picture for group in document["groups"] for picture in group["rest"]]
    assert document["sources"][rest["source"]]["path"] == os.path.realpath(folder)
    ran = shoebox("trash", folder, rest["path"], "--json")
    assert ran.code == 0 and ran.json == {"trashed": 1}, ran.err
    assert shoebox("twins", folder, "--threshold", "1", "--json").json["groups"] == []


def test_twins_are_found_by_a_worker_that_was_killed(doubled):
    folder, _ = doubled
    project = open_project(folder)
    params = {"settings": {"encoder": "pocket"}, "threshold": 0.985, "keep": "area"}
    with Client(project) as client:
        job_id = client.submit("twins", params)
        os.kill(worker_pid(project), signal.SIGKILL)
        job = finish(client, job_id)
        assert job.state == "done", job.error
    found = read_twins(project)
    assert found is not None and job.result["groups"] == len(found.groups) > 0
