"""What a run need not work out twice: sentences as an encoder sees them, and which pictures are near which."""

from __future__ import annotations

import contextlib
import hashlib
import os
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.annotation.neighbours import neighbours
from core.annotation.nowhere import NEIGHBOURS as NEAR
from core.annotation.prompts import prototypes
from core.annotation.scores import View
from core.catalog import texts
from core.clustering.neighbours import Neighbours
from core.clustering.vectors import Floats, Tick, Vectors, no_tick

if TYPE_CHECKING:
    from core.catalog.database import Database
    from core.catalog.encoders import EncoderRecord
    from core.encoders.encoder import Encoder

_AT_ONCE = 128
"""Sentences encoded between two looks at whether to go on; they are kept then."""


def view_of(
    db: Database,
    record: EncoderRecord,
    vectors: Vectors,
    prompts: Sequence[Sequence[str]],
    load: Callable[[], Encoder],
    *,
    tick: Tick = no_tick,
) -> View:
    """An encoder's view of `vectors` [N, D] and of the classes' prompts; it is loaded only for new sentences.

    Raises ShoeboxError where it knows no words.
    """

    def encode(wanted: Sequence[str]) -> Floats:
        known = texts.known(db, record.id, wanted)
        missing = [text for text in wanted if text not in known]
        if missing or texts.logit_scale(db, record.id) is None:
            encoder = load()
            for start in range(0, len(missing), _AT_ONCE):
                tick(f"reading sentences, {start:,} of {len(missing):,}", start / len(missing))
                part = missing[start : start + _AT_ONCE]
                rows = [row.tobytes() for row in encoder.encode_texts(part).astype("<f2")]
                texts.keep(db, record.id, part, rows, encoder.logit_scale)
                known.update(zip(part, rows, strict=True))
        found = np.stack([np.frombuffer(known[text], "<f2") for text in wanted]).astype(np.float32)
        return np.asarray(found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12), np.float32)

    means = prototypes(encode, prompts)
    scale = texts.logit_scale(db, record.id)
    assert scale is not None, "it was kept with the first sentence"
    return View(vectors, means, scale)


def neighbours_of(file: Path, rows: Sequence[int], vectors: Vectors, *, seed: int, tick: Tick = no_tick) -> Neighbours:
    """The nearest pictures in `vectors` [N, D], from `file` where that was written for the same `rows` of the store.

    Else they are found and written there. A file that cannot be used is done without.
    """
    key = hashlib.blake2b(np.asarray(rows, "<i8").tobytes() + b" %d %d" % (seed, NEAR), digest_size=16).hexdigest()
    try:
        with np.load(file, allow_pickle=False) as stored:
            if str(stored["key"]) == key:
                return Neighbours(stored["rows"].astype(np.int64), stored["distances"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        pass
    found = neighbours(vectors, NEAR, seed=seed, tick=tick)
    _keep(file, key, found)
    return found


def _keep(file: Path, key: str, found: Neighbours) -> None:
    aside = file.with_name(f"{file.name}.{os.getpid()}.part")
    try:
        with aside.open("wb") as out:
            np.savez(out, key=np.array(key), rows=found.rows.astype(np.int32), distances=found.distances)
        aside.replace(file)
    except OSError:  # a full disk: the next run finds them again
        with contextlib.suppress(OSError):
            aside.unlink()
