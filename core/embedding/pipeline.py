"""The stages between files and vectors: threads that read, one that batches, one for every device that encodes.

    pictures -> [read, decode, cut] -> ready -> [batch] -> batches -> [encode] -> finished -> the caller, who commits

The channels are bounded, so a slow stage holds the ones before it and memory stays flat. Batching is a stage of
its own so that a device finds its next batch laid out when it is done with one.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from core.embedding.channel import Channel, StoppedError
from core.embedding.progress import Bottleneck
from core.embedding.reading import ContentFacts, Failed, Known, Prepared, Reader
from core.errors import ShoeboxError

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

    from core.catalog.images import Image
    from core.encoders.encoder import Encoder, NonFiniteError

BATCHES_AHEAD = 2
"""Batches that may wait for each device."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Pictures and their pixels, uint8 [n, height, width, 3], where a device can fetch them fast."""

    pictures: list[ContentFacts]
    pixels: torch.Tensor


@dataclass(frozen=True, slots=True)
class Encoded:
    """A batch that went through the encoder: vectors [n, dimension], unit norm, one a picture."""

    pictures: list[ContentFacts]
    vectors: NDArray[np.float32]


Outcome = Encoded | Known | Failed


class Pipeline:
    """Runs from `start` until every picture had its outcome or `stop` was called."""

    def __init__(
        self,
        pictures: Iterator[Image],
        reader: Reader,
        encoders: Sequence[Encoder],
        *,
        batch_size: int,
        decode_threads: int,
    ) -> None:
        self.batch_size = batch_size
        """Pictures encoded at a time: halved for good when a device runs out of memory."""
        self._pictures = pictures
        self._pictures_lock = threading.Lock()
        self._reader = reader
        threads = decode_threads or os.cpu_count() or 1
        self._ready: Channel[Prepared] = Channel(max(batch_size, 2 * threads))
        self._batches: Channel[Batch] = Channel(BATCHES_AHEAD * len(encoders))
        self._finished: Channel[Outcome] = Channel(4 * len(encoders) + 2 * threads)
        self._error: BaseException | None = None
        self._readers = [self._thread(self._read_all, f"decode-{n}") for n in range(threads)]
        self._batcher = self._thread(partial(self._batch_all, encoders[0]), "batch")
        self._encoders = [self._thread(partial(self._encode_all, e), f"encode-{e.device}") for e in encoders]
        self._closer = self._thread(self._close_in_order, "close")

    def start(self) -> None:
        """Starts every thread."""
        for thread in (*self._readers, self._batcher, *self._encoders, self._closer):
            thread.start()

    def outcomes(self, timeout: float) -> list[Outcome] | None:
        """What has come out, none if nothing does within `timeout` seconds; None once every outcome was taken.

        Raises what a stage raised.
        """
        taken = self._finished.take(1, timeout=timeout)
        taken += self._finished.take(self._finished.capacity, timeout=0)  # a commit costs the same for all of them
        if self._error is not None:
            raise self._error
        return taken if taken or not self._finished.over else None

    @property
    def bottleneck(self) -> Bottleneck:
        """The stage the others wait for, so far."""
        # The thread between the two tells: which of its neighbours did it wait for?
        for_pictures, for_device = self._ready.seconds_empty, self._batches.seconds_full
        if for_pictures == for_device:
            return ""
        return "decoding" if for_pictures > for_device else "device"

    def stop(self) -> None:
        """Stops every thread after what it has in hand, and waits for that."""
        self._stop_channels()
        for thread in (*self._readers, self._batcher, *self._encoders, self._closer):
            if thread.is_alive():
                thread.join()

    def _thread(self, work: Callable[[], None], name: str) -> threading.Thread:
        return threading.Thread(target=self._guarded, args=(work,), name=name, daemon=True)

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except StoppedError:
            pass
        except BaseException as error:
            self._error = self._error or error
            self._stop_channels()

    def _stop_channels(self) -> None:
        for channel in (self._ready, self._batches, self._finished):
            channel.stop()

    def _close_in_order(self) -> None:
        for thread in self._readers:
            thread.join()
        self._ready.finish()
        self._batcher.join()
        self._batches.finish()
        for thread in self._encoders:
            thread.join()
        self._finished.finish()

    def _read_all(self) -> None:
        while True:
            with self._pictures_lock:
                image = next(self._pictures, None)
            if image is None:
                return
            outcome = self._reader.read(image)
            if isinstance(outcome, Prepared):
                self._ready.put(outcome)
            elif outcome is not None:
                self._finished.put(outcome)

    def _batch_all(self, encoder: Encoder) -> None:
        while pictures := self._ready.take(self.batch_size):
            pixels = encoder.empty_batch(len(pictures))
            np.stack([picture.pixels for picture in pictures], out=pixels.numpy())
            self._batches.put(Batch([picture.facts for picture in pictures], pixels))

    def _encode_all(self, encoder: Encoder) -> None:
        while batches := self._batches.take(1):
            self._encode(encoder, batches[0])

    def _encode(self, encoder: Encoder, batch: Batch) -> None:
        from core.encoders.encoder import DeviceOutOfMemoryError, NonFiniteError

        start = 0
        while start < len(batch.pictures):
            pictures = batch.pictures[start : start + self.batch_size]
            try:
                vectors = encoder.encode_images(batch.pixels[start : start + len(pictures)])
            except DeviceOutOfMemoryError as error:
                self._halve(encoder, len(pictures), error)
                continue
            except NonFiniteError as error:
                start += len(pictures)
                pictures, vectors = self._without_unusable(pictures, error)
            else:
                start += len(pictures)
            self._finished.put(Encoded(pictures, vectors))

    def _halve(self, encoder: Encoder, tried: int, error: Exception) -> None:
        if tried == 1:
            raise ShoeboxError(
                f"{encoder.device_name} has no memory left, not even for one picture",
                "end what else runs on it, choose a smaller encoder, or use --device cpu",
            ) from error
        self.batch_size = tried // 2

    def _without_unusable(
        self, part: list[ContentFacts], error: NonFiniteError
    ) -> tuple[list[ContentFacts], NDArray[np.float32]]:
        """What is left of a batch when the encoder gives nothing for some of it; those are failures."""
        if len(error.rows) == len(part) > 1:
            raise error  # not the pictures: the weights
        for row in error.rows:
            self._finished.put(self._reader.refuse(part[row], "the encoder gives no vector for it"))
        kept = [row for row in range(len(part)) if row not in error.rows]
        return [part[row] for row in kept], error.vectors[kept]
