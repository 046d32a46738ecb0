"""The keys: which the app has everywhere, and how a user's settings change any of them.

In the user's settings.toml, by the ids that the help screen shows:

    [keys]
    "app.help" = "f1"
    "source.embed" = "e,ctrl+e"
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

from textual.binding import Binding
from textual.dom import DOMNode
from textual.keys import REPLACED_KEYS, Keys

STAGES = ("source", "embed", "clusters", "names", "annotate", "search")
"""The screens, in the order of the work: `g` and a digit goes to one."""

MODIFIERS = frozenset(("ctrl", "shift", "alt", "super", "hyper", "meta"))

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
        if not isinstance(keys, str) or not all(key.strip() for key in keys.split(",")):
            wrong.append(f'[keys] "{name}" takes keys as text: "x" or "x,ctrl+x"')
            continue
        named = _named(keys)
        wrong += [f'[keys] "{name}": no keyboard has a key "{key}"' for key in named if not _is_key(key)]
        if usable := [key for key in named if _is_key(key)]:
            keymap[name] = ",".join(usable)
    return keymap, wrong


def unknown_ids(keymap: Mapping[str, str]) -> list[str]:
    """What is said of ids that no binding has. Knows the bindings of what is imported by now."""
    known = {binding.id for kind in _subclasses(DOMNode) for binding in _bindings(kind)}
    return [f'[keys] there is no action "{name}": the help screen (?) shows the ids' for name in keymap.keys() - known]


def taken_keys(keymap: Mapping[str, str]) -> list[str]:
    """What is said where a key was given to an action that another action of the same screen has.

    Knows the bindings of what is imported by now.
    """
    said = {}
    for kind in _subclasses(DOMNode):
        holders: dict[str, list[str]] = {}
        for name, keys in _keys_of(kind, keymap).items():
            for key in keys:
                holders.setdefault(key, []).append(name)
        for key, names in holders.items():
            for name in names:
                others = [other for other in names if other != name]
                if others and name in keymap:
                    said[name, key] = (
                        f'[keys] "{name}" = "{key}" is the key of "{others[0]}", too: give one of them another'
                    )
    return [said[each] for each in sorted(said)]


def _keys_of(kind: type[DOMNode], keymap: Mapping[str, str]) -> dict[str, set[str]]:
    """The keys of the actions that a part of the screen has, with those that are the app's, by the actions' ids."""
    bound: dict[str, set[str]] = {}
    own = [binding for part in kind.__mro__ if issubclass(part, DOMNode) for binding in _bindings(part)]
    everywhere = Binding.make_bindings(APP_BINDINGS) if any(binding.id for binding in own) else ()
    for binding in (*own, *everywhere):
        if binding.id:
            bound.setdefault(binding.id, set()).add(binding.key)
    return bound | {name: set(keymap[name].split(",")) for name in bound.keys() & keymap.keys()}


def _bindings(kind: type[DOMNode]) -> list[Binding]:
    return list(Binding.make_bindings(kind.__dict__.get("BINDINGS", ())))


def _named(keys: str) -> list[str]:
    """Keys by the names they have: "?" is called question_mark."""
    return [binding.key for binding in Binding.make_bindings([Binding(keys, "", "")])]


def _is_key(name: str) -> bool:
    """Whether there is such a key: a character, or one that has a name, with modifiers or without."""
    *modifiers, key = name.split("+")
    if not MODIFIERS.issuperset(modifiers):
        return False
    if len(key) == 1 or key in {known.value for known in Keys}:
        return True
    try:
        unicodedata.lookup(key.replace("_", " ").upper())
    except KeyError:
        return key in REPLACED_KEYS
    return True


def _subclasses(kind: type[DOMNode]) -> Iterator[type[DOMNode]]:
    yield kind
    for subclass in kind.__subclasses__():
        yield from _subclasses(subclass)
