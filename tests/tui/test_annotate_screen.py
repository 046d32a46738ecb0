"""The Annotate screen on a real project: classes typed, a run watched, pictures corrected and reviewed, exported."""

import shutil
from pathlib import Path

import pytest
from textual.widgets import Button, Input, TextArea

from core.annotation.run import Used, annotate_project
from core.annotation.settings import AnnotateSettings
from core.catalog import classes, clusterings, curation, encoders
from core.clustering.run import cluster_project
from core.clustering.settings import ClusterSettings
from core.encoders.encoder import Encoder, load_encoder
from core.project import Project, open_project
from tests.conftest import KINDS, stop_worker
from tests.test_imports import loaded_by
from tests.tui.driving import Driver, drive

SMALL, LARGE = (80, 24), (200, 60)


def annotate_here(project: Project, **asked) -> None:
    """Annotates in this process, by the function that the job calls."""
    with project.database() as db:
        record = encoders.last(db)
    assert record is not None

    def load() -> Encoder:
        return load_encoder("pocket", device="cpu")

    annotate_project(project, AnnotateSettings(**asked), [Used(record, load)])


@pytest.fixture(scope="module")
def annotated_once(tmp_path_factory, embedded_once) -> Path:
    """The folder of `pictures`, annotated with its four kinds and one that is absent: for copying, not for use."""
    folder = tmp_path_factory.mktemp("annotated") / "pictures"
    shutil.copytree(embedded_once, folder)
    project = open_project(folder)
    with project.database() as db:
        classes.set_classes(db, [(name, ()) for name in (*KINDS, "Fish")])
    annotate_here(project, method="graph", review=12)
    return folder


@pytest.fixture
def bare(embedded) -> Project:
    """A project that is embedded, and no more."""
    return open_project(embedded)


@pytest.fixture
def project(tmp_path, annotated_once):
    folder = tmp_path / "pictures"
    shutil.copytree(annotated_once, folder)
    yield open_project(folder)
    stop_worker(folder)


def said(project: Project) -> list[int | None]:
    """What the user said of pictures so far."""
    with project.database() as db:
        return sorted(classes.corrections(db).values(), key=lambda c: (c is None, c))


def in_force(project: Project) -> list[str]:
    with project.database() as db:
        return [c.name for c in classes.in_force(db)]


def id_of(project: Project, name: str) -> int:
    with project.database() as db:
        return next(c.id for c in classes.in_force(db) if c.name == name)


async def on_annotate(driver: Driver) -> None:
    driver.app.go("annotate")
    await driver.until(lambda: getattr(driver.screen, "view", None) is not None)


async def reviewing(driver: Driver) -> None:
    await on_annotate(driver)
    await driver.press("v")
    await driver.until(lambda: driver.screen.picture is not None)


def test_classes_are_typed_their_prompts_shown_and_a_run_is_watched_to_its_results(bare):
    async def script(driver: Driver) -> None:
        await on_annotate(driver)
        await driver.press(*"car", "enter", *"fish:", "space", *"swimming;", "space", *"g5", "enter", *"star")
        assert driver.screen.STAGE == "annotate"  # the keys of the app are letters here
        await driver.shows("3 classes")
        await driver.shows("a photo of a car")
        await driver.shows("  swimming")
        assert "pocket  embedded" in driver.text
        await driver.press("escape", "g")
        assert driver.app.leader
        await driver.press("escape")
        await driver.press("ctrl+s")
        await driver.shows("round")
        await driver.until(lambda: driver.screen.showing == "results")
        await driver.shows("64 pictures")
        for name in ("car", "fish", "star"):
            await driver.shows(name)
        await driver.press("i")
        await driver.shows("pictures of each class")
        assert "sure by its own figures" in driver.text

    drive(bare, script)
    assert in_force(bare) == ["car", "fish", "star"]
    with bare.database() as db:
        assert classes.in_force(db)[1].phrases == ("swimming", "g5")


