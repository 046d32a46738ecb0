"""The line at the bottom: the keys that work here, as many as fit; the help screen has all."""

from __future__ import annotations

from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual.screen import Screen
from textual.widget import Widget

from tui.widgets.ink import ink


class KeyLine(Widget):
    """One line, drawn from the active bindings themselves; a click does what the key does."""

    auto_links = False  # they are drawn as what they are, not as links
    DEFAULT_CSS = """
    KeyLine { height: 1; background: $panel; color: $foreground; padding: 0 1; }
    KeyLine > .key-line--key { color: $accent; text-style: bold; }
    KeyLine > .key-line--off { color: $text-muted; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"key-line--key", "key-line--off"}
    LAST = ("clusters.save", "app.cancel", "app.help", "app.palette")
    """Bindings that stand on the right and never give way."""

    def on_mount(self) -> None:
        """Begins."""
        self.screen.bindings_updated_signal.subscribe(self, self._changed)

    def _changed(self, screen: Screen[object]) -> None:
        if self.is_attached and screen is self.screen:
            self.refresh()

    def render(self) -> Text:
        """Draws it."""
        left, right = self._entries()
        end = Text("  ").join(right)
        room = self.size.width - end.cell_len - 2
        line = Text()
        for number, entry in enumerate(left):
            more = number < len(left) - 1
            if line.cell_len + entry.cell_len + (2 if more else 0) > room:
                line.append("…")
                break
            line.append_text(entry).append("  ")
        line.pad_right(max(self.size.width - line.cell_len - end.cell_len, 0))
        return line.append_text(end)

    def _entries(self) -> tuple[list[Text], list[Text]]:
        """The keys to show, one an action: those of the screen first."""
        left: dict[str, Text] = {}
        right: dict[str, Text] = {}
        keys: dict[str, int] = {}  # of several keys for an action, the shortest is shown
        key_style = self.get_component_rich_style("key-line--key", partial=True)
        off = ink(self, "key-line--off")
        typing = self.screen.focused
        for node, binding, enabled, _ in self.screen.active_bindings.values():
            if not binding.show and binding.id not in self.LAST:
                continue
            side = right if binding.id in self.LAST else left
            name = binding.id or binding.action if side is right else binding.action
            shown = self.app.get_key_display(binding)
            sign = shown if len(shown) == 1 and shown.isascii() else None
            if typing is not None and typing.check_consume_key(binding.key, sign):
                continue  # it is written, not done
            if name in side and len(shown) >= keys[name]:
                continue
            keys[name] = len(shown)
            entry = Text.assemble(
                (shown, key_style if enabled else off),
                (f" {binding.description.lower()}", Style() if enabled else off),
            )
            namespace = "app." if node is self.app else "screen." if node is self.screen else "focused."
            action = binding.action if "." in binding.action.partition("(")[0] else namespace + binding.action
            entry.apply_meta({"@click": action})
            side[name] = entry
        return list(left.values()), [right[name] for name in self.LAST if name in right]
