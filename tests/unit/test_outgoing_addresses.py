"""Which addresses the service may connect to, and that it connects to no other."""

from __future__ import annotations

import asyncio
import socket
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any

import httpcore
import pytest

from benefit_programs.config import OUTGOING_NETWORKS_MAX, WrongSetting, read_settings
from benefit_programs.outgoing.addresses import (
    ADDRESSES_MAX,
    ForbiddenAddressError,
    JudgedNetwork,
    may_be_reached,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from benefit_programs.outgoing.addresses import Network

LOOPBACK = (ip_network("127.0.0.0/8"),)


@pytest.mark.parametrize(
    "text",
    [
        "0.0.0.0",
        "10.0.0.1",
        "100.64.0.1",
        "100.100.100.200",
        "127.0.0.1",
        "127.255.255.255",
        "168.63.129.16",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.192",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::10.0.0.1",
        "64:ff9b:1::1",
        "2001:0:1:1:0:0:80ff:fffe",
        "2001:db8::1",
        "2002:7f00:1::",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fec0::1",
        "ff02::1",
    ],
)
def test_special_addresses_are_refused(text: str) -> None:
    """Nothing that leads into a machine, its network or its cloud is public, in any notation."""
    assert not may_be_reached(ip_address(text))


@pytest.mark.parametrize(
    "text",
    [
        "1.1.1.1",
        "100.63.255.255",
        "100.128.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "::ffff:1.1.1.1",
        "64:ff9b::1.1.1.1",
        "2606:4700::1111",
    ],
)
def test_public_addresses_may_be_reached(text: str) -> None:
    """Public addresses need no permission, up to the edges of the networks that are not."""
    assert may_be_reached(ip_address(text))


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("10.1.2.255", True),
        ("10.1.3.0", False),
        ("10.1.1.255", False),
        ("::ffff:10.1.2.3", True),
        ("fd12::1", True),
        ("fd13::1", False),
        ("1.1.1.1", True),
    ],
)
def test_an_operator_allows_networks(text: str, *, allowed: bool) -> None:
    """What is in a network of the setting may be reached, beside all that is public."""
    networks = (ip_network("10.1.2.0/24"), ip_network("fd12::/16"))
    assert may_be_reached(ip_address(text), networks) is allowed


class Recording(httpcore.AsyncNetworkBackend):
    """A network that keeps which hosts it is told to connect to, and never gets there."""

    def __init__(self) -> None:
        self.hosts: list[str] = []

    async def connect_tcp(self, host: str, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:
        self.hosts.append(host)
        raise httpcore.ConnectError("nobody is there")


def connect(
    monkeypatch: pytest.MonkeyPatch, *found: str, allowed: Iterable[Network] = ()
) -> tuple[list[str], list[str], type[BaseException]]:
    """The names that were looked up, the hosts that were tried, and how it ended.

    A name system that is not ours says what is ``found``.
    """
    asked: list[str] = []
    network = Recording()

    async def run() -> type[BaseException]:
        def look_up(host: str, port: int, **_: Any) -> list[Any]:
            asked.append(host)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in found]

        monkeypatch.setattr(socket, "getaddrinfo", look_up)
        try:
            await JudgedNetwork(allowed, network).connect_tcp("receiver.example", 443)
        except (OSError, httpcore.ConnectError) as error:
            return type(error)
        raise AssertionError("nobody is there")

    ended = asyncio.run(run())
    return asked, network.hosts, ended


def test_connects_to_the_address_that_was_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name is looked up once, and the connection goes to the number that was found."""
    asked, tried, _ = connect(monkeypatch, "1.1.1.1")
    assert (asked, tried) == (["receiver.example"], ["1.1.1.1"])


def test_name_of_a_forbidden_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that means only forbidden addresses is connected to nowhere."""
    _, tried, ended = connect(monkeypatch, "169.254.169.254", "127.0.0.1")
    assert (tried, ended) == ([], ForbiddenAddressError)


def test_name_of_several_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of several addresses only those that may be reached are tried, each once, up to a limit."""
    public = [f"1.1.1.{each}" for each in range(ADDRESSES_MAX + 1)]
    _, tried, ended = connect(monkeypatch, "10.0.0.1", public[0], *public)
    assert (tried, ended) == (public[:ADDRESSES_MAX], httpcore.ConnectError)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "localhost"])
def test_every_way_to_write_an_address_is_judged(host: str) -> None:
    """However a URL writes an address of this machine, it is recognised."""
    with pytest.raises(ForbiddenAddressError):
        asyncio.run(JudgedNetwork((), Recording()).connect_tcp(host, 80))


def test_networks_are_a_setting() -> None:
    """The environment names networks with commas between; none is the default."""
    assert read_settings(environment={}).outgoing_networks == ()
    given = {"BENEFITS_OUTGOING_NETWORKS": "10.0.0.0/8, fd00::/8,192.0.2.7"}
    assert read_settings(environment=given).outgoing_networks == (
        ip_network("10.0.0.0/8"),
        ip_network("fd00::/8"),
        ip_network("192.0.2.7/32"),
    )


@pytest.mark.parametrize(
    "text",
    [
        "nowhere",
        "10.0.0.1/8",
        "10.0.0.0/33",
        ",",
        ",".join(["10.0.0.0/8"] * (OUTGOING_NETWORKS_MAX + 1)),
    ],
)
def test_networks_that_are_none(text: str) -> None:
    """What is no list of networks is refused at the start, with the setting's name."""
    with pytest.raises(WrongSetting, match="BENEFITS_OUTGOING_NETWORKS: must "):
        read_settings(environment={"BENEFITS_OUTGOING_NETWORKS": text})
