"""The HTTP client for URLs that tenants choose."""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpcore
import httpx

from benefit_programs.outgoing.addresses import JudgedNetwork, Network

KEEP_ALIVE_SECONDS = 5.0
"""How long a connection waits for the next request."""


def open_client(allowed: Iterable[Network] = (), *, connections_max: int) -> httpx.AsyncClient:
    """A client, which the caller closes.

    It connects to public addresses and to the ``allowed`` networks. It obeys no proxy settings and
    reads no stored passwords of the machine, keeps no cookies and follows no redirects. The caller
    keeps the time.
    """
    return httpx.AsyncClient(
        transport=_Transport(allowed, connections_max=connections_max),
        timeout=None,  # noqa: S113 - the caller keeps the time, for all that a request takes
        follow_redirects=False,
        trust_env=False,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
    )


class _Transport(httpx.AsyncHTTPTransport):
    """Connections that only go to addresses that may be reached."""

    def __init__(self, allowed: Iterable[Network], *, connections_max: int) -> None:
        tls: ssl.SSLContext = httpx.create_ssl_context(trust_env=False)
        super().__init__(verify=tls, trust_env=False)
        self._network = JudgedNetwork(allowed)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls,
            max_connections=connections_max,
            keepalive_expiry=KEEP_ALIVE_SECONDS,
            network_backend=self._network,
        )

    async def aclose(self) -> None:
        await super().aclose()
        self._network.close()
