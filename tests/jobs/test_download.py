"""Sources that are downloaded, through the jobs: what comes, what does not, and what happens when it is killed."""

import dataclasses
import os
import signal
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.catalog import downloads, images, jobs, sources
from core.embedding.progress import EmbedProgress
from core.errors import CancelledError, ShoeboxError
from core.jobs.client import Client
from core.jobs.context import Control, JobContext
from core.jobs.download import download_job
from core.jobs.embed import embed_job
from core.jobs.models import LoadedEncoders
from core.project import Project, find_project, open_project
from core.settings import Settings
from tests.jobs.test_worker import assert_embedded_once, finish, worker_pid
from tests.sources.servers import S3, Archive, Web, redirects, serves, slowly, status
from tests.sources.test_reddit import posts

POCKET = Settings(encoder="pocket", downloads=8)


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """An empty folder, where the user stands."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return folder


@pytest.fixture
def web(drawn):
    """A server of 400 drawings, each under its own name."""
    with Web({f"/{file.name}": serves(file.data) for file in drawn}) as web:
        yield web


def names(drawn, number) -> list[str]:
    """Names of drawings, of which no two have the same content, and all can be decoded."""
    first: dict[bytes, str] = {}
    for file in drawn:
        if file.name.startswith(("car", "fish", "star", "umbrella", "bicycle", "tree")):
            first.setdefault(file.data, file.name)
    return list(first.values())[:number]


def write_list(path: Path, web: Web, which, *more: str) -> Path:
    path.write_text("\n".join([f"{web.url}/{name}" for name in which] + list(more)) + "\n")
    return path


def do(project: Project, job, *, settings: Settings = POCKET, control: Control | None = None, **source):
    context = JobContext(
        project=project,
        settings=settings,
        environment=dict(os.environ),
        models=LoadedEncoders(),
        control=control or Control(),
        report=lambda _: None,
    )
    return job(context, {"source": source})


def bring(project: Project, **options):
    """Downloads, and embeds nothing."""
    settings = options.pop("settings", POCKET)
    control = options.pop("control", None)
    return do(project, download_job, settings=settings, control=control, **({"allow_private": True} | options))


def counts(project: Project) -> downloads.Counts:
    with project.database() as db:
        return downloads.counts(db)


def files(project: Project) -> list[Path]:
    return [path for path in project.downloads.rglob("*") if path.is_file()]


def test_a_list_becomes_pictures_with_their_url_and_their_list(here, web, drawn):
    which = names(drawn, 30)
    project = open_project(write_list(here / "pets.txt", web, [*which, which[0], "gone.jpg"], "no url"))
    assert project.directory == here / "pets.shoebox"
    result = do(project, embed_job, allow_private=True)
    assert (result["done"], result["failed"]) == (30, 0)
    came = result["downloads"]
    assert (came["downloaded"], came["failed"], came["bad_lines"], came["repeated"]) == (30, 1, 1, 1)
    assert came["reasons"] == {"not found": 1} and came["bad"] == ["pets.txt, line 33: it has a space in it"]
    assert_embedded_once(project, 30)
    with project.database() as db:
        ids = [row[0] for row in db.execute("SELECT id FROM images")]
        origins = downloads.origins(db, ids)
        assert {url for url, _ in origins.values()} == {f"{web.url}/{name}" for name in which}
        assert all(tags == ["pets"] for _, tags in origins.values())
        by_url = {origins[i][0]: project.downloads / os.fsdecode(images.get(db, i).path) for i in ids}
    data = {file.name: file.data for file in drawn}
    assert all(path.read_bytes() == data[url.rpartition("/")[2]] for url, path in by_url.items())


def test_nothing_is_asked_twice_and_failures_only_when_told(here, web, drawn):
    project = open_project(write_list(here / "a.txt", web, [*names(drawn, 10), "gone.jpg"]))
    bring(project)
    assert sum(web.counts.values()) == 11
    bring(project)
    assert sum(web.counts.values()) == 11
    web.routes["/gone.jpg"] = serves(drawn[-1].data)
    result = bring(project, retry_failed=True)
    assert sum(web.counts.values()) == 12 and result["downloads"]["downloaded"] == 1
    assert counts(project).failed == 0


def test_the_same_content_under_many_urls_and_lists_is_one_picture(here, web, drawn):
    name = names(drawn, 1)[0]
    web.routes["/copy.png"] = serves(web_data(drawn, name))
    (here / "lists").mkdir()
    write_list(here / "lists" / "one.txt", web, [name, "copy.png"])
    write_list(here / "lists" / "two.txt", web, [name])
    project = open_project(here / "lists")
    bring(project)
    assert len(files(project)) == 1 and sum(web.counts.values()) == 2
    assert counts(project).duplicates == 1
    with project.database() as db:
        assert images.counts(db).images == 1
        assert downloads.tag_counts(db) == {"one": 1, "two": 1}


def web_data(drawn, name: str) -> bytes:
    return next(file.data for file in drawn if file.name == name)


def test_a_refusal_is_tried_again_once_its_setting_is_lifted(here, web, drawn):
    project = open_project(write_list(here / "a.txt", web, names(drawn, 3)))
    bring(project, allow_private=False)
    assert counts(project).reasons == {"private address": 3} and counts(project).refused == 3
    assert sum(web.counts.values()) == 0
    bring(project, allow_private=False)
    assert sum(web.counts.values()) == 0
    web.routes["/big.png"] = serves(b"\x89PNG\r\n\x1a\n" + bytes(1_500_000))
    write_list(here / "a.txt", web, [*names(drawn, 3), "big.png"])
    small = dataclasses.replace(POCKET, max_file_mb=1)
    bring(project, settings=small)
    assert counts(project).reasons == {"too large": 1} and counts(project).done == 3
    asked = sum(web.counts.values())
    bring(project, settings=small)
    assert sum(web.counts.values()) == asked
    bring(project, settings=dataclasses.replace(POCKET, max_file_mb=2))
    assert counts(project).done == 4 and sum(web.counts.values()) == asked + 1


def test_nothing_that_came_in_says_why(here, web):
    project = open_project(write_list(here / "a.txt", web, ["gone.jpg"]))
    with pytest.raises(ShoeboxError, match="1 not found"):
        do(project, embed_job, allow_private=True)
    with pytest.raises(ShoeboxError, match="--allow-private"):
        do(open_project(write_list(here / "b.txt", web, ["gone.jpg"])), embed_job)


def test_a_file_that_was_deleted_is_downloaded_again(here, web, drawn):
    project = open_project(write_list(here / "a.txt", web, names(drawn, 5)))
    bring(project)
    files(project)[0].unlink()
    bring(project)
    assert len(files(project)) == 5 and sum(web.counts.values()) == 6
    with project.database() as db:
        assert (images.counts(db).images, images.counts(db).missing) == (5, 0)


def test_a_sample_and_a_limit_take_so_many_and_stay_in_force(here, web, drawn):
    which = names(drawn, 40)
    project = open_project(write_list(here / "a.txt", web, which))
    bring(project, sample=8)
    assert sorted(web.counts) == sorted(f"/{which[i]}" for i in range(2, 40, 5))
    bring(project)
    assert sum(web.counts.values()) == 8
    bring(project, sample=0, limit=20)
    assert counts(project).known == sum(web.counts.values()) == 20
    bring(project, limit=0)
    assert counts(project).done == 40 == sum(web.counts.values())


def test_no_host_is_asked_more_at_once_than_its_share(here, web, drawn):
    which = names(drawn, 24)
    for name in which:
        web.routes[f"/{name}"] = slowly(web_data(drawn, name), 0.05)
    project = open_project(write_list(here / "a.txt", web, which))
    bring(project, settings=dataclasses.replace(POCKET, downloads=16, downloads_per_host=3))
    assert counts(project).done == 24
    assert 2 <= web.most_at_once <= 3


def test_passwords_of_urls_reach_the_server_and_never_the_disk(here, web, drawn):
    name = names(drawn, 1)[0]
    secret = web.url.replace("//", "//me:hunter2@")
    (here / "a.txt").write_text(f"{secret}/{name}?token=tiger1\n{secret}/gone.jpg?X-Amz-Signature=tiger2\n")
    project = open_project(here / "a.txt")
    bring(project)
    assert counts(project).done == 1
    assert all("Authorization" in headers for _, headers in web.asked)
    assert any("token=tiger1" in path for path, _ in web.asked)
    for path in project.directory.rglob("*"):
        if path.is_file():
            assert not any(word in path.read_bytes() for word in (b"hunter2", b"tiger1", b"tiger2")), path


def test_a_subreddit_goes_on_where_it_stopped(here, web, drawn):
    which = names(drawn, 9)
    found = posts(6)
    for post, name in zip(found, which, strict=False):
        post["url"] = f"{web.url}/{name}"
    found[2] |= {"_meta": {"was_deleted_later": True}}
    archive = Archive(found, page=4)
    web.routes["/api/posts/search"] = archive
    settings = dataclasses.replace(POCKET, reddit_archive=web.url)
    project = open_project("reddit:cats")
    assert project.directory == here / "reddit-cats.shoebox"
    bring(project, settings=settings)
    assert counts(project).done == 5
    more = posts(3, start=3000)
    for post, name in zip(more, which[6:], strict=True):
        post["url"] = f"{web.url}/{name}"
    archive.posts += more
    asked = len(archive.limits)
    bring(project, settings=settings)
    assert counts(project).done == 8
    assert len(archive.limits) - asked <= 3
    pictures = [path for path in web.counts.elements() if not path.startswith("/api")]
    assert len(pictures) == len(set(pictures)) == 8


def test_a_bucket_with_keys_is_sampled_evenly_and_signed(here, web, drawn, monkeypatch):
    which = names(drawn, 10)
    objects = {f"raw/{i:04} &.jpg": web_data(drawn, which[i // 250]) for i in range(2500)}
    server = S3("pics", objects, key="AKID", secret="very/secret")
    web.routes["/pics*"] = server
    project = open_project("s3://pics/raw/")
    with pytest.raises(ShoeboxError, match="may not be listed"):
        bring(project, sample=10, endpoint=web.url)
    server.refused.clear()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKID")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "very/secret")
    web.asked.clear()
    bring(project, sample=10, allow_private=False)  # the endpoint is remembered, and is the user's own word
    assert server.refused == []
    assert counts(project).done == 10 == len(files(project))
    gets = sorted(path for path, _ in web.asked if "list-type" not in path)
    assert [int(path.split("/")[3][:4]) for path in gets] == list(range(125, 2500, 250))
    with project.database() as db:
        assert downloads.known(db, 1) == {f"s3://pics/raw/{i:04} &.jpg" for i in range(125, 2500, 250)}
    assert not any(b"very/secret" in path.read_bytes() for path in project.directory.rglob("*") if path.is_file())
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(ShoeboxError, match=r"keys .* are not here"):
        bring(project, sample=20)


def test_pictures_of_a_bucket_with_a_public_address_are_called_by_it(here, web, drawn, monkeypatch):
    web.routes["/pics*"] = S3("pics", {"red shoes/1.jpg": web_data(drawn, names(drawn, 1)[0])}, key="k", secret="s")
    for name, value in {
        "R2_ENDPOINT": web.url,
        "R2_ACCESS_KEY_ID": "k",
        "R2_SECRET_ACCESS_KEY": "s",
        "R2_BUCKET_NAME": "pics",
        "R2_PUBLIC_URL": "https://pub-1.r2.dev",
        "AWS_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    project = open_project("r2:red shoes")
    assert project.directory == here / "pics-red-shoes.shoebox"
    bring(project, allow_private=False)
    with project.database() as db:
        assert [url for url, _ in downloads.origins(db, [1]).values()] == ["https://pub-1.r2.dev/red%20shoes/1.jpg"]
        assert downloads.known(db, 1) == {"s3://pics/red shoes/1.jpg"}


def test_a_folder_is_sampled_evenly_and_stays_so(pictures):
    project = open_project(pictures)
    found = sorted(path.name for path in pictures.iterdir() if path.is_file())
    for _ in range(2):
        result = do(project, embed_job, sample=8)
        with project.database() as db:
            assert [images.get(db, i).path.decode() for i in range(1, 9)] == found[4::8]
            assert images.counts(db).images == 8
    assert result["unchanged"] == 8


def test_without_its_list_what_was_listed_still_comes_and_is_embedded(here, web, drawn):
    listing = write_list(here / "a.txt", web, names(drawn, 6))
    project = open_project(listing)
    bring(project, allow_private=False)
    listing.unlink()
    with pytest.raises(ShoeboxError, match=r"no list of URLs|cannot read"):
        do(project, embed_job, allow_private=True)
    assert counts(project).done == 6
    assert_embedded_once(project, 6)


def test_the_embedding_begins_while_downloads_run(here, web, drawn, monkeypatch):
    """The last pictures are held back by the server until some of the first are embedded."""
    which = names(drawn, 40)
    project = open_project(write_list(here / "a.txt", web, which))
    embedded = Control().paused  # an event

    def held(name):
        def route(handler):
            embedded.wait(60)
            serves(web_data(drawn, name))(handler)

        return route

    for name in which[20:]:
        web.routes[f"/{name}"] = held(name)

    seen = []

    def report(data):
        seen.append(data)
        if data.get("stage") == EmbedProgress().stage and data["done"] >= 4:
            embedded.set()

    context = JobContext(
        project=project,
        settings=dataclasses.replace(POCKET, batch_size=4),
        environment=dict(os.environ),
        models=LoadedEncoders(),
        control=Control(),
        report=report,
    )
    result = embed_job(context, {"source": {"allow_private": True}})
    assert embedded.is_set() and result["done"] == 40
    assert seen[-1]["total"] == 40 and seen[-1]["downloads"]["done"] == 40
    assert_embedded_once(project, 40)


def test_cancel_keeps_what_came_and_the_next_run_goes_on(here, web, drawn):
    which = names(drawn, 60)
    control = Control()

    def third(handler):
        control.cancelled.set()
        serves(web_data(drawn, which[30]))(handler)

    web.routes[f"/{which[30]}"] = third
    project = open_project(write_list(here / "a.txt", web, which))
    with pytest.raises(CancelledError):
        bring(project, control=control)
    kept = counts(project).done
    asked = sum(web.counts.values())
    bring(project)
    assert counts(project).done == 60
    assert sum(web.counts.values()) - asked == 60 - kept


@contextmanager
def worker_of(project: Project):
    with Client(project) as client:
        try:
            yield client
        finally:
            client.stop_worker()


def test_a_worker_killed_midway_asks_again_only_for_what_was_on_its_way(here, web, drawn):
    which = names(drawn, 150)
    for name in which:
        web.routes[f"/{name}"] = slowly(web_data(drawn, name), 0.03)
    web.routes["/gone.jpg"] = status(404)
    project = open_project(write_list(here / "a.txt", web, [*which, "gone.jpg"]))
    settings = dataclasses.replace(POCKET, batch_size=16)
    params = {"settings": dataclasses.asdict(settings), "live": False, "source": {"allow_private": True}}
    with worker_of(project) as client:
        job_id = client.submit("embed", params)
        for _ in client.watch(job_id):
            if counts(project).done >= 40:
                break
        os.kill(worker_pid(project), signal.SIGKILL)
        job = finish(client, job_id)
        assert (job.state, job.attempts) == ("done", 2), job.error
    assert counts(project).done == 150 and counts(project).failed == 1
    assert len(files(project)) == 150  # half ones are gone
    assert sum(web.counts.values()) <= 151 + 2 * settings.downloads
    assert_embedded_once(project, 150)


def test_pause_holds_downloads_and_embedding_alike(here, web, drawn):
    which = names(drawn, 150)
    for name in which:
        web.routes[f"/{name}"] = slowly(web_data(drawn, name), 0.03)
    project = open_project(write_list(here / "a.txt", web, which))
    params = {"settings": dataclasses.asdict(POCKET), "live": False, "source": {"allow_private": True}}
    with worker_of(project) as client:
        job_id = client.submit("embed", params)
        for _ in client.watch(job_id):
            if counts(project).done >= 20:
                break
        client.set_paused(job_id, paused=True)
        held = -1
        while held != (held := sum(web.counts.values())):  # what was on its way arrives
            time.sleep(0.4)
        assert held < 150
        assert client.job(job_id).state == "running"
        client.set_paused(job_id, paused=False)
        assert finish(client, job_id).state == "done"
    assert_embedded_once(project, 150)
    with project.database() as db:
        assert jobs.get(db, job_id).result["downloads"]["downloaded"] == 150


def test_a_project_is_found_by_its_source_and_by_no_other(here, web, drawn):
    write_list(here / "a.txt", web, names(drawn, 1))
    project = open_project(here / "a.txt")
    assert find_project(here / "a.txt").directory == project.directory
    (here / "sub").mkdir()
    write_list(here / "sub" / "a.txt", web, names(drawn, 1))
    with pytest.raises(ShoeboxError, match=r"is the project of .*/a\.txt"):
        open_project(here / "sub" / "a.txt")
    with pytest.raises(ShoeboxError, match="no project"):
        find_project("reddit:cats")
    both = open_project("reddit:cats", project.directory)
    with both.database() as db:
        assert [source.kind for source in sources.all_sources(db)] == ["urls", "reddit"]


def test_a_redirect_out_of_a_list_is_recorded_with_its_reason(here, web):
    web.routes["/loop.jpg"] = redirects("/loop.jpg")
    project = open_project(write_list(here / "a.txt", web, ["loop.jpg"]))
    bring(project)
    with project.database() as db:
        (missed,) = downloads.failures(db)
    assert (missed.url, missed.reason) == (f"{web.url}/loop.jpg", "too many redirects")
