"""Colour themes: a TOML file each, in `themes/` and in the user's folder, with the fields of Textual's Theme."""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from textual.theme import BUILTIN_THEMES, Theme

OURS = Path(__file__).parent.parent / "themes"
DEFAULT = "harbour"
GREYS = "slate"
FEW_COLOURS = "sixteen"
"""The theme for terminals that have sixteen colours."""
_COLOURS = ("primary", "secondary", "warning", "error", "success", "accent", "foreground", "background", "surface")
_FIELDS = {field.name for field in dataclasses.fields(Theme)}


def user_folder() -> Path:
    """Where the user's own themes are."""
    import platformdirs

    return platformdirs.user_config_path("shoebox") / "themes"


def fitting(environment: Mapping[str, str], *, truecolor: bool) -> str:
    """The theme that a terminal begins with: ours, the greys where there are 256 colours, or the one of sixteen.

    Of 256 colours those nearest to our dark blues are a navy and a teal; greys there are enough. Without any (NO_COLOR)
    it is ours: its greys differ, the terminal's own colours would all be one.
    """
    if truecolor or "NO_COLOR" in environment:
        return DEFAULT
    many = "256" in environment.get("TERM", "") or environment.get("COLORTERM", "") != ""
    return GREYS if many else FEW_COLOURS


def load_themes(folders: Iterable[Path]) -> tuple[dict[str, Theme], list[str]]:
    """The themes of these folders by name, later ones in place of earlier, and what is wrong with bad files."""
    themes, wrong = {}, []
    for folder in folders:
        for file in sorted(folder.glob("*.toml")):
            try:
                theme = read_theme(file)
            except (OSError, ValueError, RecursionError) as error:
                wrong.append(f"{file}: {error}")
            else:
                themes[theme.name] = theme
    return themes, wrong


def read_theme(file: Path) -> Theme:
    """The theme in a file; its name is the file's where it gives none. Raises ValueError, OSError."""
    values: dict[str, Any] = {"name": file.stem} | tomllib.loads(file.read_text(encoding="utf-8"))
    if unknown := sorted(set(values) - _FIELDS):
        raise ValueError(f"a theme has no {', '.join(unknown)}")
    if "primary" not in values:
        raise ValueError("a theme needs at least primary, a colour")
    for name in (*_COLOURS, "panel", "boost"):
        if name in values:
            _check(name, isinstance(values[name], str))
            _check(f"{name} = {values[name]!r}", _is_colour(values[name]))
    for name in ("dark", "ansi"):
        _check(name, isinstance(values.get(name, True), bool))
    for name in ("luminosity_spread", "text_alpha"):
        _check(name, isinstance(values.get(name, 0.5), float | int))
    variables = values.get("variables", {})
    _check("variables", isinstance(variables, dict) and all(isinstance(v, str) for v in variables.values()))
    for name, value in variables.items():
        _check(f"variable {name}", name.endswith("style") or value.startswith("auto") or _is_colour(value))
    theme = Theme(**values)
    if theme.ansi:
        theme.variables = _missing_of(theme) | theme.variables
    theme.to_color_system().generate()  # what it cannot make of the colours, it says here
    return theme


def _missing_of(theme: Theme) -> dict[str, str]:
    """What style sheets name and Textual leaves out of themes in the terminal's own colours."""
    there = theme.to_color_system().generate()
    variables = dict(BUILTIN_THEMES["ansi-dark"].variables)
    for name in Theme("", primary="#808080").to_color_system().generate().keys() - there.keys() - variables.keys():
        quiet = name.endswith(("-muted", "-disabled"))
        variables[name] = "none" if name.endswith("style") else "ansi_bright_black" if quiet else "ansi_default"
    return variables


def _check(name: str, fits: object) -> None:
    if not fits:
        raise ValueError(f"{name} does not fit")


def _is_colour(text: str) -> bool:
    """Whether this is a colour, perhaps with its share of opacity after it."""
    from textual.color import Color, ColorParseError

    try:
        Color.parse(text.partition(" ")[0])
    except ColorParseError:
        return False
    return True
