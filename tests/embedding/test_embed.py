"""Embedding a folder in this process, with the real pocket model: what is stored, reused, refused and reported."""

import dataclasses
import os
import shutil

import numpy as np
import pytest
from PIL import Image, ImageOps

from core.catalog import encoders, images, sources
from core.embedding.contents import Claim, Contents
from core.embedding.run import embed
from core.encoders.encoder import DeviceOutOfMemoryError, Encoder, load_encoders
from core.errors import CancelledError, ShoeboxError
from core.imaging.hashes import content_hash
from core.jobs.scan import scan
from core.project import Project, open_project
from core.settings import Settings
from tests.conftest import embed_here

SETTINGS = Settings(encoder="pocket")


@pytest.fixture(scope="module")
def pocket() -> list[Encoder]:
    return load_encoders("pocket")


def run(project: Project, models, settings: Settings = SETTINGS, *, live=False, checkpoint=lambda: None):
    """Scans and embeds with these encoders; gives the last progress and every report."""
    reports = []
    with project.database() as db, project.database() as reading:
        for source in sources.all_sources(db):
            scan(db, reading, source, project.root_of(source), progress=lambda _: None)
        record = encoders.register(
            db, fingerprint=models[0].fingerprint, spec="pocket", options={}, dimension=models[0].dimension
        )
    progress = embed(
        project,
        models,
        record,
        settings,
        live=live,
        report=lambda p: reports.append(p.as_dict()),
        checkpoint=checkpoint,
    )
    return progress, reports


def vectors_by_path(project: Project) -> dict[bytes, np.ndarray]:
    with project.database() as db:
        record = encoders.last(db)
        assert record is not None
        ids, rows = encoders.embedded_images(db, record.id)
        vectors = project.vector_file(record).read(record.rows)
        return {images.get(db, i).path: vectors[row].astype(np.float32) for i, row in zip(ids, rows, strict=True)}


def test_what_is_stored_is_what_the_encoder_gives_for_that_very_file(pictures, pocket):
    project = open_project(pictures)
    run(project, pocket)
    found = vectors_by_path(project)
    assert len(found) == 64
    name = sorted(found)[7]
    image = ImageOps.exif_transpose(Image.open(os.path.join(os.fsencode(pictures), name))).convert("RGB")
    expected = pocket[0].encode_transformed(pocket[0].transform(image)[None])[0]
    assert float(found[name] @ expected) > 0.99
    others = [float(found[other] @ expected) for other in found if other != name]
    assert float(found[name] @ expected) > max(others)


def test_thumbnails_are_made_in_the_same_pass(pictures, pocket):
    project = open_project(pictures)
    run(project, pocket)
    store = project.thumbnails(SETTINGS)
    assert store.count() == 64
    path = next(path for path in pictures.iterdir() if path.is_file())
    assert (store.get(content_hash(path.read_bytes())) or b"").startswith(b"\xff\xd8")
    store.close()


def test_copies_share_one_vector_whether_they_come_together_or_later(pictures, pocket):
    original = next(path for path in sorted(pictures.iterdir()) if path.is_file())
    for number in range(5):
        shutil.copy(original, pictures / f"copy-{number}.png")
    project = open_project(pictures)
    progress, _ = run(project, pocket)
    assert (progress.done, progress.reused) == (69, 5)
    shutil.copy(original, pictures / "late.png")
    progress, _ = run(project, pocket)
    assert (progress.done, progress.reused, progress.unchanged) == (1, 1, 69)
    with project.database() as db:
        record = encoders.last(db)
        assert record is not None
        assert record.rows == 64


def test_a_placeholder_that_lies_there_hundreds_of_times_is_recorded_for_all(tmp_path, pocket):
    folder = tmp_path / "scraped"
    folder.mkdir()
    Image.new("RGB", (30, 20), (200, 40, 10)).save(folder / "0.png")
    (folder / "torn-0.png").write_bytes((folder / "0.png").read_bytes()[:60])
    for number in range(1, 600):
        os.link(folder / "0.png", folder / f"{number}.png")
        os.link(folder / "torn-0.png", folder / f"torn-{number}.png")
    progress, _ = run(open_project(folder), pocket)
    assert (progress.done, progress.reused, progress.failed) == (600, 599, 600)


