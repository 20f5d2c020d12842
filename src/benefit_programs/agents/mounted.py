"""The server for agents at /mcp of a service, for whoever has an API key."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import structlog
from mcp.server import ServerRequestContext
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

from benefit_programs.agents.calling import Refused
from benefit_programs.agents.caps import Caps
from benefit_programs.agents.server import create_server
from benefit_programs.api.app import Application as Api
from benefit_programs.api.authentication import Authenticator, Principal, as_agent
from benefit_programs.api.errors import (
    Forbidden,
    MethodNotAllowed,
    Unauthenticated,
    Unexpected,
    error_body,
    error_headers,
    refusal_of,
)
from benefit_programs.api.messages import (
    AsgiScope,
    Message,
    Receive,
    Send,
    authority_of,
    header,
    request_id_of,
    send_body,
)
from benefit_programs.api.methods import METHODS
from benefit_programs.api.throttling import Throttle

_PRINCIPAL = "benefits.agent"
_REQUEST_ID = "benefits.request-id"

_log = structlog.get_logger("benefit_programs.agents")


TakeChange = Callable[[int, str, int], Awaitable[bool]]
"""Counts a change of a tenant's key, of which there may be so many within an hour."""

TOOL_NAME_LENGTH_MAX = 64
"""How much of the name of a tool is logged: who calls one that isn't there may call it anything."""


class InProcess:
    """The methods of the service in this process, with the rights of a key."""

    def __init__(
        self, api: Api, principal: Principal, request_id: str, take_change: TakeChange
    ) -> None:
        self._api = api
        self._principal = principal
        self._request_id = request_id
        self._take_change = take_change

    def may_call(self, name: str) -> bool:
        return self._principal.may_call(METHODS[name])

    async def call(self, name: str, request: dict[str, Any]) -> Any:
        try:
            return await self._api.call(self._principal, name, request, request_id=self._request_id)
        except Exception as error:  # noqa: BLE001 - every failure has an answer
            raise self._refused(name, error) from None

    async def take_change(self, per_hour: int) -> bool:
        principal = self._principal
        try:
            return await self._take_change(principal.tenant_id, principal.key_id, per_hour)
        except Exception as error:  # noqa: BLE001 - every failure has an answer
            raise self._refused("take_change", error) from None

    def note_refusal(self, tool: str, refused: Refused) -> None:
        _log.info(
            "refused",
            tool=tool[:TOOL_NAME_LENGTH_MAX],
            reason=refused.code,
            status=refused.status,
            tenant=self._principal.tenant_id,
            key=self._principal.key_id,
            request_id=self._request_id,
        )

    def _refused(self, name: str, error: Exception) -> Refused:
        refusal = refusal_of(error)
        if isinstance(refusal, Unexpected):
            _log.error("failed", method=name, request_id=self._request_id, exc_info=error)
        return _refused(*error_body(refusal))


def _refused(status: int, body: dict[str, Any]) -> Refused:
    details = body["details"]
    application_error = details.get("applicationError")
    if application_error is None:
        return Refused(
            "VALIDATION_ERROR", body["message"], status=status, data=details["validationError"]
        )
    return Refused(
        application_error["code"],
        application_error["description"],
        status=status,
        data=application_error["data"],
    )


class AgentsEndpoint:
    """Answers requests of the Model Context Protocol. Each brings its key; no session is kept."""

    def __init__(
        self,
        api: Api,
        authenticator: Authenticator,
        caps: Caps,
        take_change: TakeChange,
        *,
        may_change: bool,
        throttle: Throttle[str] | None,
        body_bytes_max: int,
        elapsed: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._api = api
        self._authenticator = authenticator
        self._take_change = take_change
        self._throttle = throttle
        self._elapsed = elapsed
        self._sessions = StreamableHTTPSessionManager(
            create_server(self._methods_of, caps, may_change=may_change),
            json_response=True,
            stateless=True,
            max_request_body_size=body_bytes_max,
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[AgentsEndpoint]:
        async with self._sessions.run():
            yield self

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        started, request_id = self._elapsed(), request_id_of(scope)
        record: dict[str, Any] = {"request_id": request_id, "tenant": None, "key": None}

        async def send_named(message: Message) -> None:
            if message["type"] == "http.response.start":
                record["status"] = message["status"]
                named = (b"x-request-id", request_id.encode("latin-1"))
                message = {**message, "headers": [*message.get("headers", ()), named]}
            await send(message)

        try:
            principal = await self._admitted(scope)
        except Exception as error:  # noqa: BLE001 - every answer has the contract's shape
            record["status"] = await _refuse(send, refusal_of(error), request_id)
            self._tell(started, record)
            return
        record |= {"tenant": principal.tenant_id, "key": principal.key_id}
        scope = {**scope, _PRINCIPAL: principal, _REQUEST_ID: request_id}
        await self._sessions.handle_request(scope, receive, send_named)
        self._tell(started, record)

    def _tell(self, started: float, record: dict[str, Any]) -> None:
        milliseconds = round((self._elapsed() - started) * 1000, 3)
        _log.info("answered", milliseconds=milliseconds, **record)

    async def _admitted(self, scope: AsgiScope) -> Principal:
        """Whose key a request has.

        Raises Unauthenticated, Forbidden, MethodNotAllowed or TooManyRequests.
        """
        if scope["method"] != "POST":
            raise MethodNotAllowed(allowed=("POST",))
        origin = header(scope, b"origin")
        if origin is not None and authority_of(origin) != header(scope, b"host"):
            # Pages of other sites have no business here, with or without a key.
            raise Forbidden
        principal = await self._authenticator.authenticate(
            header(scope, b"authorization"), header(scope, b"wix-site-id")
        )
        if self._throttle is not None:
            # What calls no method counts too, such as a list of tools.
            self._throttle.admit(principal.key_id)
        return as_agent(principal)

    def _methods_of(self, context: ServerRequestContext[Any, Any]) -> InProcess:
        assert context.request is not None, "this transport has a request for each call"
        scope = context.request.scope
        return InProcess(self._api, scope[_PRINCIPAL], scope[_REQUEST_ID], self._take_change)


async def _refuse(send: Send, refusal: Any, request_id: str) -> int:
    status, content = error_body(refusal)
    headers = error_headers(refusal)
    if isinstance(refusal, Unauthenticated):
        headers = {**headers, "www-authenticate": "Bearer"}
    body = msgspec.json.encode(content)
    await send_body(send, status, body, request_id=request_id, headers=headers)
    return status
