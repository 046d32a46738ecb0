"""The Clusters screen: clusters browsed and edited, clustered again, and saved. The last two are jobs."""

from __future__ import annotations

import dataclasses
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import Binding, BindingType
from textual.timer import Timer
from textual.widgets import Input

from core.catalog.paths import shown
from core.clustering.settings import ClusterSettings
from core.errors import ShoeboxError
from core.jobs.picked import pack
from tui.figures import count
from tui.messages import JobChanged
from tui.screens.cluster_editor import ClusterEditor

if TYPE_CHECKING:
    from core.catalog.jobs import Job
    from tui.screens.recluster import Recluster, Scope

FINER = 1.25
"""By how much + and - change the number of clusters."""
APPLY_SECONDS = 0.8
"""After the last + or - the job begins."""
AGAIN = "clustered again: numbers and names stay with what they stood for; u goes back"
_NEED_CLUSTERS = frozenset(
    (
        *("mark", "mark_all", "move", "trash", "show_trash", "rename", "finer", "save", "split", "merge", "freeze"),
        *("tags", "seen", "copy", "zoom", "filter", "sort", "swap", "recluster_marked"),
    )
)
"""The actions for which there must be clusters."""


class ClustersScreen(ClusterEditor):
    """The whole of it."""

    CSS_PATH = "clusters.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("plus", "finer(1)", "Finer", id="clusters.finer", priority=True, tooltip="more clusters"),
        Binding("minus", "finer(-1)", "Coarser", id="clusters.coarser", priority=True, tooltip="fewer clusters"),
        Binding("s", "save", "Save", id="clusters.save", tooltip="the ticked clusters, or all"),
        Binding("c", "recluster", "Cluster again", show=False, id="clusters.recluster", tooltip="K, method, ..."),
        Binding("C", "recluster_marked", "Cluster the marked", show=False, id="clusters.recluster-marked"),
        Binding("d", "split", "Split in two", show=False, id="clusters.split"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._jobs: set[int] = set()
        self._wanted_clusters: int | None = None
        self._applying: Timer | None = None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Without clusters there is nothing to do but to make some."""
        typing = isinstance(self.focused, Input)
        if action == "finer" and typing:
            return False  # a name may have a hyphen
        if action == "mark" and not self.grid.has_focus:
            return False
        if action in ("move", "trash") and not (self.marks or self.grid.has_focus):
            return False  # there is no picture that it would be about
        return self.view is not None or action not in _NEED_CLUSTERS or None

    def action_recluster(self) -> None:
        """Asks for the settings, and of what."""
        self._ask_recluster([self._everything(), *self._marked(), *self._this_one()])

    def action_recluster_marked(self) -> None:
        """The same, of the marked pictures."""
        if marked := self._marked():
            self._ask_recluster([*marked, self._everything()])
        else:
            self.notify("mark pictures first: tab to them, then m", severity="warning", timeout=4)

    def action_split(self) -> None:
        """Splits the cluster in two."""
        for scope in self._this_one():
            settings = ClusterSettings(method="kmeans", clusters=2, seed=self._last_settings().seed)
            self._cluster_again(settings, scope)

    def action_finer(self, direction: int) -> None:
        """More clusters or fewer: the job begins when the user has stopped pressing."""
        if self.view is None:
            return
        now = sum(row.is_cluster for row in self.view.rows)
        k = self._wanted_clusters or now
        k = max(k + 1, math.floor(k * FINER)) if direction > 0 else min(k - 1, math.ceil(k / FINER))
        self._wanted_clusters = max(1, k)
        if self._applying is not None:
            self._applying.stop()
        self._applying = self.set_timer(APPLY_SECONDS, self._apply_finer)
        self.notify(f"{count(now, 'cluster')} to {self._wanted_clusters}", timeout=APPLY_SECONDS + 0.5)

    def _apply_finer(self) -> None:
        wanted, self._wanted_clusters = self._wanted_clusters, None
        last = self._last_settings()
        method = "auto" if last.method == "density" else last.method
        settings = dataclasses.replace(last, method=method, clusters=wanted, reduction="auto")
        if method == "auto" and last.method == "density":
            settings = dataclasses.replace(settings, min_cluster_size=None)
        self._cluster_again(settings, self._everything())

    def _ask_recluster(self, scopes: list[Scope]) -> None:
        from tui.screens.recluster import ReclusterScreen

        screen = ReclusterScreen(self._last_settings(), scopes, self.shoebox.settings.live_refresh)
        self.app.push_screen(screen, self._reclustered)

    def _reclustered(self, asked: Recluster | None) -> None:
        if asked is not None:
            settings = self.shoebox.settings
            self.shoebox.settings = settings.with_values({"live_refresh": asked.refresh}, "live refresh")
            self._cluster_again(asked.settings, asked.scope)

    def _cluster_again(self, settings: ClusterSettings, scope: Scope) -> None:
        try:
            settings.resolve(scope.pictures)
        except ShoeboxError as error:
            self.shoebox.report(error)
            return
        params: dict[str, Any] = {
            "settings": dataclasses.asdict(self.shoebox.settings),
            "clustering": dataclasses.asdict(settings),
        }
        if scope.within is not None:
            params["within"] = scope.within
        self.shoebox.submit("cluster", params, self._own_job)

    def _last_settings(self) -> ClusterSettings:
        if self.view is None:
            return ClusterSettings(seed=self.shoebox.settings.seed)
        names = {field.name for field in dataclasses.fields(ClusterSettings)}
        return ClusterSettings(**{n: v for n, v in self.view.clustering.settings.items() if n in names})

    def _everything(self) -> Scope:
        from tui.screens.recluster import Scope

        return Scope("all pictures", self.facts.embedded or (self.view.clustering.images if self.view else 0))

    def _marked(self) -> list[Scope]:
        from tui.screens.recluster import Scope

        title = f"the {count(len(self.marks), 'marked picture')} only"
        return [Scope(title, len(self.marks), {"images": pack(self.marks)})] if self.marks else []

    def _this_one(self) -> list[Scope]:
        from tui.screens.recluster import Scope

        row = self.cluster_row()
        return [Scope(f"cluster {row.number} only", row.size, {"cluster": row.number})] if row else []

    def action_save(self) -> None:
        """Asks how, and saves."""
        from tui.screens.save import SaveScreen

        if self.view is not None:
            clusters = sum(row.is_cluster for row in self.view.rows)
            screen = SaveScreen(sorted(self.cluster_list.ticks), clusters, shown(os.fsencode(os.getcwd())))
            self.app.push_screen(screen, self._save)

    def _save(self, asked: dict[str, Any] | None) -> None:
        if asked is None:
            return
        output = asked["output"]
        absolute = None if output is None else str(Path(output).expanduser().absolute())
        export = asked | {"output": absolute, "working_directory": os.getcwd()}
        params = {"settings": dataclasses.asdict(self.shoebox.settings), "export": export}
        self.shoebox.submit("export", params, self._own_job)

    def _own_job(self, job_id: int) -> None:
        self._jobs.add(job_id)

    def job_changed(self, job: JobChanged) -> None:
        """Says what came of the jobs of this screen. What failed the app says."""
        ended = job.job
        if ended.ended and ended.id in self._jobs:
            self._jobs.discard(ended.id)
            if ended.state == "done":
                self._say_done(ended)

    def _say_done(self, job: Job) -> None:
        if job.kind == "export":
            result = job.result
            skipped = f", {len(result['skipped'])} left out" if result["skipped"] else ""
            clusters, pictures = count(result["clusters"], "cluster"), count(result["pictures"], "picture")
            said = f"saved {clusters}, {pictures}{skipped} to {result['output']}"
            self.notify(said, title="saved", timeout=20, markup=False)
        elif job.kind == "cluster":
            self.refresh_from_catalog()
            self.notify(_parts_words(job.result.get("parts", [])) or AGAIN, timeout=8)


def _parts_words(parts: list[tuple[int, int]]) -> str:
    """What a cluster was split into; empty where it was not."""
    if len(parts) < 2:
        return ""
    sizes = [f"{size:,}" for _, size in parts]
    numbers = [str(number) for number, _ in parts]
    said = f"split into {len(parts)} of {', '.join(sizes[:-1])} and {sizes[-1]} pictures"
    return f"{said}: clusters {', '.join(numbers[:-1])} and {numbers[-1]}; u goes back"
