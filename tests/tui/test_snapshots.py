"""Every screen as it looks at 80x24 and at 160x50: its text and its colours, against tests/tui/snapshots/.

`pytest tests/tui/test_snapshots.py --snapshot-update` writes them anew; `git diff` then shows what changed. What a
model or an image library of another version would turn out otherwise (figures, numbers of files, the pictures
themselves) is masked.
"""

import asyncio
import difflib
import re
import shutil
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from textual.geometry import Region
from textual.screen import ModalScreen
from textual.widgets import Input, TextArea

from core.annotation.run import Used, annotate_project
from core.annotation.settings import AnnotateSettings
from core.catalog import annotation, classes, clusterings, curation, encoders, jobs
from core.catalog import names as catalog_names
from core.catalog.database import Database
from core.catalog.names import Measured, Proposed, Quality
from core.clustering.run import cluster_project
from core.clustering.settings import ClusterSettings
from core.encoders.encoder import load_encoder
from core.project import Project, open_project
from tests.conftest import stop_worker
from tests.tui.driving import Driver, drive
from tui import reading
from tui.screens.embed import EmbedScreen
from tui.widgets.class_entry import ClassEntry
from tui.widgets.cluster_list import ClusterList
from tui.widgets.name_list import NameList
from tui.widgets.picture_grid import PictureGrid
from tui.widgets.picture_zoom import PictureZoom

SNAPSHOTS = Path(__file__).parent / "snapshots"
KINDS = {"car": 1, "fish": 3, "star": 5, "umbrella": 7}
"""How many pictures of each kind go to the trash: so the clusters have an order by size."""
MASKS = (
    (re.compile(r"\d\.\d+"), lambda found: "0." + "0" * (len(found[0]) - 2)),
    (re.compile(r"(?:(?<=[a-z…]-)|(?<=…))\d{1,3}(?!\d)"), lambda found: "0" * len(found[0])),
    (re.compile(r"\d+x\d+ · \d+ kB( · [A-Z]+)?"), lambda _: "WxH · N kB"),
)


@pytest.fixture(scope="module")
def sorted_once(tmp_path_factory, embedded_once) -> Path:
    """The folder of `pictures` with four named clusters and something in the trash: for copying, not for use."""
    folder = tmp_path_factory.mktemp("sorted") / "pictures"
    shutil.copytree(embedded_once, folder)
    project = open_project(folder)
    with project.database() as db:
        record = encoders.last(db)
    assert record is not None
    cluster_project(project, record, ClusterSettings(clusters=len(KINDS)))
    with project.database() as db:
        run = clusterings.latest(db)
        assert run is not None
        for cluster in clusterings.clusters_of(db, run.id):
            members = reading.picture_ids(db, run.id, cluster.number)
            kind = reading.pictures(db, run.id, members[:1])[members[0]].name.partition("-")[0]
            curation.rename(db, run.id, cluster.number, kind)
            curation.trash(db, members[-KINDS[kind] :])
        propose_names(db, run.id)
        job = jobs.add(db, "embed", "bulk", {})
        jobs.finish(db, job, "done", result={"done": 64, "failed": 0, "seconds": 4})
    return folder


def propose_names(db: Database, run: int) -> None:
    """As a vocabulary would: the names that are there are the user's, but one; each is measured, two are twins."""
    for cluster in clusterings.clusters_of(db, run):
        if cluster.name == "star":
            curation.rename(db, run, cluster.number, None)
    found = catalog_names.names_of(db, run)
    others = ("shape", "thing")
    proposals = [Proposed(n.number, "star", others, "Drawings of one kind.", model="scenes") for n in found]
    catalog_names.record(db, run, "vocabulary", proposals, said="named 4 clusters")
    (first, called), (second, also) = ((n.number, str(n.name)) for n in found[:2])
    twins = {first: [(second, also)], second: [(first, called)]}
    catalog_names.put_quality(
        db,
        run,
        [
            Measured(n.number, name, n.basis, Quality(0.9, 0.9, 0.9, 8), twins.get(n.number, []))
            for n in catalog_names.names_of(db, run)
            for name in (str(n.name), *others)
        ],
    )


