"""A project of several folders, one of which is not there: a disk that is not plugged in."""

import shutil

import pytest

from core.catalog import images
from core.errors import ShoeboxError
from core.project import open_project
from tests.conftest import embed_here


def test_a_folder_that_is_not_there_is_told_of_and_the_others_go_on(tmp_path, drawn):
    for number, name in enumerate(("here", "disk")):
        (tmp_path / name).mkdir()
        for file in drawn[number * 6 : number * 6 + 6]:
            (tmp_path / name / f"{name}-{file.name}").write_bytes(file.data)
        project = open_project(tmp_path / name, tmp_path / "project")
    shutil.move(tmp_path / "disk", tmp_path / "unplugged")
    result = embed_here(project)
    assert result["done"] + result["failed"] == 6
    (unreachable,) = result["scan"]["unreachable"]
    assert unreachable["root"] == str(tmp_path / "disk")
    assert "cannot list" in unreachable["reason"]

    shutil.move(tmp_path / "unplugged", tmp_path / "disk")
    assert embed_here(project)["scan"]["unreachable"] == []
    shutil.move(tmp_path / "disk", tmp_path / "unplugged")
    again = embed_here(project)
    assert again["done"] == 0
    with project.database() as db:
        assert images.counts(db).missing == 0, "it is only not there now"

    shutil.rmtree(tmp_path / "here")
    with pytest.raises(ShoeboxError, match="cannot list"):
        embed_here(project)
