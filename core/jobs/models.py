"""The encoders a worker keeps loaded, so that the next job need not wait for them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from core.environment import lent
from core.errors import ShoeboxError

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from core.encoders.encoder import Encoder
    from core.encoders.spec import EncoderSpec

REMEMBERED = 4096
"""Vectors of prompts and of pictures searched by that are kept: 8 MB at 512 dimensions."""


class LoadedEncoders:
    """Holds the last encoder asked for: two would seldom fit on one device."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._key: tuple[EncoderSpec, str, list[tuple[int, int]]] | None = None
        self._encoders: list[Encoder] = []
        self._vectors: dict[tuple[str, str | bytes], NDArray[np.float32]] = {}

    def get(
        self,
        spec: EncoderSpec,
        device: str,
        progress: Callable[[dict[str, Any]], None],
        environment: Mapping[str, str] = MappingProxyType({}),
        *,
        words: bool = False,
    ) -> list[Encoder]:
        """The encoder on every device that `device` names, loaded unless it is there already.

        `progress` is told of a download, in bytes; `environment` has the hub's token and the proxies. With `words`,
        what reads sentences is loaded, too, where it can be had. Raises ShoeboxError where the encoder cannot.
        """
        from core.encoders.encoder import load_encoders

        def downloading(done: int, total: int | None) -> None:
            progress({"stage": "downloading", "what": str(spec), "done": done, "total": total})

        with self._lock, lent(environment):
            key = (spec, device, _versions(spec.weights, spec.model_config))
            if self._key != key:
                self._key, self._encoders = None, []  # let go of the old one before the new one comes
                self._encoders = load_encoders(spec, device=device, progress=downloading)
                self._key = key
            if words:
                with suppress(ShoeboxError):  # who encodes a sentence is told
                    self._encoders[0].prepare_texts()
            return self._encoders

    def has(self, spec: EncoderSpec, device: str) -> bool:
        """Whether `get` would give it at once."""
        return self._key == (spec, device, _versions(spec.weights, spec.model_config))

    def remembered(
        self, fingerprint: str, what: str | bytes, encode: Callable[[], NDArray[np.float32]]
    ) -> NDArray[np.float32]:
        """The vector [D] of a prompt (text) or a picture (its content's hash), encoded the first time it is asked for.

        `fingerprint` is the encoder's.
        """
        key = (fingerprint, what)
        vector = self._vectors.pop(key, None)
        if vector is None:
            vector = encode()
        self._vectors[key] = vector  # last in the order: what was not asked for longest goes first
        while len(self._vectors) > REMEMBERED:
            del self._vectors[next(iter(self._vectors))]
        return vector


def _versions(*files: Path | None) -> list[tuple[int, int]]:
    """Changes when one of the files was written anew: who trains a model writes it where the last one lay."""
    found = [file.stat() for file in files if file is not None and file.exists()]
    return [(status.st_mtime_ns, status.st_ino) for status in found]
