"""Search over a project, by the function that the worker calls and by the worker itself."""

import dataclasses
import json
import os
import shutil
import signal

import numpy as np
import pytest
from PIL import Image

from core.catalog import annotation, clusterings, curation, encoders, images, jobs
from core.clustering.run import cluster_project
from core.clustering.settings import ClusterSettings
from core.errors import CancelledError, ShoeboxError, UsageError
from core.jobs.client import Client
from core.jobs.context import Control, JobContext
from core.jobs.kinds import run_job
from core.jobs.models import LoadedEncoders
from core.project import open_project
from core.settings import Settings
from tests.jobs.test_worker import finish, worker_pid

POCKET = Settings(encoder="pocket")


@pytest.fixture
def project(embedded):
    return open_project(embedded)


@pytest.fixture(scope="module")
def models():
    return LoadedEncoders()


@pytest.fixture
def search(project, models):
    """Searches in this process; gives (name, score) of the results, best first."""

    def run(query="", **params):
        context = JobContext(project, POCKET, {}, models, Control(), lambda _: None)
        found = run_job("search", context, {"query": query, **params})
        with project.database() as db:
            names = [[os.fsdecode(images.get(db, i).path) for i in ids] for ids in found["images"]]
        return list(zip(names, found["scores"], strict=True))

    return run


def kinds(found) -> list[str]:
    return [names[0].split("-")[0] for names, _ in found]


def test_words_find_what_they_say(search):
    found = search("a fish", most=10)
    assert kinds(found).count("fish") >= 9
    scores = [score for _, score in found]
    assert scores == sorted(scores, reverse=True)


def test_a_weight_below_zero_leads_away(search):
    assert kinds(search("-fish", most=40)).count("fish") == 0
    both = search("car:1.0 star:1.0 -fish:0.5", most=16)
    assert {"car", "star"} == set(kinds(both))


def test_a_picture_from_anywhere_finds_its_like_and_a_broken_one_is_named(search, embedded, tmp_path):
    inside = next(embedded.glob("umbrella*"))
    best = search(like=[str(inside)], most=8)
    assert best[0][0] == [inside.name] and best[0][1] == pytest.approx(1, abs=2e-3)
    assert kinds(best).count("umbrella") >= 7
    outside = tmp_path / "outside.png"
    with Image.open(inside) as picture:
        picture.convert("RGB").resize((300, 300)).save(outside)
    assert kinds(search(like=[str(outside)], most=5)).count("umbrella") >= 4
    page = tmp_path / "page.jpg"
    page.write_text("<html>")
    for bad in (page, tmp_path / "none.jpg", tmp_path):
        with pytest.raises(ShoeboxError, match=f"cannot search by {bad}"):
            search(like=[str(bad)])


def test_words_and_pictures_together(search, embedded):
    stars = [str(file) for file in sorted(embedded.glob("star*"))[:2]]
    assert set(kinds(search("a star", like=stars, most=10))) == {"star"}


def test_trash_missing_and_copies(search, project, embedded):
    first, second, third = (names[0] for names, _ in search("a car", most=3))
    with project.database() as db:
        ids, _ = images.find(db, {1: os.fsencode(embedded)}, [embedded / first, embedded / second])
        curation.trash(db, ids[:1])
        images.mark_missing(db, ids[1:], missing=True)
        original = db.one("SELECT hash FROM images WHERE path = ?", (os.fsencode(third),))["hash"]
        images.add(db, 1, [(b"z-copy.png", 1, 1)])
        copy = db.value("SELECT id FROM images WHERE path = ?", (b"z-copy.png",))
        with db.transaction():
            images.mark_ready(db, [(copy, original)])
    found = search("a car", most=100)
    names = [name for group, _ in found for name in group]
    assert found[0][0] == [third, "z-copy.png"], "copies are one result"
    assert len(found) == 62 and first not in names and second not in names


def test_inside_a_cluster_by_number_or_name(search, project):
    with project.database() as db:
        record = encoders.last(db)
        assert record is not None
        run = cluster_project(project, record, ClusterSettings(method="kmeans", clusters=4))
        fish = next(c for c in clusterings.clusters_of(db, run) if b"fish" in images.get(db, c.representative).path)
        curation.rename(db, run, fish.number, "Swimmers")
        members = {os.fsdecode(m.path) for m in clusterings.members(db, run, fish.number)}
    for cluster in (str(fish.number), "swimmers"):
        assert {names[0] for names, _ in search("a car", cluster=cluster, most=100)} == members
    assert search("a car", cluster="unclustered") == []
    with pytest.raises(UsageError, match="there is no cluster 99"):
        search("a car", cluster="99")


def test_an_encoder_without_words_says_what_helps(project, models):
    with project.database() as db:
        record = encoders.last(db)
        assert record is not None
        db.execute("UPDATE encoders SET spec = 'timm:vit_tiny_patch16_224' WHERE id = ?", (record.id,))
    context = JobContext(project, Settings(), {}, models, Control(), lambda _: None)
    with pytest.raises(ShoeboxError, match="knows pictures alone, no words: search by a picture with --like"):
        run_job("search", context, {"query": "a car"})


