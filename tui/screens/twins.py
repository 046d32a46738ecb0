"""Near-twins: groups of pictures so alike that one is enough. The one that is kept is starred; the rest can go."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.timer import Timer
from textual.widgets import Static
from textual.worker import get_current_worker

from core.catalog import curation, rows
from core.errors import ShoeboxError, UsageError
from tui.figures import count, duration
from tui.screens.results import ResultsScreen

if TYPE_CHECKING:
    from core.catalog.jobs import Job
    from core.project import Project
    from core.twins.run import TwinGroup, Twins

STEP = 0.005
THRESHOLD, LOWEST, HIGHEST = 0.97, 0.8, 1.0
APPLY_SECONDS = 0.8
"""After the last + or - the job begins."""
STATE = "twins"
KEEP = (
    ("area,file,path", "the best picture", "the most pixels, then the biggest file, then the first path"),
    ("oldest", "the oldest file", "the original, as a rule; then the best picture"),
    ("newest", "the newest file", "the last version; then the best picture"),
    ("path", "the first by path", "what lies in the folder named first"),
)


class TwinsScreen(ResultsScreen):
    """The groups one after the other, each begun by the picture that is kept, every other one tinted."""

    STAGE = "search"
    CSS_PATH = "search.tcss"
    AUTO_FOCUS = "PictureGrid"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "find", "Look again", id="twins.find", tooltip="for twins, among the pictures as they are now"),
        Binding("X", "trash_rest", "Trash the rest", id="twins.trash-rest", tooltip="all but the starred; u undoes it"),
        Binding("K", "keep", "Keep this", id="twins.keep", tooltip="star the picture under the cursor instead"),
        Binding("plus", "nearer(1)", "Nearer", id="twins.nearer", tooltip="a higher threshold: fewer twins"),
        Binding("minus", "nearer(-1)", "Farther", id="twins.farther", tooltip="a lower threshold: more twins"),
        Binding("t", "threshold", "Threshold", show=False, id="twins.threshold"),
        Binding("o", "rule", "Which is kept", show=False, id="twins.rule"),
        Binding("right_square_bracket", "group(1)", "Next group", show=False, id="twins.next"),
        Binding("left_square_bracket", "group(-1)", "Group before", show=False, id="twins.before"),
        Binding("escape,w,slash", "leave", "Search", key_display="esc", id="twins.leave"),
    ]

    def __init__(self) -> None:
        super().__init__()
        kept = self.shoebox.state.get(STATE)
        kept = kept if isinstance(kept, dict) else {}
        threshold, keep = kept.get("threshold"), kept.get("keep")
        self._threshold = threshold if isinstance(threshold, float) and LOWEST <= threshold <= HIGHEST else THRESHOLD
        self._keep = str(keep) if any(keep == rule for rule, _, _ in KEEP) else KEEP[0][0]
        self.found: Twins | None = None
        self.groups: list[TwinGroup] = []
        """Those of what was found that still stand: without what is in the trash."""
        self._group_of: dict[int, int] = {}
        self._starred: set[int] = set()
        self._applying: Timer | None = None
        self._finding: int | None = None
        self._first = True

    def compose_body(self) -> ComposeResult:
        """A line, and the pictures."""
        with Vertical(id="body"):
            yield Static("", id="terms", markup=False)
            yield from self.compose_grid()

    def on_mount(self) -> None:
        """Begins."""
        self._say("reading what was found last …")

    def refresh_from_catalog(self) -> None:
        """What was found last, without what is in the trash by now; looked for where nothing was yet."""
        self._read_found()

    def on_screen_resume(self) -> None:
        """A picture to search by is for the screen below."""
        super().on_screen_resume()
        if self.shoebox.handed is not None:
            self.dismiss()

    # Reading

    @work(thread=True, exclusive=True, group="twins", exit_on_error=False)
    def _read_found(self) -> None:
        project, worker = self.shoebox.project, get_current_worker()
        if project is None:
            return
        found, groups = _standing(project)
        if not worker.is_cancelled and self.is_attached:
            self.app.call_from_thread(self._take, found, groups)

    def _take(self, found: Twins | None, groups: list[TwinGroup]) -> None:
        if not self.is_attached:
            return
        first, self._first = self._first, False
        same = found == self.found and groups == self.groups and not first
        self.found, self.groups = found, groups
        if first and found is None:
            self.show_found([], {})
            self.action_find()
            return
        if first and found is not None:
            self._threshold = found.threshold
        if not same:
            self._show(keep_cursor=not first)
        self._say()

    def _show(self, *, keep_cursor: bool) -> None:
        images: list[int] = []
        scores: dict[int, float] = {}
        self._group_of = {}
        for number, group in enumerate(self.groups):
            images += [group.keep, *group.rest]
            scores |= dict(zip(group.rest, group.scores, strict=True))
            self._group_of |= dict.fromkeys((group.keep, *group.rest), number)
        self._starred = {group.keep for group in self.groups}
        self.show_found(images, scores, starred=self._starred, groups=self._group_of, keep_cursor=keep_cursor)

    # What is said

    def _say(self, words: str = "") -> None:
        self.query_one("#terms", Static).update(words or self._words(), layout=False)

    def _words(self) -> str:
        parts = [self._wanted_words()]
        if self._finding is not None:
            parts.append("looking for them …")
        elif self.found is None:
            parts.append("f looks for them")
        else:
            rest = sum(len(group.rest) for group in self.groups)
            parts.append(f"{count(len(self.groups), 'group')}, {count(rest, 'picture')} could go (X)")
            parts.append(f"★ {self.found.keep.partition(', then')[0]}")
            parts.append(f"{count(self.found.pictures, 'picture')} in {duration(self.found.seconds)}")
        return " · ".join(parts)

    def _wanted_words(self) -> str:
        return f"twins from {self._threshold:.3f} on (+ -)"

    def said_of(self, image: int) -> str:
        """Which group it is of, and how near it is to the one that is kept."""
        number = self._group_of.get(image)
        if number is None:
            return ""
        group = self.groups[number]
        which = f"group {number + 1:,}/{len(self.groups):,} of {len(group.rest) + 1}"
        if image in self._starred:
            return f"{which} · kept ★"
        score = self.scores.get(image, 0.0)
        return f"{which} · {'the same content' if score >= 1 else f'{score:.3f} to the kept one'}"

    def suggested_name(self) -> str:
        """What a cluster of them would be called."""
        return "twins"

    # What the user does

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What is about groups needs some."""
        if action in ("trash_rest", "keep", "group"):
            return bool(self.groups) or None
        return super().check_action(action, parameters)

    def action_leave(self) -> None:
        """Back to the search."""
        self.dismiss()

    def action_find(self) -> None:
        """Has the worker look for twins."""
        self._say(f"{self._wanted_words()} · looking for them …")
        self.shoebox.state[STATE] = {"threshold": self._threshold, "keep": self._keep}
        params = {
            "settings": dataclasses.asdict(self.shoebox.settings),
            "threshold": self._threshold,
            "keep": self._keep,
        }
        self.shoebox.submit("twins", params, self._begun)

    def _begun(self, job_id: int) -> None:
        self._finding = job_id
        self.own_job(job_id)
        self._say()

    def say_done(self, job: Job) -> None:
        """Shows what was found."""
        super().say_done(job)
        if job.kind == "twins":
            self._read_found()

    def job_changed(self, job: Any) -> None:
        """The search for twins may have ended."""
        if job.job.id == self._finding and job.job.ended:
            self._finding = None
            self._say()
        super().job_changed(job)

    def action_nearer(self, direction: int) -> None:
        """Another threshold: the job begins when the user has stopped pressing."""
        self._set_threshold(round(min(max(self._threshold + direction * STEP, LOWEST), HIGHEST), 4))

    def _set_threshold(self, threshold: float) -> None:
        self._threshold = threshold
        if self._applying is not None:
            self._applying.stop()
        self._applying = self.set_timer(APPLY_SECONDS, self.action_find)
        self._say()

    def action_threshold(self) -> None:
        """Asks for a threshold."""
        from tui.screens.ask import AskScreen

        def take(text: str | None) -> None:
            if text is not None:
                try:
                    self._set_threshold(_threshold_of(text))
                except UsageError as error:
                    self.shoebox.report(error)

        title = f"Least cosine of twins, {LOWEST:g} to {HIGHEST:g}"
        self.app.push_screen(AskScreen(title, f"{self._threshold:g}", "0.97"), take)

    def action_rule(self) -> None:
        """Asks which one of a group is kept."""
        from tui.screens.choose import ChooseScreen

        def take(rule: str | None) -> None:
            if rule is not None:
                self._keep = rule
                self.action_find()

        self.app.push_screen(ChooseScreen("which one is kept", KEEP, self._keep, _require_rule), take)

    def action_keep(self) -> None:
        """Stars the picture under the cursor in place of the one its group would keep."""
        image = self.at_cursor()
        number = self._group_of.get(image) if image is not None else None
        if image is None or number is None or image in self._starred:
            return
        group = self.groups[number]
        others = [group.keep, *(i for i in group.rest if i != image)]
        # How near the others are to it was not measured: the one that was kept is as near as it was to that.
        known = dict(zip(group.rest, group.scores, strict=True))
        scores = [known[image], *(known[i] for i in others[1:])]
        self.groups[number] = dataclasses.replace(group, keep=image, rest=others, scores=scores)
        self._show(keep_cursor=True)

    def action_group(self, by: int) -> None:
        """To the first picture of another group."""
        image = self.at_cursor()
        if image is None or not self.pictures:
            return
        number = max(0, min(self._group_of.get(image, 0) + by, len(self.groups) - 1))
        self.grid.cursor = sum(len(group.rest) + 1 for group in self.groups[:number])

    def action_trash_rest(self) -> None:
        """All but the starred into the trash, in one step that undo takes back."""
        rest = [image for group in self.groups for image in group.rest]
        kept = count(len(self.groups), "picture")
        said = f"{count(len(rest), 'picture')} in the trash, {kept} kept; u brings all of them back"
        self.edit_pictures(lambda db: curation.trash(db, rest), said)