def test_what_is_missing_or_wrong_is_said_before_a_run(bare):
    async def script(driver: Driver) -> None:
        await on_annotate(driver)
        await driver.press("ctrl+s")
        assert "no class is named" in driver.told
        await driver.press(*"car", "enter", *"Car")
        await driver.shows("differ in case")
        driver.screen.query_one("#threshold", Input).value = "much"
        await driver.shows("much is no score of none")
        driver.screen.query_one("#threshold", Input).value = ""
        driver.screen.query_one("#set").value = "own"
        await driver.shows("no sentence of your own")
        driver.screen.query_one("#own", Input).value = "a drawing; a sketch of a {}"
        await driver.shows("has no place for the name")
        driver.screen.query_one("#own", Input).value = "a sketch of a {}"
        await driver.shows("a sketch of a car")
        driver.screen.query_one("#encoders").deselect_all()
        await driver.shows("no encoder is chosen")

    drive(bare, script, size=LARGE)
    assert in_force(bare) == []


def test_an_encoder_without_words_says_so(bare):
    with bare.database() as db:
        encoders.register(db, fingerprint="f", spec="timm:vit_base_patch16_224", options={}, dimension=8)

    async def script(driver: Driver) -> None:
        await on_annotate(driver)
        await driver.shows("knows no words", 15)
        await driver.press(*"car")
        driver.screen.query_one("#encoders").select_all()
        await driver.shows("such as a CLIP", 15)

    drive(bare, script)


def test_classes_come_from_a_file_and_from_the_names_of_clusters(bare, tmp_path):
    with bare.database() as db:
        record = encoders.last(db)
    assert record is not None
    cluster_project(bare, record, ClusterSettings(method="balanced", clusters=4))
    with bare.database() as db:
        run = clusterings.latest(db)
        assert run is not None
        curation.rename(db, run.id, 1, "red cars")
        curation.rename(db, run.id, 2, "猫")
    listed = tmp_path / "classes.txt"
    listed.write_text("polar bear: white; on ice\ndog\n", encoding="utf-8")

    async def script(driver: Driver) -> None:
        driver.app.go("names")
        await driver.until(lambda: getattr(driver.screen, "view", None) is not None)
        await driver.press("n")
        await driver.until(lambda: driver.screen.STAGE == "annotate" and driver.screen.entry.text)
        area = driver.screen.query_one(TextArea)
        assert sorted(area.text.splitlines()) == ["red cars", "猫"]
        await driver.press("ctrl+o")
        driver.screen.query_one(Input).value = str(tmp_path / "none.txt")
        await driver.press("enter")
        await driver.until(lambda: "cannot read" in driver.told)
        await driver.press("ctrl+o")
        driver.screen.query_one(Input).value = str(listed)
        await driver.press("enter")
        await driver.until(lambda: area.text.startswith("polar bear"))
        await driver.shows("2 classes")
        await driver.press("ctrl+n")
        await driver.until(lambda: "猫" in area.text)

    drive(bare, script)


def test_classes_show_counts_reasons_and_their_pictures_in_either_order(project):
    async def script(driver: Driver) -> None:
        await on_annotate(driver)
        await driver.shows("⚠ Fish")
        await driver.press("end")
        await driver.until(
            lambda: (
                driver.screen.row.name == "Fish"
                and driver.screen.row.why in driver.screen.query_one("#heading").render().plain
            )
        )
        await driver.press("home")
        await driver.until(lambda: driver.screen.pictures and driver.screen.row.name == "car")
        first = list(driver.screen.pictures.ids)
        assert len(first) == driver.screen.row.pictures > 10
        await driver.press("o")
        await driver.until(lambda: list(driver.screen.pictures.ids) == first[::-1])
        await driver.shows("surest first")
        assert "0 corrections" in driver.text

    drive(project, script, size=LARGE)


def test_marked_pictures_move_to_another_class_and_back(project):
    async def script(driver: Driver) -> None:
        await on_annotate(driver)
        await driver.until(lambda: driver.screen.pictures)
        number = driver.screen.row.pictures
        await driver.press("tab", "m", "right", "m", "right")
        await driver.shows("2 marked")
        staying = driver.screen.picture_at_cursor.image
        await driver.press("M")
        await driver.shows("2 pictures to")
        await driver.press(*"sta", "enter")
        await driver.until(lambda: driver.screen.row.pictures == number - 2)
        await driver.until(lambda: len(driver.screen.pictures) == number - 2)
        assert driver.screen.picture_at_cursor.image == staying
        assert said(project) == [id_of(project, "star")] * 2
        await driver.shows("2 corrections")
        await driver.press("u")
        await driver.until(lambda: driver.screen.row.pictures == number)
        assert said(project) == []

    drive(project, script)


