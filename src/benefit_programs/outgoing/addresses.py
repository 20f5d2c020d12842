"""Which addresses the service connects to.

A URL is a tenant's, the network is the operator's. So a host's name is looked up once, each of its
addresses is judged, and the connection goes to an address that was judged: a name that means
something else a moment later changes nothing.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import httpcore

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

ADDRESSES_MAX = 4
"""To how many addresses of one name the service tries to connect, one after the other."""

ADDRESS_SECONDS_MAX = 0.5
"""How long an address has to accept, if there is another one to try."""

LOOKUPS_AT_ONCE_MAX = 16
"""How many names a client looks up at the same time, in threads of its own."""

_REFUSED = tuple(
    map(
        ip_network,
        (
            "168.63.129.16/32",  # a public address, under which a cloud answers its machines
            "192.88.99.0/24",  # once for tunnels
            # Special, though not every version of Python that we run on knows it.
            "100.64.0.0/10",
            "192.0.0.0/24",
            "198.18.0.0/15",
            "100::/64",
            "2001::/23",
            "2001:db8::/32",
            "3fff::/20",
            "5f00::/16",
            "64:ff9b:1::/48",  # translated to IPv4 by the network's own rules
            "fec0::/10",  # of a site, before there were unique local addresses
        ),
    )
)
_TRANSLATED = IPv6Network("64:ff9b::/96")
_COMPATIBLE = IPv6Network("::/96")


class ForbiddenAddressError(OSError):
    """A host has only addresses to which the operator allows no connection."""


def may_be_reached(address: Address, allowed: Iterable[Network] = ()) -> bool:
    """Whether the service may connect to an address: it is public, or in an allowed network.

    An IPv6 address that only stands for one of IPv4 is judged as that one.
    """
    inner = _inner(address)
    if inner is not None:
        return may_be_reached(inner, allowed)
    if any(address in network for network in allowed):
        return True
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not any(address in network for network in _REFUSED)
    )


def _inner(address: Address) -> IPv4Address | None:
    """The IPv4 address to which packets for an IPv6 one go in the end, if that is how it is."""
    if isinstance(address, IPv4Address):
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _TRANSLATED or (address in _COMPATIBLE and int(address) > 1):
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    if address.teredo is not None:
        return address.teredo[1]
    return address.sixtofour


class Addresses:
    """Looks up where hosts are, as far as tenants may have the service connect to them."""

    def __init__(self, allowed: Iterable[Network]) -> None:
        self._allowed = tuple(allowed)
        # A name server that never answers keeps a thread for long: one that others wait for.
        self._lookups = ThreadPoolExecutor(LOOKUPS_AT_ONCE_MAX, "lookup")

    async def find(self, host: str, port: int) -> list[str]:
        """The numbers of a host that may be reached, in the order in which they were found.

        Raises ForbiddenAddressError if none may be reached, OSError for an unknown name, and
        ValueError for a host that no name server can be asked about.
        """
        look_up = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        found = await asyncio.get_running_loop().run_in_executor(self._lookups, look_up)
        judged = [
            str(each)
            for each in dict.fromkeys(ip_address(place[0]) for *_, place in found)
            if may_be_reached(each, self._allowed)
        ]
        if not judged:
            raise ForbiddenAddressError("the address is not allowed")
        return judged[:ADDRESSES_MAX]

    def close(self) -> None:
        """Look up no more names."""
        self._lookups.shutdown(wait=False, cancel_futures=True)


class JudgedNetwork(httpcore.AsyncNetworkBackend):
    """The network of an HTTP client, as far as tenants may have the service connect to it."""

    def __init__(
        self, allowed: Iterable[Network], network: httpcore.AsyncNetworkBackend | None = None
    ) -> None:
        self._addresses = Addresses(allowed)
        self._network = network or httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the interface is the library's
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address of a host that may be reached and accepts.

        Raises what ``Addresses.find`` raises, and what the last attempt raised.
        """
        addresses = await self._addresses.find(host, port)
        for address in addresses[:-1]:
            try:
                return await self._network.connect_tcp(
                    address,
                    port,
                    _shorter(timeout, ADDRESS_SECONDS_MAX),
                    local_address,
                    socket_options,
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await self._network.connect_tcp(
            addresses[-1], port, timeout, local_address, socket_options
        )

    def close(self) -> None:
        """Look up no more names."""
        self._addresses.close()

    async def sleep(self, seconds: float) -> None:
        """Wait between attempts, as the library asks for it."""
        await self._network.sleep(seconds)


def _shorter(first: float | None, second: float) -> float:
    return second if first is None else min(first, second)
