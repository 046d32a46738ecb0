"""The command palette: every action that a key does here, the screens, and the themes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.command import DiscoveryHit, Hit, Hits, Provider

from tui.keys import STAGES

if TYPE_CHECKING:
    from tui.app import ShoeboxApp


class ActionsProvider(Provider):
    """Finds actions by their names."""

    async def discover(self) -> Hits:
        """All of them."""
        for title, run, hint in self._actions():
            yield DiscoveryHit(title, run, help=hint)

    async def search(self, query: str) -> Hits:
        """Those that match what is typed."""
        matcher = self.matcher(query)
        for title, run, hint in self._actions():
            if (score := matcher.match(title)) > 0:
                yield Hit(score, matcher.highlight(title), run, help=hint)

    def _actions(self) -> Iterator[tuple[str, Callable[[], Any], str]]:
        app: ShoeboxApp = self.app  # type: ignore[assignment]
        seen = {"app.action_command_palette", "app.leader"}
        # What the line of keys shows comes first, the steps of the cursor last.
        active = self.screen.active_bindings.values()
        for node, binding, enabled, tooltip in sorted(active, key=lambda a: (not a[1].show, a[0] is not self.screen)):
            name = f"{node.css_identifier}.{binding.action}"
            if not enabled or not binding.description or binding.id is None or name in seen:
                continue
            if binding.action in ("command_palette", "leader"):
                continue
            seen.add(name)
            key = app.get_key_display(binding)
            hint = f"{key}  {tooltip}" if tooltip and tooltip != binding.description else key
            yield binding.description, _runner(app, binding.action, node), hint
        for number, stage in enumerate(STAGES, start=1):
            if stage != app.stage:
                yield f"Go to {stage.capitalize()}", partial(app.go, stage), f"g {number}"
        for theme in sorted(app.themes):
            if theme != app.theme:
                yield f"Theme: {theme}", partial(app.action_theme, theme), ""


def _runner(app: ShoeboxApp, action: str, node: Any) -> Callable[[], Any]:
    async def run() -> None:
        await app.run_action(action, node)

    return run