def test_a_renamed_file_keeps_its_place_in_the_catalog(pictures, pocket):
    project = open_project(pictures)
    run(project, pocket)
    path = next(path for path in sorted(pictures.iterdir()) if path.is_file())
    with project.database() as db:
        before = db.value("SELECT id FROM images WHERE path = ?", (os.fsencode(path.name),))
        images.set_trashed(db, [before], trashed=True)
    (pictures / "sub").mkdir()
    path.rename(pictures / "sub" / "elsewhere.png")
    run(project, pocket)
    with project.database() as db:
        found = images.get(db, before)
    assert (found.path, found.trashed, found.missing) == (b"sub/elsewhere.png", True, False)


def test_a_content_that_lost_all_its_pictures_is_known_when_it_comes_back(pictures, pocket):
    project = open_project(pictures)
    run(project, pocket)
    first, second = sorted(path for path in pictures.iterdir() if path.is_file())[:2]
    old = first.read_bytes()
    first.write_bytes(second.read_bytes())  # nothing holds the old content now
    run(project, pocket)
    (pictures / "back.png").write_bytes(old)
    progress, _ = run(project, pocket)
    assert (progress.done, progress.reused, progress.failed) == (1, 1, 0)


def test_twins_of_a_broken_file_fail_with_it_and_succeed_when_it_is_mended(pictures, pocket):
    good = next(path for path in sorted(pictures.iterdir()) if path.suffix == ".png")
    whole = good.read_bytes()
    for number in range(3):
        (pictures / f"torn-{number}.png").write_bytes(whole[: len(whole) // 2])
    project = open_project(pictures)
    progress, _ = run(project, pocket)
    assert (progress.done, progress.failed) == (64, 3)
    with project.database() as db:
        assert {image.path for image in images.failed(db)} == {b"torn-0.png", b"torn-1.png", b"torn-2.png"}
        assert all(image.error for image in images.failed(db))
    for number in range(3):
        (pictures / f"torn-{number}.png").write_bytes(whole)
    progress, _ = run(project, pocket)
    assert (progress.done, progress.failed) == (3, 0)


def test_a_limit_that_is_raised_lets_in_what_it_kept_out(pictures, pocket):
    project = open_project(pictures)
    strict = dataclasses.replace(SETTINGS, max_pixels=100_000)
    progress, _ = run(project, pocket, strict)
    assert progress.failed > 0
    progress, _ = run(project, pocket)
    assert progress.failed == 0
    assert len(vectors_by_path(project)) == 64


def test_another_encoder_gets_vectors_of_its_own(embedded):
    project = open_project(embedded)
    with project.database() as db:
        first = encoders.last(db)
        assert first is not None
        other = encoders.register(db, fingerprint="another", spec="another", options={}, dimension=7)
        assert images.count_embedded(db, other.id) == 0
        assert images.count_to_embed(db, other.id) == 64
        assert images.count_embedded(db, first.id) == 64


class Cramped:
    """A device with room for `room` pictures at a time: the real encoder behind a door that is too narrow."""

    def __init__(self, encoder: Encoder, room: int) -> None:
        self._encoder = encoder
        self._room = room
        self.batches: list[int] = []

    def __getattr__(self, name):
        return getattr(self._encoder, name)

    def encode_images(self, batch):
        self.batches.append(len(batch))
        if len(batch) > self._room:
            raise DeviceOutOfMemoryError("no room", "use smaller batches")
        return self._encoder.encode_images(batch)


def test_the_batch_is_halved_until_it_fits_and_nothing_is_lost(pictures, pocket):
    device = Cramped(pocket[0], room=5)
    project = open_project(pictures)
    progress, _ = run(project, [device], dataclasses.replace(SETTINGS, batch_size=16))
    assert progress.done == 64
    assert progress.batch_size == 4
    assert device.batches[:3] == [16, 8, 4]
    assert max(device.batches[3:]) <= 4
    assert len(vectors_by_path(project)) == 64


def test_a_device_without_room_for_one_picture_is_an_error_that_says_what_to_do(pictures, pocket):
    with pytest.raises(ShoeboxError, match=r"not even for one picture.*--device cpu"):
        run(open_project(pictures), [Cramped(pocket[0], room=0)])


def test_two_devices_share_the_work(pictures, pocket):
    devices = [Cramped(pocket[0], room=99), Cramped(load_encoders("pocket")[0], room=99)]
    project = open_project(pictures)
    progress, _ = run(project, devices, dataclasses.replace(SETTINGS, batch_size=4))
    assert progress.done == 64
    assert sum(sum(device.batches) for device in devices) == 64
    assert len(vectors_by_path(project)) == 64


def test_a_cancel_between_two_batches_keeps_the_first(pictures, pocket):
    project = open_project(pictures)
    calls = iter(range(1000))

    def checkpoint() -> None:
        with project.database() as db:
            record = encoders.last(db)
            if record is not None and record.rows >= 8 and next(calls) >= 0:
                raise CancelledError("cancelled")

    with pytest.raises(CancelledError):
        run(project, pocket, dataclasses.replace(SETTINGS, batch_size=8), checkpoint=checkpoint)
    kept = vectors_by_path(project)
    assert 8 <= len(kept) < 64
    run(project, pocket)
    after = vectors_by_path(project)
    assert len(after) == 64
    assert all(np.array_equal(after[path], kept[path]) for path in kept)


def test_progress_is_data_that_adds_up(pictures, pocket):
    (pictures / "torn.jpg").write_bytes(b"\xff\xd8\xff\xe0 torn")
    _, reports = run(open_project(pictures), pocket, dataclasses.replace(SETTINGS, batch_size=8), live=True)
    last = reports[-1]
    assert (last["done"], last["failed"], last["total"]) == (64, 1, 65)
    assert last["devices"][0]["name"]
    assert last["images_per_second"] > 0
    assert last["failures"][0][1]
    assert len(last["recent"]) == 24
    done = [report["done"] for report in reports]
    assert done == sorted(done)
    assert all(report["done"] + report["failed"] <= report["total"] for report in reports)


def test_a_folder_with_everything_odd_in_it_is_gone_through(tmp_path, drawn):
    folder = tmp_path / "odd"
    folder.mkdir()
    for file in drawn[::20]:
        (folder / file.name).write_bytes(file.data)
    Image.new("CMYK", (40, 30), (10, 200, 30, 5)).save(folder / "cmyk.jpg")
    Image.new("I;16", (40, 30), 40_000).save(folder / "deep.png")
    Image.new("RGBA", (1, 1), (1, 2, 3, 4)).save(folder / "dot.png")
    Image.new("L", (3000, 2)).save(folder / "strip.png")
    os.mkfifo(folder / "pipe.jpg")
    (folder / "dangling.png").symlink_to("nowhere.png")
    (folder / "loop").symlink_to(".")
    (folder / "empty.jpg").touch()
    result = embed_here(open_project(folder))
    assert result["failed"] == 1  # the empty one
    assert result["done"] == len(drawn[::20]) + 4


def test_contents_are_claimed_once():
    contents = Contents({b"old"})
    assert contents.claim(b"old", 1) is Claim.EMBEDDED
    assert contents.claim(b"new", 2) is Claim.EMBED
    assert contents.claim(b"new", 3) is Claim.ON_ITS_WAY
    assert contents.settle(b"new", embedded=True) == [2, 3]
    assert contents.claim(b"new", 4) is Claim.EMBEDDED


@pytest.mark.parametrize("left", [10, 0])
def test_vectors_that_were_lost_are_made_again(pictures, pocket, left):
    project = open_project(pictures)
    run(project, pocket)
    before = vectors_by_path(project)
    with project.database() as db:
        record = encoders.last(db)
        assert record is not None
    file = project.vector_file(record)
    if left:
        os.truncate(file.path, left * file.row_bytes + 3)
    else:
        file.path.unlink()
    progress, _ = run(project, pocket)
    assert (progress.done, progress.unchanged) == (64 - left, left)
    after = vectors_by_path(project)
    assert before.keys() == after.keys()
    assert all(before[path] @ after[path] > 0.999 for path in before)
