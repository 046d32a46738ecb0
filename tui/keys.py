"""The keys: which the app has everywhere, and how a user's settings change any of them.

In the user's settings.toml, by the ids that the help screen shows:

    [keys]
    "app.help" = "f1"
    "source.embed" = "e,ctrl+e"
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from textual.binding import Binding
from textual.dom import DOMNode

STAGES = ("source", "embed", "clusters", "names", "annotate", "search")
"""The screens, in the order of the work: `g` and a digit goes to one."""

APP_BINDINGS = (
    # A priority like the digits': else a digit typed fast overtakes the g before it.
    Binding("g", "leader", "Go to", priority=True, id="app.go", tooltip="then a digit: another screen"),
    *(
        Binding(str(n), f"go_number({n})", show=False, priority=True, id=f"app.go_{name}", tooltip=name)
        for n, name in enumerate(STAGES, start=1)
    ),
    Binding("question_mark", "help", "Help", key_display="?", id="app.help", tooltip="the keys that work here"),
    Binding("escape", "stay", show=False, priority=True, id="app.stay", tooltip="after g: stay here"),
    Binding("ctrl+x", "cancel_job", "Cancel job", id="app.cancel", tooltip="stop it after what it has in hand"),
    Binding("ctrl+p", "command_palette", "Palette", id="app.palette", system=True, tooltip="every action by its name"),
    Binding("ctrl+t", "next_theme", "Next theme", show=False, id="app.theme"),
    Binding("q,ctrl+q", "quit", "Leave", id="app.quit", tooltip="what runs goes on by itself"),
)


def keymap_of(table: Mapping[str, Any]) -> tuple[dict[str, str], list[str]]:
    """The keymap in the settings' `[keys]`, and what is wrong with it, in words. What is wrong is left out."""
    keymap, wrong = {}, []
    for name, given in table.items():
        keys = ",".join(given) if isinstance(given, list) and all(isinstance(k, str) for k in given) else given
        if isinstance(keys, str) and all(key.strip() for key in keys.split(",")):
            keymap[name] = keys
        else:
            wrong.append(f'[keys] "{name}" takes keys as text: "x" or "x,ctrl+x"')
    return keymap, wrong


def unknown_ids(keymap: Mapping[str, str]) -> list[str]:
    """What is said of ids that no binding has. Knows the bindings of what is imported by now."""
    known = {binding.id for kind in _subclasses(DOMNode) for binding in Binding.make_bindings(kind.BINDINGS)}
    return [f'[keys] there is no action "{name}": the help screen (?) shows the ids' for name in keymap.keys() - known]


def _subclasses(kind: type[DOMNode]) -> Iterator[type[DOMNode]]:
    yield kind
    for subclass in kind.__subclasses__():
        yield from _subclasses(subclass)
