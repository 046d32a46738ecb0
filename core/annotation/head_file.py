"""A trained head in a file, for another project with the same encoder: safetensors, no code in it, not trusted.

The header says of what encoder it is (by fingerprint), its classes and their prompts; the tensors are `weights` [K, D]
and `biases` [K] in float32.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.annotation.classes import MAX_CLASSES, MAX_NAME, MAX_PHRASE
from core.annotation.corrections import Head
from core.errors import ShoeboxError, UsageError

FORMAT = "shoebox-head-1"
MAX_BYTES = 200_000_000
MAX_HEADER = 20_000_000
MAX_DIMENSION = 100_000


@dataclass(frozen=True)
class SavedHead:
    """A head with what it needs to be used: the encoder's fingerprint and spec, the classes, the prompts of each."""

    head: Head
    fingerprint: str
    encoder: str
    classes: tuple[str, ...]
    prompts: tuple[tuple[str, ...], ...]
    corrections: int


def check_place(path: Path) -> None:
    """Raises UsageError where no head can be written: over a file that is none, or into a folder there is not."""
    if not path.parent.is_dir():
        raise UsageError(f"there is no folder {path.parent}", "name a file in one that is there")
    if os.path.lexists(path):
        try:
            load_head(path)
        except ShoeboxError as error:
            raise UsageError(f"{path} is there already, and is no head", "name another file") from error


def save_head(path: Path, saved: SavedHead) -> None:
    """Writes the file beside its place and renames it; an older head there is replaced, any other file is not.

    Raises ShoeboxError where that fails.
    """
    from safetensors.numpy import save

    check_place(path)
    said = {
        "format": FORMAT,
        "fingerprint": saved.fingerprint,
        "encoder": saved.encoder,
        "classes": list(saved.classes),
        "prompts": [list(own) for own in saved.prompts],
        "corrections": saved.corrections,
    }
    tensors = {
        "weights": np.ascontiguousarray(saved.head.weights, np.float32),
        "biases": np.ascontiguousarray(saved.head.biases, np.float32),
    }
    aside = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with aside.open("wb") as file:
            file.write(save(tensors, {"head": json.dumps(said, ensure_ascii=False)}))
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise ShoeboxError(f"cannot write the head {path} ({error.strerror})", "name another file") from error


def load_head(path: Path, *, fingerprint: str | None = None) -> SavedHead:
    """Reads a head. With `fingerprint`, it must be of that encoder: raises UsageError where it is of another.

    Raises ShoeboxError for a file that is no head of this program, damaged, or too large.
    """
    header, tensors = _read(path)
    try:
        saved = _checked(header, tensors)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise _no_head(path, str(error)) from error
    if fingerprint is not None and saved.fingerprint != fingerprint:
        raise UsageError(
            f"the head {path} was trained with another encoder ({saved.encoder[:100]})",
            "use that encoder, or train a head with this one",
        )
    return saved


def _read(path: Path) -> tuple[Any, dict[str, Any]]:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        if not path.is_file():
            raise ShoeboxError(f"there is no head at {path}", "give the file that `--head` saved")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ShoeboxError(f"cannot read the head {path} ({error.strerror})", "check the file") from error
    if len(data) > MAX_BYTES:
        raise _no_head(path, "too large")
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 or length > min(len(data) - 8, MAX_HEADER):
        raise _no_head(path, "cut short")
    try:
        header = json.loads(json.loads(data[8 : 8 + length])["__metadata__"]["head"])
        return header, load(data)
    except (SafetensorError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise _no_head(path, "not in its form") from error


def _checked(said: Any, tensors: dict[str, Any]) -> SavedHead:
    if said["format"] != FORMAT:
        raise ValueError("of another version")
    weights, biases = tensors["weights"], tensors["biases"]
    classes, prompts = said["classes"], said["prompts"]
    if not (isinstance(classes, list) and isinstance(prompts, list) and 1 <= len(classes) <= MAX_CLASSES):
        raise ValueError("its classes are wrong")
    if len(set(map(_text, classes))) != len(classes) or not all(0 < len(c) <= MAX_NAME for c in classes):
        raise ValueError("its classes are wrong")
    if len(prompts) != len(classes) or not all(len(_text(p)) <= MAX_PHRASE + MAX_NAME for own in prompts for p in own):
        raise ValueError("its prompts are wrong")
    if weights.dtype != np.float32 or biases.dtype != np.float32 or weights.ndim != 2:
        raise ValueError("its numbers are not float32")
    if (
        weights.shape[0] != len(classes)
        or biases.shape != (len(classes),)
        or not 1 <= weights.shape[1] <= MAX_DIMENSION
    ):
        raise ValueError("its numbers do not fit its classes")
    if not (np.isfinite(weights).all() and np.isfinite(biases).all()):
        raise ValueError("its numbers are not finite")
    return SavedHead(
        head=Head(weights, biases),
        fingerprint=_text(said["fingerprint"]),
        encoder=_text(said["encoder"]),
        classes=tuple(classes),
        prompts=tuple(tuple(own) for own in prompts),
        corrections=int(said["corrections"]),
    )


def _text(value: Any) -> str:
    """`value`, which must be printable text: it will be shown."""
    if not isinstance(value, str) or any(ord(c) < 32 or ord(c) == 127 for c in value):
        raise ValueError("its words are wrong")
    return value


def _no_head(path: Path, why: str) -> ShoeboxError:
    return ShoeboxError(f"{path} is no head that shoebox can use ({why})", "train and save it again")
