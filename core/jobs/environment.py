"""What of a client's environment a job needs. It travels over the socket and stays in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

_SECRET_PARTS = ("KEY", "TOKEN", "SECRET", "PASSWORD", "CREDENTIAL", "PROXY")
_PREFIXES = ("OPENAI_", "AWS_", "R2_", "HF_")
# Read once, when a library is imported or a device is opened: a worker cannot change them any more.
_FIXED = ("CUDA_VISIBLE_DEVICES", "HF_HOME", "HF_HUB_CACHE", "HF_HUB_OFFLINE", "HF_ENDPOINT", "OMP_NUM_THREADS")


def travelling(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that go with a job: keys, proxies and the settings of the services it may call."""
    return {n: v for n, v in environment.items() if _is_secret(n) or n.upper().startswith(_PREFIXES)}


def has_key(environment: Mapping[str, str]) -> bool:
    """Whether a language model's key is among the variables."""
    return bool(environment.get("OPENAI_API_KEY", "").strip())


def for_worker(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables a worker is started with: no secret among them, and none of one client's services.

    Threads of OpenMP that wait do not spin, unless the user wants it: lanes share the cores; embedding is as fast.
    """
    fixed = {n: environment[n] for n in _FIXED if n in environment}
    kept = {n: v for n, v in environment.items() if n not in travelling(environment)}
    return {"OMP_WAIT_POLICY": "PASSIVE"} | kept | fixed


def signature(environment: Mapping[str, str], version: str) -> str:
    """Differs between workers that cannot do each other's jobs: version, visible devices, caches."""
    parts = [version, *(f"{name}={environment.get(name, '')}" for name in _FIXED)]
    return hashlib.blake2b("\0".join(parts).encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()


def _is_secret(name: str) -> bool:
    return any(part in name.upper() for part in _SECRET_PARTS)