def test_digits_decide_and_the_next_comes_and_all_of_it_can_be_undone(project):
    async def script(driver: Driver) -> None:
        await reviewing(driver)
        deck = list(driver.screen.deck)
        assert len(deck) == 12 and "review 1 / 12" in driver.text
        second = driver.screen.choices[1].id
        await driver.press("2")
        assert driver.screen.image == deck[1]
        await driver.until(lambda: said(project) == [second] and driver.screen.picture)
        await driver.press("s")
        assert driver.screen.image == deck[2]
        await driver.until(lambda: driver.screen.picture)
        await driver.press("0")
        await driver.until(lambda: said(project) == [second, None] and driver.screen.picture)
        assert driver.screen.image == deck[3]
        await driver.press("u")
        await driver.until(lambda: driver.screen.image == deck[2] and said(project) == [second])
        await driver.press("u")
        await driver.until(lambda: driver.screen.image == deck[0] and said(project) == [])
        await driver.press("ctrl+r")
        await driver.until(lambda: said(project) == [second])

    drive(project, script)


def test_a_class_is_added_while_reviewing_and_any_class_is_found_by_its_name(project):
    async def script(driver: Driver) -> None:
        await reviewing(driver)
        deck = list(driver.screen.deck)
        await driver.press("n")
        await driver.shows("New class")
        await driver.press(*"ray", "space", *"fish", "enter")
        await driver.until(lambda: said(project) and driver.screen.image == deck[1])
        assert in_force(project)[-1] == "ray fish"
        assert said(project) == [id_of(project, "ray fish")]
        await driver.until(lambda: any(c.name == "ray fish" for c in driver.screen.choices))
        await driver.press("slash")
        await driver.shows("This picture is")
        await driver.press(*"umb", "enter")
        await driver.until(lambda: id_of(project, "umbrella") in said(project) and driver.screen.image == deck[2])
        await driver.press("escape")
        await driver.shows("ray fish")

    drive(project, script, size=SMALL)


def test_refining_tells_what_changed_and_leaves_the_picture_under_review(project):
    async def script(driver: Driver) -> None:
        await reviewing(driver)
        for _ in range(6):
            await driver.press("1")
            await driver.until(lambda: driver.screen.picture)
        await driver.shows("6 corrections")
        image, before = driver.screen.image, driver.screen.view.run.id
        keys = [choice.id for choice in driver.screen.choices]
        await driver.press("R")
        await driver.until(lambda: driver.screen.view.run.id != before)
        await driver.until(lambda: driver.screen.picture)
        assert driver.screen.image == image and driver.screen.showing == "review"
        assert [choice.id for choice in driver.screen.choices] == keys
        assert "6 corrections" in driver.text
        assert driver.screen.view.run.summary["corrections"] == 6
        assert not set(driver.screen.deck[1:]) & {image}
        await driver.press("escape", "u")
        await driver.until(lambda: driver.screen.view.run.id == before)
        assert "undone: annotated 64 pictures" in driver.told and len(said(project)) == 6

    drive(project, script, size=LARGE)


def test_a_head_is_saved_and_takes_the_place_of_the_words(project, tmp_path):
    head = tmp_path / "kinds.safetensors"
    (tmp_path / "photo.jpg").write_bytes(b"no head")

    async def script(driver: Driver) -> None:
        await reviewing(driver)
        await driver.press("1")
        await driver.until(lambda: said(project))
        await driver.press("H")
        await driver.shows("Save the trained head")
        driver.screen.query_one(Input).value = str(tmp_path / "photo.jpg")
        await driver.press("enter")
        await driver.until(lambda: "is there already, and is no head" in driver.told)
        await driver.press("H")
        await driver.until(lambda: isinstance(driver.app.focused, Input))
        driver.screen.query_one(Input).value = str(head)
        await driver.press("enter")
        await driver.until(lambda: f"a head of 1 correction in {head}" in driver.told)
        await driver.press("escape", "c")
        area = driver.screen.query_one(TextArea)
        await driver.until(lambda: area.text)
        area.text = ""
        driver.screen.query_one("#head", Input).value = str(tmp_path / "photo.jpg")
        await driver.shows("is no head that shoebox can use")
        driver.screen.query_one("#head", Input).value = str(head)
        await driver.until(lambda: area.text.splitlines() == [*KINDS, "Fish"])
        await driver.shows("of the head, trained by 1 correction")
        area.text = "whale"
        await driver.shows("the head is of other classes")
        area.text = "\n".join([*KINDS, "Fish"])
        before = driver.screen.view.run.id
        await driver.press("ctrl+s")
        await driver.until(lambda: driver.screen.view.run.id != before)
        assert driver.screen.view.run.settings["head"] == str(head)

    drive(project, script, size=LARGE)
    assert (tmp_path / "photo.jpg").read_bytes() == b"no head"