@pytest.fixture
def project(tmp_path, monkeypatch, sorted_once):
    monkeypatch.setenv("HOME", str(tmp_path))  # paths are shown from there, and have to be of one length
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "pictures"
    shutil.copytree(sorted_once, folder)
    yield open_project(folder)
    stop_worker(folder)


async def source(driver: Driver) -> None:
    driver.app.go("source")


async def embed(driver: Driver) -> None:
    driver.app.go("embed")
    await driver.until(lambda: isinstance(driver.screen, EmbedScreen) and driver.screen._job)


async def clusters(driver: Driver) -> None:
    driver.app.go("clusters")  # no keys: on a busy machine a digit can come too late for its g
    await driver.until(lambda: driver.screen.query(ClusterList) and driver.screen.pictures)
    driver.screen.cluster_list.action_edge(0)


async def names(driver: Driver) -> None:
    driver.app.go("names")
    await driver.until(lambda: driver.screen.query(NameList) and driver.screen.view)
    driver.screen.name_list.action_edge(0)


async def ticked(driver: Driver) -> None:
    await clusters(driver)
    await driver.press("space", "tab", "right", "m", "right")


async def annotate(driver: Driver) -> None:
    driver.app.go("annotate")
    await driver.until(lambda: driver.screen.query(ClassEntry) and driver.screen.view)
    driver.screen.query_one(TextArea).cursor_blink = False


async def annotated(driver: Driver) -> None:
    """Annotates once, in this process, with three kinds, one that is absent, and two corrections."""
    await annotate(driver)
    project, screen = driver.app.project, driver.screen
    assert project is not None
    if screen.view.run is None:
        await asyncio.to_thread(annotate_here, project)
        screen.refresh_from_catalog()
    await driver.until(lambda: screen.view.run is not None and screen.pictures)
    screen.switch_to("results")
    screen.class_list.action_edge(0)


async def reviewing(driver: Driver) -> None:
    await annotated(driver)
    await driver.press("v")
    await driver.until(lambda: driver.screen.picture is not None)


def annotate_here(project: Project) -> None:
    with project.database() as db:
        record = encoders.last(db)
        classes.set_classes(db, [(name, ()) for name in ("car", "fish", "star", "Fish")])
    assert record is not None
    used = [Used(record, lambda: load_encoder("pocket", device="cpu"))]
    annotate_project(project, AnnotateSettings(method="text", review=12), used)
    with project.database() as db:
        run = annotation.latest(db)
        assert run is not None
        first, second, *_ = annotation.image_ids(db, run, run.classes[0].id)
        classes.correct(db, {first: run.classes[1].id, second: None})


STEPS: dict[str, tuple[Callable[[Driver], Awaitable[None]], tuple[str, ...], tuple[str, ...]]] = {
    # what it begins with, the keys that lead there, and those that lead back
    "source": (source, (), ()),
    "source-path": (source, ("slash",), ("escape",)),
    "embed": (embed, (), ()),
    "clusters": (clusters, (), ()),
    "filter": (clusters, ("slash", "a"), ("backspace", "escape")),
    "rename": (clusters, ("e",), ("escape",)),
    "tags": (clusters, ("t",), ("escape",)),
    "recluster": (clusters, ("c",), ("escape",)),
    "help": (clusters, ("question_mark",), ("escape",)),
    "palette": (clusters, ("ctrl+p",), ("escape",)),
    "trash": (clusters, ("T",), ("home",)),
    "pictures": (ticked, (), ()),
    "move": (clusters, ("M",), ("escape",)),
    "save": (clusters, ("s",), ("escape",)),
    "zoom": (clusters, ("z",), ("escape",)),
    "annotate": (annotate, (), ()),
    "names": (names, (), ()),
    "names-typing": (names, ("enter",), ("escape",)),
    "names-vocabulary": (names, ("v",), ("escape",)),
    "names-model": (names, ("o",), ("escape",)),
    # From here on the project is annotated.
    "annotate-results": (annotated, (), ()),
    "annotate-rounds": (annotated, ("i",), ("escape",)),
    "annotate-export": (annotated, ("e",), ("escape",)),
    "annotate-move": (annotated, ("tab", "M"), ("escape", "escape")),
    "annotate-review": (reviewing, (), ("escape",)),
    "annotate-classes": (annotated, ("c",), ()),
}


