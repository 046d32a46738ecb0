"""Sources that are downloaded, by the commands: what is said before, and what is told after."""

import csv
import json

import pyarrow.parquet
import pytest

from core.jobs.client import Client
from core.project import find_project
from tests.sources.servers import S3, Web, serves


@pytest.fixture
def web(drawn):
    with Web({f"/{file.name}": serves(file.data) for file in drawn[:60]}) as web:
        yield web


def test_a_list_is_run_from_urls_to_groups(shoebox, tmp_path, web, drawn):
    here = tmp_path / "here"
    lines = [f"{web.url}/{file.name}" for file in drawn[:60] if "small" not in file.name]
    (here / "pile.txt").write_text("\n".join(["# a pile", *lines, f"{web.url}/gone.jpg", "nonsense"]))
    try:
        ran = shoebox("run", "pile.txt", "--encoder", "pocket", "--allow-private", "--clusters", "3", "--json")
        assert ran.code == 0, ran.err
        assert f"{len(lines) + 1} URLs" in ran.err and f"pile.txt, line {len(lines) + 3}: it is no URL" in ran.err
        members = [member for cluster in ran.json["clusters"] for member in cluster["members"]]
        assert {member["url"] for member in members} <= set(lines)
        assert all(member["tags"] == ["pile"] for member in members)
        assert ran.json["sources"][0]["origin"].endswith("pile.txt")
        assert [path.name for path in here.iterdir() if path.name.startswith("pile-")]

        info = shoebox("info", "pile.txt", "--failed", "--json").json
        assert info["downloads"]["reasons"] == {"not found": 1}
        assert [f["url"] for f in info["failures"] if "not found" in f["reason"]] == [f"{web.url}/gone.jpg"]

        ran = shoebox("annotate", "pile.txt", "car", "fish", "--output", tmp_path / "out")
        assert ran.code == 0, ran.err
        told = json.loads((tmp_path / "out" / "metadata.json").read_text())
        assert told["sources"][0]["origin"].endswith("pile.txt")
        assert {t["url"] for t in told["image_annotations"]} == set(lines)
        urls = {t["file"]: t["url"] for t in told["image_annotations"]}
        coco = json.loads((tmp_path / "out" / "annotations.coco.json").read_text())
        assert {image["file_name"]: image["coco_url"] for image in coco["images"]} == urls
        table = pyarrow.parquet.read_table(tmp_path / "out" / "annotations.parquet").to_pylist()
        assert {row["file"]: row["url"] for row in table} == urls and table[0]["tags"] == "pile"
        with (tmp_path / "out" / "annotations.csv").open(newline="", encoding="utf-8") as file:
            assert {row["file"]: row["url"] for row in csv.DictReader(file)} == urls

        asked = sum(web.counts.values())
        again = shoebox("embed", "pile.txt", "--allow-private")
        assert again.code == 0 and "1 not found" in again.out and "--retry-failed" in again.out
        assert sum(web.counts.values()) == asked
    finally:
        stop_worker_of(here / "pile.shoebox")


def test_a_bucket_says_how_much_before_it_begins(shoebox, tmp_path, web, drawn):
    web.routes["/pics*"] = S3("pics", {f"{i:03}.jpg": drawn[i].data for i in range(40)}, key="AK", secret="SK")
    keys = {"AWS_ACCESS_KEY_ID": "AK", "AWS_SECRET_ACCESS_KEY": "SK", "AWS_EC2_METADATA_DISABLED": "true"}
    ran = shoebox("download", "s3://pics", "--endpoint", web.url, "--sample", "4", "--json", env=keys)
    rest = shoebox("download", "s3://pics", "--sample", "0", "--limit", "9", "--json", env=keys)
    stop_worker_of(tmp_path / "here" / "pics.shoebox")
    assert ran.code == 0, ran.err
    assert "40 pictures" in ran.err and "a sample of 4" in ran.err
    assert ran.json["downloads"]["downloaded"] == 4
    assert rest.code == 0, rest.err
    assert "a sample" not in rest.err and rest.json["downloads"]["in_all"]["known"] == 9
    assert "SK" not in (tmp_path / "here" / "pics.shoebox" / "shoebox.log").read_text()


def test_what_names_no_source_is_wrong_usage(shoebox):
    assert shoebox("embed", "reddit:not a name").code == 2
    assert shoebox("embed", "https://example.org/a.jpg").code == 2
    ran = shoebox("embed", "reddit:cats", "--after", "yesterday")
    assert ran.code == 2 and "yesterday" in ran.err
    assert shoebox("info", "s3://pics").code == 1


def stop_worker_of(directory):
    with Client(find_project(None, directory)) as client:
        client.stop_worker()
