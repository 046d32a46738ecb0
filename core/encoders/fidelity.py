"""How far an encoder may go for speed: reduced-scale decoding and reduced precision, each measured by itself.

The reference is the model's own transform of the picture decoded whole, encoded in float32. What ships must
give the same vectors: cosine 0.999 on average and 0.995 at least. Costs, once for an encoder, a device and a
version of torch: about fifty encodings of one picture and a second of drawing; the answer is kept in the
user's cache.
"""

from __future__ import annotations

import io
import json
import logging
import os
import re
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from core.encoders import precision, probes
from core.encoders.preprocess import Preprocessing

if TYPE_CHECKING:
    from core.encoders.encoder import Encoder
    from core.encoders.model import Model

MEAN, LEAST = 0.999, 0.995
"""The cosines to reach: on average, and for every probe."""

SAFE_SCALE = 4
"""Decoding to this many times the target and more is taken without proof."""

_SCALES = (2, 3, SAFE_SCALE, 6, 8)
_WHOLE = 0
_PROBES = 8
_WORTHWHILE = 1.1  # a precision is reduced for a gain of a tenth or more
_LARGEST = 2000  # shorter side of a probe: beyond it drawing takes longer than the scale could ever save
_VERSION = 1  # of this measurement: a kept answer of another is not asked
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Cosines:
    """Agreement of two ways to the same vectors, over the probes."""

    mean: float
    least: float

    @property
    def pass_(self) -> bool:
        """Whether both limits are kept."""
        return self.mean >= MEAN and self.least >= LEAST


@dataclass(frozen=True, slots=True)
class Fidelity:
    """What an encoder may do for speed on a device, and what was measured; None where nothing was."""

    precision: str = "float32"
    decode_scale: int = SAFE_SCALE
    preprocessing: Cosines | None = None
    reduced: Cosines | None = None
    gain: float = 1.0
    """How many times faster the reduced precision encodes."""

    def applied_to(self, preprocessing: Preprocessing) -> Preprocessing:
        """The preprocessing at the scale of decoding found."""
        return replace(preprocessing, decode_scale=self.decode_scale)


def fidelity(model: Model, device: torch.device, *, make: Callable[..., Encoder]) -> Fidelity:
    """What `model` may do on `device`: remembered, or measured now with encoders that `make` makes.

    Never fails: where anything goes wrong it is the safe scale and float32, and the log says why.
    """
    try:
        path = _path(model, device)
        if kept := _read(path):
            return kept
        found = measure(model, device, make=make)
        _write(path, found)
        return found
    except Exception:
        _log.warning("fidelity of %s could not be measured", model.spec, exc_info=True)
        return Fidelity()


def measure(model: Model, device: torch.device, *, make: Callable[..., Encoder]) -> Fidelity:
    """The smallest scale of decoding that passes, and the precision that passes and gains."""
    exact = make(model.copied(), device, Fidelity())
    scale, cosines = _decode_scale(exact)
    found = Fidelity(decode_scale=scale, preprocessing=cosines)
    pixels = np.stack([_prepared(picture, found.applied_to(model.preprocessing)) for picture in _pictures(exact, 2)])
    wanted, seconds = _timed(exact, pixels)
    for name in precision.reduced_precisions(device):
        try:
            vectors, reduced_seconds = _timed(make(model.copied(), device, replace(found, precision=name)), pixels)
        except Exception:  # layers that cannot be converted, or numbers that overflow
            _log.info("%s does not run in %s", model.spec, name, exc_info=True)
            continue
        reduced, gain = compare(wanted, vectors), seconds / reduced_seconds
        if reduced.pass_ and gain >= _WORTHWHILE:
            return replace(found, precision=name, reduced=reduced, gain=gain)
    return found


def compare(wanted: NDArray[np.float32], given: NDArray[np.float32]) -> Cosines:
    """Cosines between the rows of two arrays of unit vectors [n, d].

    An encoder that gives all pictures nearly the same vector, as untrained weights do, would pass any test;
    where the pictures' mean cosine is above 0.9 the mean vector is taken off first.
    """
    mean = wanted.mean(axis=0)
    if float(mean @ mean) > 0.9:
        wanted, given = wanted - mean, given - mean
    norms = np.linalg.norm(wanted, axis=1) * np.linalg.norm(given, axis=1)
    cosines = (wanted * given).sum(axis=1) / np.maximum(norms, 1e-12)
    return Cosines(float(cosines.mean()), float(cosines.min()))


def _decode_scale(exact: Encoder) -> tuple[int, Cosines | None]:
    """The first scale that passes, and its cosines; decoding whole where none does.

    Scales too large to draw probes for stay unproven: the safe one is taken, unless it has just failed.
    """
    cosines = None
    for scale in _SCALES:
        pictures = _pictures(exact, scale)
        if not pictures:
            return (SAFE_SCALE if scale <= SAFE_SCALE else _WHOLE), cosines
        cut = replace(exact.preprocessing, decode_scale=scale)
        wanted = exact.encode_transformed(torch.stack([_transformed(exact, picture) for picture in pictures]))
        given = exact.encode_images(np.stack([_prepared(picture, cut) for picture in pictures]))
        cosines = compare(wanted, given)
        if cosines.pass_:
            return scale, cosines
    return _WHOLE, cosines


def _pictures(exact: Encoder, scale: int) -> list[bytes]:
    """Probes that decoding at `scale` halves to exactly that many times the target: the worst case."""
    short_side = 2 * scale * max(exact.preprocessing.resized) + 1
    return [probes.probe(seed, short_side) for seed in range(_PROBES)] if short_side <= _LARGEST else []


def _prepared(picture: bytes, preprocessing: Preprocessing) -> NDArray[np.uint8]:
    from core.imaging.decode import decode

    decoded = decode(picture, min_side=preprocessing.decode_min_side, max_pixels=1 << 30)
    return preprocessing.prepare(decoded.image, (decoded.width, decoded.height))


def _transformed(exact: Encoder, picture: bytes) -> torch.Tensor:
    from PIL import Image

    return exact.transform(Image.open(io.BytesIO(picture)).convert("RGB"))


def _timed(encoder: Encoder, pixels: NDArray[np.uint8]) -> tuple[NDArray[np.float32], float]:
    """The vectors of a batch, and the seconds it took the second time."""
    encoder.encode_images(pixels)  # the first call also sets up
    start = time.perf_counter()
    vectors = encoder.encode_images(pixels)
    return vectors, time.perf_counter() - start


def _path(model: Model, device: torch.device) -> Path:
    import platformdirs

    from core.encoders.devices import device_name

    place = re.sub(r"[^A-Za-z0-9]+", "-", f"{device.type} {device_name(device)} torch {torch.__version__}")
    return platformdirs.user_cache_path("shoebox") / "fidelity" / f"{model.fingerprint}-{place}-{_VERSION}.json"


def _read(path: Path) -> Fidelity | None:
    try:
        kept = json.loads(path.read_text("utf-8"))
        for name in ("preprocessing", "reduced"):
            kept[name] = Cosines(**kept[name]) if kept[name] else None
        found = Fidelity(**kept)
    except (OSError, ValueError, TypeError, KeyError):
        return None
    known = found.precision in precision.DTYPES and isinstance(found.decode_scale, int) and found.decode_scale >= 0
    return found if known else None


def _write(path: Path, found: Fidelity) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f"{path.name}.{os.getpid()}.part")
    aside.write_text(json.dumps(asdict(found)), "utf-8")
    aside.replace(path)
