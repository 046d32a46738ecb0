"""Style sheets that are parsed once a theme."""

from __future__ import annotations

from textual.cache import LRUCache
from textual.css.stylesheet import Stylesheet

MOST_SHEETS = 1024


class ParsedOnce(Stylesheet):
    """Textual parses every sheet again for each screen that is new, and three times before the first frame."""

    def __init__(self, *, variables: dict[str, str] | None = None) -> None:
        super().__init__(variables=variables)
        self._parse_cache = LRUCache(MOST_SHEETS)

    def set_variables(self, variables: dict[str, str]) -> None:
        """Other colours: what was parsed is forgotten. The same ones change nothing."""
        if variables != self._variables:
            super().set_variables(variables)

    def reparse(self) -> None:
        """Parses what is new, or everything where the colours changed."""
        self.parse()
