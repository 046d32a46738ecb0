"""Where to encode: the devices of this machine, their names, and how much to give them at a time."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import ShoeboxError, UsageError

if TYPE_CHECKING:
    import torch


class DeviceOutOfMemoryError(ShoeboxError):
    """The device has no room for this batch; half of it may fit."""


def choose_devices(wanted: str = "auto") -> list[torch.device]:
    """The devices to encode on: `auto` takes CUDA, then MPS, then the CPU; `cuda` takes all GPUs of the box.

    Raises UsageError for an unknown name, ShoeboxError, with the cause, for a device that is not there.
    """
    import torch

    kind, _, index = wanted.partition(":")
    if kind not in ("auto", "cuda", "mps", "cpu") or (index and not (kind == "cuda" and index.isdecimal())):
        raise UsageError(f"unknown device {wanted!r}", "a device is auto, cuda, cuda:N, mps or cpu")
    if kind == "auto":
        kind = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    if kind == "cuda":
        return _gpus(int(index) if index else None)
    if kind == "mps" and not torch.backends.mps.is_available():
        raise ShoeboxError("there is no Apple GPU that torch can use", "use --device cpu")
    return [torch.device(kind)]


def _gpus(index: int | None) -> list[torch.device]:
    import torch

    if not torch.cuda.is_available():
        raise ShoeboxError(f"no CUDA device can be used: {_why_no_cuda()}", "mend that, or use --device cpu")
    count = torch.cuda.device_count()
    if index is None:
        return [torch.device("cuda", n) for n in range(count)]
    if index >= count:
        raise ShoeboxError(f"there is no cuda:{index}", f"this machine shows {count}, from cuda:0")
    return [torch.device("cuda", index)]


def _why_no_cuda() -> str:
    import torch

    if torch.version.cuda is None and torch.version.hip is None:
        return f"this torch ({torch.__version__}) is built without CUDA"
    if os.environ.get("CUDA_VISIBLE_DEVICES", "all").strip() in ("", "-1"):
        return "CUDA_VISIBLE_DEVICES is empty"
    if not Path("/proc/driver/nvidia").exists() and platform.system() == "Linux":
        return "there is no NVIDIA driver on this machine"
    return "the NVIDIA driver does not answer, or is too old for this torch"


def device_name(device: torch.device) -> str:
    """What people call it: `NVIDIA H200`, or the model of the CPU."""
    import torch

    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    if device.type == "mps":
        return "Apple GPU"
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass  # not Linux
    return platform.processor() or platform.machine() or "CPU"


def batch_size_hint(device: torch.device, size: tuple[int, int]) -> int:
    """Pictures of this size to encode at a time; half as many where memory runs out.

    Beyond these a larger batch gains nothing: a CPU's caches, a GPU's cores are full.
    """
    pixels = size[0] * size[1] / 224**2
    most = 256 if device.type == "cuda" else 32 if device.type == "mps" else 16
    return max(1, min(most, int(most / pixels)))


@contextmanager
def out_of_memory(device: torch.device) -> Iterator[None]:
    """Turns the ways in which devices run out of memory into DeviceOutOfMemoryError."""
    import torch

    try:
        yield
    except torch.OutOfMemoryError as error:
        torch.cuda.empty_cache()
        raise DeviceOutOfMemoryError(f"{device_name(device)} has no memory left", "use smaller batches") from error
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, MemoryError) or "out of memory" in str(error) or "can't allocate memory" in str(error):
            raise DeviceOutOfMemoryError(f"{device_name(device)} has no memory left", "use smaller batches") from error
        raise
