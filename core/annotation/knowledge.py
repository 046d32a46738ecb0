"""What a run need not work out twice: classes as an encoder reads them, and which pictures are near which."""

from __future__ import annotations

import contextlib
import hashlib
import os
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.annotation.neighbours import neighbours
from core.annotation.nowhere import NEIGHBOURS as NEAR
from core.annotation.prompts import prototypes
from core.annotation.scores import View
from core.catalog import texts
from core.clustering.neighbours import Neighbours
from core.clustering.vectors import Tick, Vectors, no_tick

if TYPE_CHECKING:
    from core.catalog.database import Database
    from core.catalog.encoders import EncoderRecord
    from core.encoders.encoder import Encoder

_AT_ONCE = 128
"""Sentences, at least, encoded between two looks at whether to go on; their classes are kept then."""


def view_of(
    db: Database,
    record: EncoderRecord,
    vectors: Vectors,
    prompts: Sequence[Sequence[str]],
    load: Callable[[], Encoder],
    *,
    tick: Tick = no_tick,
) -> View:
    """An encoder's view of `vectors` [N, D] and of the classes' prompts; it is loaded only for classes new to it.

    Raises ShoeboxError where it knows no words.
    """
    keys = [_key(own) for own in prompts]
    known = texts.known(db, record.id, keys)
    missing = {key: own for key, own in zip(keys, prompts, strict=True) if key not in known}
    if missing or texts.logit_scale(db, record.id) is None:
        encoder = load()
        for done, part in _parts(missing):
            tick(f"reading the words of {done:,} of {len(missing):,} classes", done / len(missing))
            rows = prototypes(encoder.encode_texts, [missing[key] for key in part]).astype("<f4")
            found = {key: row.tobytes() for key, row in zip(part, rows, strict=True)}
            texts.keep(db, record.id, found, encoder.logit_scale)
            known |= found
    scale = texts.logit_scale(db, record.id)
    assert scale is not None, "it was kept with the first class"
    return View(vectors, np.stack([np.frombuffer(known[key], "<f4") for key in keys]), scale)


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


def _key(prompts: Sequence[str]) -> str:
    """What the sentences of a class are known by."""
    return hashlib.blake2b("\n".join(prompts).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _parts(missing: dict[str, Sequence[str]]) -> Iterator[tuple[int, list[str]]]:
    """The keys of some classes at a time, and how many came before."""
    part: list[str] = []
    done = sentences = 0
    for key, own in missing.items():
        part.append(key)
        sentences += len(own)
        if sentences >= _AT_ONCE:
            yield done, part
            done, part, sentences = done + len(part), [], 0
    if part:
        yield done, part


def _keep(file: Path, key: str, found: Neighbours) -> None:
    aside = file.with_name(f"{file.name}.{os.getpid()}.part")
    try:
        with aside.open("wb") as out:
            np.savez(out, key=np.array(key), rows=found.rows.astype(np.int32), distances=found.distances)
        aside.replace(file)
    except OSError:  # a full disk: the next run finds them again
        with contextlib.suppress(OSError):
            aside.unlink()
