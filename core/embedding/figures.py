"""What the machine is doing: CPU from psutil, NVIDIA devices from NVML where there is one."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from core.embedding.progress import DeviceFigures

if TYPE_CHECKING:
    from core.encoders.encoder import Encoder

SAMPLE_SECONDS = 1.0


class MachineFigures:
    """Samples at most once a second, whoever asks."""

    def __init__(self, encoders: Sequence[Encoder]) -> None:
        import psutil

        self._psutil = psutil
        self._names = [encoder.device_name for encoder in encoders]
        self._handles = [_nvml_handle(encoder) for encoder in encoders]
        self._sampled = 0.0
        self.cpu: float | None = None
        self.devices: list[DeviceFigures] = [DeviceFigures(name) for name in self._names]
        psutil.cpu_percent()  # its first answer is about the time since the previous call

    def sample(self) -> None:
        """Looks again, if the last look is a second old."""
        now = time.monotonic()
        if now - self._sampled < SAMPLE_SECONDS:
            return
        self._sampled = now
        self.cpu = self._psutil.cpu_percent() / 100
        self.devices = [_figures(n, h) for n, h in zip(self._names, self._handles, strict=True)]


def _nvml_handle(encoder: Encoder) -> Any:
    """NVML counts all devices, CUDA the visible ones: the UUID is what both know a device by."""
    if encoder.device.type != "cuda":
        return None
    try:
        import pynvml
        import torch

        pynvml.nvmlInit()
        uuid = torch.cuda.get_device_properties(encoder.device).uuid
        return pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{uuid}")
    except Exception:
        return None  # no figures is no reason to stop: containers often hide NVML


def _figures(name: str, handle: Any) -> DeviceFigures:
    if handle is None:
        return DeviceFigures(name)
    try:
        import pynvml

        memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
        used = pynvml.nvmlDeviceGetUtilizationRates(handle).gpu / 100
        return DeviceFigures(name, used, int(memory.used), int(memory.total))
    except Exception:
        return DeviceFigures(name)
