"""The texts of names as vectors: encoded once for an encoder, and kept in the user's cache for every project."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.clustering.vectors import Floats, unit_means
from core.naming.words import PROMPTS, background_words, prompts

if TYPE_CHECKING:
    from core.encoders.encoder import Encoder

Tick = Callable[[str, float], None]
"""Told what is being done and the share that is done; may raise to stop it."""

_AT_ONCE = 128
"""Names encoded between two looks at whether to go on; they are kept then."""
_SCHEMA = "CREATE TABLE IF NOT EXISTS texts (name TEXT PRIMARY KEY, vector BLOB NOT NULL) WITHOUT ROWID"
_log = logging.getLogger(__name__)


class Texts:
    """Names to unit vectors by one encoder. Without the encoder, only those that were encoded before.

    Belongs to the thread that made it. A cache that cannot be used is done without.
    """

    def __init__(self, fingerprint: str, encoder: Encoder | None = None, *, pocket: bool, path: Path | None = None):
        self._encoder = encoder
        self._pocket = pocket
        self._memory: dict[str, bytes] = {}
        self._db = _opened(path or _cache_file(fingerprint))

    @property
    def can_encode(self) -> bool:
        """Whether names that were never encoded can be had."""
        return self._encoder is not None and self._encoder.has_text

    def known(self, names: Sequence[str]) -> list[str]:
        """Those of the names that can be had without the encoder."""
        stored = self._stored(list(dict.fromkeys(names)))
        return [name for name in names if name in stored]

    def encode(self, names: Sequence[str], tick: Tick = lambda words, share: None) -> Floats:
        """The unit vectors of names, float32 [M, D]; what a stop leaves behind is kept.

        Raises ShoeboxError where one is not known, and the encoder is not there or has no text.
        """
        wanted = list(dict.fromkeys(names))
        found = self._stored(wanted)
        missing = sorted((name for name in wanted if name not in found), key=len)  # which is read faster
        for start in range(0, len(missing), _AT_ONCE):
            tick(f"reading words, {start:,} of {len(missing):,}", start / len(missing))
            part = missing[start : start + _AT_ONCE]
            vectors = self._encoded(part)
            found.update(zip(part, vectors, strict=True))
            self._keep(part, vectors)
        rows = [np.frombuffer(found[name], dtype="<f2") for name in names]
        matrix = np.array(rows, dtype=np.float32) if rows else np.empty((0, 1), np.float32)
        return unit_means(matrix)

    def background(self) -> Floats:
        """The mean of everyday words, [D]: what all texts of the encoder have in common."""
        mean: Floats = self.encode(background_words(pocket=self._pocket)).mean(axis=0)
        return mean

    def knows_background(self) -> bool:
        """Whether `background` can be had."""
        words = background_words(pocket=self._pocket)
        return self.can_encode or len(self.known(words)) == len(words)

    def close(self) -> None:
        """Closes the cache."""
        if self._db is not None:
            self._db.close()

    def __enter__(self) -> Texts:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _encoded(self, names: Sequence[str]) -> list[bytes]:
        """Each name's prompts as one vector: the direction of their mean."""
        assert self._encoder is not None, "only known names can be had without the encoder"
        said = [prompts(name, pocket=self._pocket) for name in names]
        vectors = self._encoder.encode_texts([prompt for some in said for prompt in some])
        ends = np.cumsum([0, *(len(some) for some in said)])
        means = np.stack([vectors[first:last].mean(axis=0) for first, last in pairwise(ends)])
        return [row.tobytes() for row in unit_means(means).astype("<f2")]

    def _stored(self, names: Sequence[str]) -> dict[str, bytes]:
        found = {name: self._memory[name] for name in names if name in self._memory}
        if self._db is None or len(found) == len(names):
            return found
        try:
            for start in range(0, len(names), 500):
                part = names[start : start + 500]
                marks = ", ".join("?" for _ in part)
                found.update(self._db.execute(f"SELECT name, vector FROM texts WHERE name IN ({marks})", part))
        except sqlite3.Error as error:
            _log.warning("the cache of texts cannot be read: %s", error)
        return found

    def _keep(self, names: Sequence[str], vectors: Sequence[bytes]) -> None:
        self._memory.update(zip(names, vectors, strict=True))
        if self._db is None:
            return
        try:
            with self._db:
                self._db.executemany("INSERT OR REPLACE INTO texts VALUES (?, ?)", zip(names, vectors, strict=True))
        except sqlite3.Error as error:
            _log.warning("the cache of texts cannot be written: %s", error)


def _cache_file(fingerprint: str) -> Path:
    import platformdirs

    return platformdirs.user_cache_path("shoebox") / "texts" / f"{fingerprint}-{PROMPTS}.sqlite"


def _opened(path: Path) -> sqlite3.Connection | None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, timeout=30)
        connection.execute(_SCHEMA)
    except (OSError, sqlite3.Error) as error:
        _log.warning("no cache of texts in %s: %s", path, error)
        return None
    return connection
