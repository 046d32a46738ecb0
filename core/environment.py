"""A client's environment in a process that serves several: how it is read, and lent where a library reads its own."""

from __future__ import annotations

import os
import sys
import threading
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

_PROXY = "_proxy"
_one_at_a_time = threading.Lock()  # there is but one environment of the process


@contextmanager
def lent(environment: Mapping[str, str]) -> Iterator[None]:
    """Puts these variables into the process's own environment as long as the block lasts; one block at a time.

    For libraries that look for tokens and keys nowhere else (the hub's, AWS's). Whatever else needs some is given them:
    jobs of several clients run side by side.
    """
    with _one_at_a_time:
        before = {name: os.environ.get(name) for name in environment}
        try:
            os.environ.update(environment)
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value
            if environment and (hub := sys.modules.get("huggingface_hub")):
                hub.close_session()  # it remembers proxies


def proxies_in(environment: Mapping[str, str]) -> dict[str, str]:
    """The proxies that HTTP_PROXY, HTTPS_PROXY and ALL_PROXY name, by scheme, and NO_PROXY as "no".

    As `urllib.request.getproxies_environment` reads them from the process: of two spellings that in lower case holds.
    """
    named: dict[str, str] = {}
    for name in sorted(environment):  # upper case comes first
        if name.lower().endswith(_PROXY):
            named[name.lower().removesuffix(_PROXY)] = environment[name]
    return {scheme: address for scheme, address in named.items() if scheme and address}


def proxy_for(scheme: str, host: str, proxies: Mapping[str, str]) -> str:
    """The address of the proxy that leads to `host` ("name:port"); "" where none is named or wanted."""
    proxy = proxies.get(scheme) or proxies.get("all") or ""
    if not proxy or urllib.request.proxy_bypass_environment(host, dict(proxies)):  # type: ignore[attr-defined]
        return ""
    return proxy if "://" in proxy else f"http://{proxy}"
