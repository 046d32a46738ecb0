"""Which addresses may be connected to: by default none that leads into the user's own network.

A name is resolved once, its addresses are checked, and the connection goes to the very address that was checked:
a name that answers differently the next time (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Iterable
from typing import Any

import httpcore2

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_CARRIES_V4_LAST = tuple(
    ipaddress.IPv6Network(network) for network in ("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96")
)
"""The last 32 bits are an IPv4 address: compatible and mapped (RFC 4291), translated (RFC 2765), NAT64 (RFC 6052)."""
_NEVER = tuple(
    ipaddress.ip_network(network)
    for network in (
        *("0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15"),
        *("198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4"),
        *("64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16"),
        *("fc00::/7", "fec0::/10"),
    )
)
"""Special-purpose blocks (RFC 6890), whatever this Python's `ipaddress` makes of them; 6to4 and Teredo among them."""


class AddressRefusedError(Exception):
    """A host that leads to an address that may not be connected to."""


class UnknownHostError(Exception):
    """A name without an address. `passing`: the name service did not answer, which may change."""

    def __init__(self, host: str, *, passing: bool) -> None:
        super().__init__(
            f"there is no host called {host}" if not passing else f"the name {host} could not be looked up"
        )
        self.passing = passing


def is_public(address: Address) -> bool:
    """Whether an address is one of the internet's, as a whole and by the IPv4 address that it may carry."""
    if isinstance(address, ipaddress.IPv6Address):
        for network in _CARRIES_V4_LAST:
            if address in network:
                return is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    if any(address in network for network in _NEVER if network.version == address.version):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_link_local)


async def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host, in the order in which to try them. Raises UnknownHostError."""
    loop = asyncio.get_running_loop()
    try:
        answers = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        raise UnknownHostError(host, passing=getattr(error, "errno", None) == socket.EAI_AGAIN) from error
    return list(dict.fromkeys(str(answer[4][0]) for answer in answers))


async def allowed_addresses(host: str, port: int) -> list[str]:
    """The public addresses of a host. Raises AddressRefusedError where it has others alone, UnknownHostError."""
    found = await resolve(host, port)
    allowed = [text for text in found if is_public(ipaddress.ip_address(text.partition("%")[0]))]
    if not allowed:
        where = f"{host} is" if host in found else f"{host} leads to"
        raise AddressRefusedError(
            f"{where} {'a private address' if host in found else found[0] + ', a private address'}"
        )
    return allowed


class CheckedNetwork(httpcore2.AsyncNetworkBackend):
    """Opens connections for a pool. `trusted`: (host, port) that the user named, wherever they lead."""

    def __init__(self, *, allow_private: bool, trusted: Iterable[tuple[str, int]] = ()) -> None:
        self._inner = httpcore2.AnyIOBackend()
        self._allow_private = allow_private
        self._trusted = frozenset(trusted)

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Connects to the first of the host's allowed addresses that answers."""
        if self._allow_private or (host, port) in self._trusted:
            addresses = await resolve(host, port)
        else:
            addresses = await allowed_addresses(host, port)
        for place, address in enumerate(addresses, start=1):
            try:
                return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                if place == len(addresses):
                    raise
        raise UnknownHostError(host, passing=False)
