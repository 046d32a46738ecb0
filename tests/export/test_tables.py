"""CSV, Parquet and embeddings against the JSON."""

from __future__ import annotations

import csv
import json
import time
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from core.catalog import clusterings, encoders
from core.export.contents import read_contents
from core.export.folders import plan_folders
from tests.export.piles import PILE, image_id, make_project, run_export


def rows_of_json(document: dict[str, Any]) -> list[dict[str, Any]]:
    rows = []
    for cluster in document["clusters"]:
        for place, member in enumerate(cluster["members"]):
            rows.append(
                {
                    **{
                        "path_b64": None,
                        "file": None,
                        "url": None,
                        "tags": None,
                        "cluster": cluster["id"],
                        "name": cluster["name"],
                    },
                    **{"representative": place == cluster["representative_index"]},
                    **{"preview": place in cluster["previews"]},
                    **member,
                }
            )
    empty = {
        **dict.fromkeys(("path_b64", "file", "url", "tags", "cluster", "name")),
        "representative": False,
        "preview": False,
    }
    return rows + [{**empty, **member} for member in document["unclustered"]]


def test_csv_and_parquet_agree_with_the_json(tmp_path):
    result = run_export(make_project(tmp_path / "pile"), tmp_path)
    expected = rows_of_json(json.loads((result.directory / "clusters.json").read_text()))
    assert len(expected) == len(PILE)
    assert pq.read_table(result.directory / "clusters.parquet").to_pylist() == expected
    with open(result.directory / "clusters.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))

    def cell(value: Any) -> str:
        return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)

    assert rows == [{name: cell(value) for name, value in row.items()} for row in expected]
    assert "=1+1.png" in [row["path"] for row in rows]  # as it is: programs join on it


def test_embeddings_have_the_vector_of_each_picture(tmp_path):
    project = make_project(tmp_path / "pile")
    result = run_export(project, tmp_path, what="embeddings")
    assert not [p for p in result.directory.iterdir() if p.is_dir()]
    array = np.load(result.directory / "embeddings.npy")
    assert array.dtype == np.float16 and array.shape == (len(PILE), 8)
    np.testing.assert_allclose(np.linalg.norm(array.astype(np.float32), axis=1), 1, atol=2e-3)
    with open(result.directory / "embeddings.ids.csv", encoding="utf-8", newline="") as file:
        ids = list(csv.DictReader(file))
    assert [int(row["row"]) for row in ids] == list(range(len(PILE)))
    with project.database() as db:
        record = encoders.last(db)
        assert record is not None
        vectors = project.vector_file(record).read(record.rows)
        for row in ids:
            if row["path_b64"]:
                continue
            image = image_id(project, row["path"].encode())
            stored = dict(zip(*encoders.embedded_images(db, record.id), strict=True))[image]
            np.testing.assert_array_equal(array[int(row["row"])], vectors[stored])
            assert row["cluster"] == str(PILE[row["path"].encode()] or "")


def test_embeddings_of_a_selection_are_of_its_pictures(tmp_path):
    result = run_export(make_project(tmp_path / "pile"), tmp_path, what="embeddings", clusters=[2])
    assert np.load(result.directory / "embeddings.npy").shape == (3, 8)


def test_twenty_thousand_pictures_of_one_name_are_no_work_of_their_square(tmp_path):
    project = make_project(tmp_path / "pile")
    with project.database() as db:
        first = clusterings.latest(db)
        assert first is not None
        with db.transaction():
            db.executemany(
                "INSERT INTO images (source, path, size, mtime_ns, hash, status)"
                " SELECT source, ?, size, mtime_ns, hash, status FROM images WHERE id = 1",
                ((f"d/{n}/img.jpg".encode(),) for n in range(20_000)),
            )
            db.execute(
                "INSERT INTO assignments SELECT ?, id, 1, 0.5 FROM images"
                " WHERE id NOT IN (SELECT image FROM assignments)",
                (first.id,),
            )
        contents = read_contents(project, db, first)
    started = time.process_time()
    result = run_export(project, tmp_path, what="none")
    names = {(p.folder, p.name.casefold()) for p in plan_folders(contents)}
    assert time.process_time() - started < 40  # takes 1 s; a number tried for every equal name would take minutes
    assert len(names) == contents.clustered == 20_008
    assert pq.read_table(result.directory / "clusters.parquet").num_rows == result.pictures == 20_009