def test_it_is_exported_with_splits_and_said_where(project, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    async def script(driver: Driver) -> None:
        await on_annotate(driver)
        await driver.press("e")
        await driver.until(lambda: isinstance(driver.app.focused, Button))
        driver.screen.query_one("#splits", Input).value = "70/x"
        await driver.press("ctrl+s")
        await driver.shows("is no list of shares")
        driver.screen.query_one("#splits", Input).value = "80/10/10"
        driver.screen.query_one("#output", Input).value = "out"
        await driver.press("ctrl+s")
        await driver.until(lambda: "64 pictures in" in driver.told)
        assert str(tmp_path / "out") in driver.told

    drive(project, script)
    assert (tmp_path / "out" / "metadata.json").is_file()
    assert sorted(path.name for path in (tmp_path / "out" / "splits").iterdir()) == ["test", "train", "val"]
    assert (tmp_path / "out" / "car").is_dir()


def test_every_action_has_an_id_and_is_in_the_help(project):
    async def script(driver: Driver) -> None:
        await reviewing(driver)
        ids = {binding.id for _, binding, _, _ in driver.screen.active_bindings.values()}
        wanted = "decide-1 decide-9 none new-class pick skip undo redo refine queue classes forget"
        assert {f"annotate.{name}" for name in wanted.split()} <= ids
        await driver.press("question_mark")
        await driver.shows("annotate.new-class")
        await driver.press("escape", "escape")
        ids = {binding.id for _, binding, _, _ in driver.screen.active_bindings.values()}
        assert {f"annotate.{name}" for name in ["sort", "move", "export", "review"]} <= ids
        assert "annotate.decide-1" not in ids

    drive(project, script, size=LARGE)


def test_what_another_run_found_while_its_rounds_were_watched_is_seen_in_the_list(project):
    with project.database() as db:
        names = [c.name for c in classes.in_force(db)]
        classes.set_classes(db, [(name, ()) for name in names[:3]])

    async def script(driver: Driver) -> None:
        await on_annotate(driver)
        await driver.shows("umbrella")
        await driver.press("R")
        await driver.until(lambda: driver.screen.showing == "rounds")
        await driver.until(lambda: driver.screen.showing == "results")
        await driver.until(lambda: [row.name for row in driver.screen.class_list.rows] == names[:3])
        counts = [f"{row.pictures:>3}" for row in driver.screen.class_list.rows]
        await driver.until(lambda: all(pictures in driver.text for pictures in counts))
        assert "umbrella" not in "\n".join(line[:40] for line in driver.text.splitlines())

    drive(project, script)


def test_a_hundred_classes_are_walked_and_the_last_picture_of_many_is_a_key_away(project):
    with project.database() as db:
        names = [(c.name, c.phrases) for c in classes.in_force(db)]
        classes.set_classes(db, [*names, *((f"kind {n}", ()) for n in range(100))])

    async def script(driver: Driver) -> None:
        await on_annotate(driver)
        await driver.until(lambda: len(driver.screen.class_list.rows) == 105)
        await driver.press("end")
        await driver.shows("kind 99")
        await driver.press("home", "enter", "end")
        await driver.until(lambda: driver.screen.grid.cursor == len(driver.screen.pictures) - 1 > 8)

    drive(project, script, size=SMALL)


def test_the_screen_needs_none_of_the_heavy_libraries():
    heavy = {"torch", "sklearn", "PIL", "timm", "scipy", "numpy", "textual_image"}
    assert not loaded_by("import tui.screens.annotate, tui.screens.save_annotation") & heavy
