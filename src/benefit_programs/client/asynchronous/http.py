"""The service over HTTP."""

from __future__ import annotations

import httpx

from benefit_programs.client.core.calls import Request, Response
from benefit_programs.client.core.http import failure_of, limits, origin_of, response_of
from benefit_programs.client.errors import WrongArgument


class AsyncHttpTransport:
    """Connections to one address. The caller closes a client that it has passed."""

    def __init__(self, base_url: str, client: httpx.AsyncClient | None = None) -> None:
        self._origin = origin_of(base_url)
        self._owned = client is None
        self._client = client or httpx.AsyncClient(limits=limits())

    async def start(self) -> None:
        """Do nothing: a connection is opened when it is needed."""

    async def send(self, request: Request) -> Response:
        """Carry one request. Raises ConnectionFailed, or WrongArgument if its id is too long."""
        try:
            response = await self._client.request(
                request.verb,
                self._origin + request.target,
                headers=request.headers,
                content=request.body,
                timeout=request.timeout,
            )
        except httpx.InvalidURL as error:
            raise WrongArgument(f"the address of the request can't be sent: {error}") from None
        except httpx.RequestError as error:
            raise failure_of(error) from error
        return response_of(response)

    async def aclose(self) -> None:
        if self._owned:
            await self._client.aclose()