@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
def test_every_screen_looks_as_it_did(project: Project, size, pytestconfig):
    renew = pytestconfig.getoption("--snapshot-update")
    wrong: list[str] = []

    async def script(driver: Driver) -> None:
        for name, (begin, there, back) in STEPS.items():
            await begin(driver)
            await driver.press(*there)
            file = SNAPSHOTS / f"{name}-{size[0]}x{size[1]}.txt"
            if renew:
                file.write_text(await still(driver), encoding="utf-8")
            elif difference := await unlike(driver, file):
                wrong.append(difference)
            await driver.press(*back)

    SNAPSHOTS.mkdir(exist_ok=True)
    drive(project, script, size=size)
    assert not wrong, "\n\n".join(wrong)


async def unlike(driver: Driver, file: Path) -> str:
    """How the screen differs from a file once it has come to rest; empty where it does not."""
    expected = file.read_text(encoding="utf-8") if file.exists() else ""
    for _ in range(2):  # a second look at what came to rest only for a moment
        found = expected if snapshot(driver) == expected else await still(driver)
        if found == expected:
            return ""
    lines = difflib.unified_diff(expected.splitlines(), found.splitlines(), file.name, "now", lineterm="")
    return "\n".join(lines)


async def still(driver: Driver) -> str:
    """The screen once nothing reads any more and nothing has changed for a while."""
    same, before = 0, ""
    while same < 6:
        await driver.app.workers.wait_for_complete()
        await driver.pilot.pause(0.1)
        now = snapshot(driver)
        same, before = (same + 1 if now == before else 0), now
    return before


def snapshot(driver: Driver) -> str:
    """The text of the screen, or of the dialog upon it, then how many cells have which colours. Pictures are grey."""
    for field in driver.app.screen.query(Input):
        field.cursor_blink = False
    pictures, seen = picture_cells(driver), box(driver)
    rows: list[str] = []
    colours: Counter[str] = Counter()
    for y, strip in enumerate(driver.app.screen._compositor.render_strips()):
        if not seen.y <= y < seen.bottom:
            continue
        row, x = "", 0
        for segment in strip:
            style = segment.style
            name = f"{_colour(style and style.color)} on {_colour(style and style.bgcolor)}"
            name += " bold" if style and style.bold else ""
            for sign in segment.text:
                if (x, y) in pictures:
                    row += "▒"
                elif seen.x <= x < seen.right:
                    row += sign
                    colours[name if sign.strip() else name[name.index("on ") :]] += 1
                x += 1
        rows.append(masked(row).rstrip())
    table = [f"{name:<32} {number:>6}" for name, number in sorted(colours.items())]
    return "\n".join([*rows, "", *table, ""])


def masked(row: str) -> str:
    for pattern, other in MASKS:
        row = pattern.sub(other, row)
    return row


def picture_cells(driver: Driver) -> set[tuple[int, int]]:
    """Where pictures are on the screen."""
    regions = [zoom.region for zoom in driver.screen.query(PictureZoom)]
    for shown in driver.screen.query(NameList):
        layout, corner = shown.layout_now, shown.scrollable_content_region.offset
        wide = layout.previews * (layout.picture[0] + 1)
        lines = (at * layout.stride - shown.top for at in shown.seen)
        regions += [Region(layout.left, y, wide, layout.picture[1]).translate(corner) for y in lines]
    for grid in (grid for grid in driver.screen.query(PictureGrid) if grid.size):
        content = grid.scrollable_content_region
        regions += [grid.picture_region(at).translate(content.offset) for at in grid.visible_positions]
    return {(x, y) for region in regions for y in range(region.y, region.bottom) for x in range(region.x, region.right)}


def box(driver: Driver) -> Region:
    """What is looked at: the whole screen, or a dialog alone."""
    screen = driver.screen
    if not isinstance(screen, ModalScreen) or screen.query(PictureZoom):
        return screen.region
    parts = [screen.find_widget(part).visible_region for part in screen.query("*") if part.region.area and part.visible]
    return Region.from_union([part for part in parts if part.area])


def _colour(colour: object) -> str:
    return getattr(colour, "name", None) or "default"
