"""With --json the answer is one JSON document, an error too; and runs that were undone are marked."""

from core.catalog import edits, encoders
from core.clustering.run import cluster_project
from core.clustering.settings import ClusterSettings
from core.project import open_project


def test_an_error_is_one_document_beside_its_line(shoebox, tmp_path):
    ran = shoebox("info", tmp_path / "nowhere", "--json")
    assert (ran.code, ran.json["exit_code"]) == (1, 1)
    assert ran.json["error"] in ran.err
    assert shoebox("info", tmp_path / "nowhere").out == ""


def test_a_run_that_was_undone_is_marked(shoebox, embedded):
    project = open_project(embedded)
    with project.database() as db:
        record = encoders.last(db)
        assert record is not None
        for number in (3, 4):
            cluster_project(project, record, ClusterSettings(clusters=number))
        edits.undo(db)
    assert [run["undone"] for run in shoebox("info", embedded, "--json").json["clusterings"]] == [False, True]
    assert shoebox("info", embedded).out.count("(undone)") == 1
