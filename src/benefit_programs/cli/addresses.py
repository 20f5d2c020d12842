"""Where the service listens, and where people and commands of the same machine reach it."""

from __future__ import annotations

_EVERYWHERE = {"://0.0.0.0:": "://127.0.0.1:", "://[::]:": "://[::1]:"}
"""Addresses that only listeners can use: browsers and some systems open nothing at them."""


def url_of(host: str, port: int) -> str:
    """The address of a host and port, as URLs write it."""
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{port}"


def reachable(url: str) -> str:
    """Where this machine reaches what listens at an address: at its own, if it listens at all."""
    for every, own in _EVERYWHERE.items():
        url = url.replace(every, own, 1)
    return url