def test_a_search_gives_way_to_a_newer_one_of_its_session(project, models):
    context = JobContext(project, POCKET, {}, models, Control(), lambda _: None)
    with project.database() as db:
        jobs.add(db, "search", "search", {"query": "b", "session": "other"})
        assert run_job("search", context, {"query": "a", "session": "mine"})["images"]
        jobs.add(db, "search", "search", {"query": "b", "session": "mine"})
    with pytest.raises(CancelledError, match="newer"):
        run_job("search", context, {"query": "a", "session": "mine"})


def test_the_worker_searches_again_after_it_was_killed_and_forgets_old_searches(project):
    settings = dataclasses.asdict(POCKET)
    with Client(project) as client:
        first = client.submit("search", {"settings": settings, "query": "a star", "most": 5})
        job = finish(client, first)
        assert job.state == "done", job.error
        os.kill(worker_pid(project), signal.SIGKILL)
        with project.database() as db:
            db.execute("UPDATE jobs SET finished = finished - 3600 WHERE id = ?", (first,))
        again = finish(client, client.submit("search", {"settings": settings, "query": "a star", "most": 5, "n": 2}))
        assert again.result["images"] == job.result["images"]
    with project.database() as db:
        assert jobs.recent(db) == [again]


def test_the_command_answers_saves_a_cluster_and_writes_a_folder(shoebox, embedded, tmp_path):
    ran = shoebox("search", embedded, "a star", "--most", 5, "--json")
    assert ran.code == 0, ran.err
    assert ran.json["query"] == "a star"
    assert [set(result) >= {"path", "score"} for result in ran.json["results"]] == [True] * 5
    assert [ran.json["sources"][r["source"]]["path"] for r in ran.json["results"]] == [os.path.realpath(embedded)] * 5
    nowhere = shoebox("search", embedded, "--like", tmp_path / "nofile.jpg")
    assert nowhere.code == 2 and f"there is no file {tmp_path / 'nofile.jpg'}" in nowhere.err
    assert shoebox("search", embedded, "a star", "--save-as", "stars").code == 1, "nothing is clustered"
    assert shoebox("cluster", embedded, "--clusters", 4).code == 0
    taken = tmp_path / "taken"
    ran = shoebox("search", embedded, "a star", "--most", 5, "--save-as", "my stars", "--output", taken, "--print0")
    assert ran.code == 0, ran.err
    paths = ran.out.split("\0")[:-1]
    assert len(paths) == 5 and all(os.path.exists(path) for path in paths)
    written = sorted((taken / "pictures").iterdir())
    assert [file.name for file in written] == [f"{n:04}-{os.path.basename(p)}" for n, p in enumerate(paths, 1)]
    again = shoebox("search", embedded, "a car", "--cluster", "my stars", "--json").json
    assert {os.path.basename(r["path"]) for r in again["results"]} == {os.path.basename(p) for p in paths}
    listed = json.loads((taken / "results.json").read_text())
    assert listed["query"] == "a star" and len(listed["sources"]) == 1
    assert [r["path"] for r in listed["results"]] == [os.path.basename(p) for p in paths]
    assert [taken / r["file"] for r in listed["results"]] == written
    assert listed["results"][0]["score"] >= listed["results"][-1]["score"]
    ran = shoebox("search", embedded, "a star", "--most", 3, "--save-as", "fewer", "--json")
    assert [(t["name"], t["pictures"]) for t in ran.json["taken_from"]] == [("my stars", 3)]
    assert shoebox("search", embedded).code == 2
    shutil.rmtree(taken)


def test_the_command_searches_inside_a_class_of_the_last_annotation(shoebox, embedded):
    ran = shoebox("search", embedded, "a car", "--class", "fish")
    assert ran.code == 1 and "nothing is annotated yet" in ran.err and "shoebox annotate" in ran.err
    assert shoebox("annotate", embedded, "car", "fish", "umbrella", "--threshold", "0.5").code == 0
    project = open_project(embedded)
    with project.database() as db:
        run = annotation.latest(db)
        assert run is not None
        named = {known.name: known.id for known in annotation.counts(db, run)}
        members = {
            name: {images.get(db, i).path.decode() for i in annotation.image_ids(db, run, class_id)}
            for name, class_id in named.items()
        }
    for asked, name in (("fish", "fish"), ("FISH", "fish"), ("none", None)):
        found = shoebox("search", embedded, "a car", "--class", asked, "--most", 100, "--json").json
        assert {result["path"] for result in found["results"]} == members[name]
        assert (found["class"], found["searched"]) == (asked, len(members[name]))
    ran = shoebox("search", embedded, "a car", "--class", "horse")
    assert ran.code == 2 and "there is no class horse" in ran.err


def test_scores_are_cosines(search, project, models):
    found = search("a fish", most=64)
    with project.database() as db:
        record = encoders.last(db)
        assert record is not None
        ids, rows = encoders.embedded_images(db, record.id)
        names = [os.fsdecode(images.get(db, i).path) for i in ids]
    vectors = np.asarray(project.vector_file(record).read(record.rows), np.float32)[rows]
    text = models.get(_spec(), "auto", lambda _: None)[0].encode_texts(["a fish"])[0]
    expected = dict(zip(names, vectors @ text, strict=True))
    for group, score in found:
        assert score == pytest.approx(expected[group[0]], abs=1e-4)


def _spec():
    from core.encoders.spec import parse_spec

    return parse_spec("pocket")