def _standing(project: Project) -> tuple[Twins | None, list[TwinGroup]]:
    """What was found last, and the groups of it as they stand: without what is in the trash or gone by now."""
    from core.twins.run import TwinGroup, read_twins

    found = read_twins(project)
    if found is None:
        return None, []
    with project.database() as db:
        everyone = [image for group in found.groups for image in (group.keep, *group.rest)]
        there = set(rows.members_at(db, everyone))
    groups: list[TwinGroup] = []
    for group in found.groups:
        left = [(i, s) for i, s in zip(group.rest, group.scores, strict=True) if i in there]
        if group.keep in there and left:
            groups.append(TwinGroup(group.keep, [i for i, _ in left], [s for _, s in left], group.copies))
    return found, groups


def _threshold_of(text: str) -> float:
    try:
        threshold = float(text)
    except ValueError:
        threshold = -1.0
    if not LOWEST <= threshold <= HIGHEST:
        raise UsageError(f"{text!r} is no threshold", f"type a number from {LOWEST:g} to {HIGHEST:g}, such as 0.97")
    return threshold


def _require_rule(rule: str) -> None:
    from core.twins.keep import parse_rule

    try:
        parse_rule(rule)
    except ShoeboxError as error:
        raise UsageError(error.what, error.todo) from error
