"""The connections of a download: httpcore2 pools whose every connection goes to a checked address.

httpcore2 rather than the client above it (httpx2), or aiohttp: it takes a network of our own as a parameter, and
follows no redirect, decodes no content and keeps no cookie by itself; openai brings it already. Proxies are those of
the environment. A proxy looks names up itself: what this machine knows of a name is checked, the rest is the proxy's.
"""

from __future__ import annotations

import base64
import os
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version
from urllib.parse import unquote, urlsplit

import httpcore2
import httpx2

from core.environment import proxies_in, proxy_for
from core.errors import ShoeboxError
from core.sources.addresses import CheckedNetwork, UnknownHostError, allowed_addresses

CONNECT_SECONDS = 10.0
READ_SECONDS = 20.0
KEPT_SECONDS = 15.0


def user_agent() -> str:
    """Who we say we are: ourselves."""
    return f"shoebox/{version('shoebox')} (sorts pictures; downloads what its user listed)"


@dataclass(frozen=True, slots=True)
class Answer:
    """The head of an answer, and its body as it comes over the wire. Names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: AsyncIterator[bytes]


class Session:
    """For one event loop, from `async with` to its end. `patience`: seconds between two pieces of an answer.

    Its proxies are those of `environment`.
    """

    def __init__(
        self,
        *,
        allow_private: bool = False,
        trusted: Iterable[tuple[str, int]] = (),
        connections: int = 64,
        patience: float = READ_SECONDS,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self._allow_private = allow_private
        self._trusted = frozenset(trusted)
        self._connections = connections
        self._timeout = {"connect": CONNECT_SECONDS, "read": patience, "write": CONNECT_SECONDS}
        self._tls = httpcore2.default_ssl_context()
        self._proxies = proxies_in(environment)
        self._pools: dict[str, httpcore2.AsyncConnectionPool] = {}
        self._agent = user_agent()

    async def __aenter__(self) -> Session:
        return self

    async def __aexit__(self, *_: object) -> None:
        for pool in self._pools.values():
            await pool.aclose()

    @asynccontextmanager
    async def get(self, address: str, headers: Mapping[str, str] | None = None) -> AsyncIterator[Answer]:
        """Asks once. Raises AddressRefusedError, UnknownHostError, and httpcore2's errors."""
        url = httpx2.URL(address)
        scheme, host = url.scheme, url.raw_host.decode("ascii")
        port = url.port or (443 if scheme == "https" else 80)
        proxy = proxy_for(scheme, f"{host}:{port}", self._proxies)
        if proxy and not self._allow_private and (host, port) not in self._trusted:
            with suppress(UnknownHostError):  # behind a proxy, names are often known to it alone
                await allowed_addresses(host, port)
        sent = {
            "Host": url.netloc.decode("ascii"),
            "User-Agent": self._agent,
            "Accept": "image/*,*/*;q=0.5",
            "Accept-Encoding": "identity",
        }
        if url.userinfo:
            sent["Authorization"] = "Basic " + base64.b64encode(unquote(url.userinfo.decode()).encode()).decode()
        sent |= headers or {}
        target = httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        async with self._pool(proxy).stream(
            "GET",
            target,
            headers=list(sent.items()),
            extensions={"timeout": self._timeout},
        ) as response:
            names = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in response.headers]
            yield Answer(response.status, dict(names), response.aiter_stream())

    def _pool(self, proxy: str) -> httpcore2.AsyncConnectionPool:
        if proxy not in self._pools:
            self._pools[proxy] = httpcore2.AsyncConnectionPool(
                ssl_context=self._tls,
                proxy=_proxy(proxy) if proxy else None,
                max_connections=self._connections,
                keepalive_expiry=KEPT_SECONDS,
                # The proxy is the user's own, wherever it is.
                network_backend=CheckedNetwork(allow_private=bool(proxy) or self._allow_private, trusted=self._trusted),
            )
        return self._pools[proxy]


def _proxy(address: str) -> httpcore2.Proxy:
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ShoeboxError(
            f"the proxy in the environment is of a kind that is not spoken ({parts.scheme})",
            "set HTTP_PROXY and HTTPS_PROXY to an http:// proxy, or unset them",
        )
    auth = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return httpcore2.Proxy(f"{parts.scheme}://{host}:{parts.port or 80}", auth=auth)
