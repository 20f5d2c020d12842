"""The service as an ASGI application: the contract's methods, and beside them what isn't hot.

The methods are served by one small application that is driven by one table. What it doesn't know
goes to a Starlette application with the rest.
"""

from __future__ import annotations

import time
from asyncio import CancelledError
from collections.abc import Iterator
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlencode

import msgspec
import structlog

from benefit_programs.api.authentication import Principal, as_agent
from benefit_programs.api.call import Call
from benefit_programs.api.compression import COMPRESSED_BYTES_MIN, compressed
from benefit_programs.api.cors import CrossOrigin
from benefit_programs.api.errors import (
    RETRY_SECONDS,
    Forbidden,
    Unavailable,
    Unexpected,
    error_body,
    error_headers,
    refusal_of,
)
from benefit_programs.api.extended_fields import FieldRules
from benefit_programs.api.filters import with_filter_problems
from benefit_programs.api.messages import (
    JSON,
    AsgiScope,
    ClientGone,
    Receive,
    Send,
    accepts,
    header,
    headers_of,
    read_body,
    request_id_of,
    send_body,
)
from benefit_programs.api.method import Method
from benefit_programs.api.methods import METHODS
from benefit_programs.api.pages import create_pages
from benefit_programs.api.replicas import CONSISTENT_HEADER, ReplicaReads
from benefit_programs.api.routing import Routes
from benefit_programs.api.services import Services
from benefit_programs.api.streams import EVENT_STREAM, Stream, Streams
from benefit_programs.api.strictness import (
    ignored_beside_entries,
    ignored_fields,
    is_strict,
    strict_entries,
)
from benefit_programs.api.tables import CSV, CSV_UTF8, written
from benefit_programs.api.traces import describe, describe_answer
from benefit_programs.api.whereabouts import located
from benefit_programs.domain.errors import Invalid, NotFoundInNamespace
from benefit_programs.domain.settings import IdMode
from benefit_programs.domain.store import (
    StatementUnsupported,
    StoreConflict,
    StoreTimeout,
    StoreUnavailable,
)
from benefit_programs.tracing import Kind, nowhere, read_position, recorded
from benefit_programs.wire.codec import Bulk, Decoded, decoder_for, encoder_for, read_json

AGENT_HEADER = b"x-benefits-agent"
"""Says that an agent calls, for the audit. It gives no rights and takes none."""

_log = structlog.get_logger("benefit_programs.request")


class Endpoint:
    """One method of the contract, compiled: decode, handle, encode."""

    def __init__(self, method: Method) -> None:
        self.method = method
        self._decoder = decoder_for(method.request)
        self._encode = encoder_for(method.response)
        self._is_in_query = method.request_in == "query"
        self._is_bulk = method.bulk_field is not None
        self._extended_fields = FieldRules(method)

    def decode(
        self, body: bytes, query: str, parameters: dict[str, str], principal: Principal
    ) -> tuple[Decoded[Any] | None, Bulk[Any] | None]:
        """The request, or for a bulk method its entries. Raises Invalid."""
        ids = principal.settings.id_mode
        if self._is_in_query:
            pairs = [*parse_qsl(query, keep_blank_values=True), *parameters.items()]
            return self._decoder.decode_query_string(pairs, ids=ids), None
        if not (parameters or self._is_bulk):
            quick = self._decoder.decode_quickly(body, ids=ids)
            if quick is not None:
                self._extended_fields.check(quick, principal)
                return quick, None
        document = read_json(body)
        if parameters:
            try:
                document = self.method.merge_path(document, parameters)
            except Invalid as differing:
                raise self._with_all_else(differing, document, ids) from None
        if self._is_bulk:
            bulk = self._decoder.decode_entries(document, ids=ids, body=body)
            return None, self._extended_fields.check_entries(bulk, principal)
        try:
            decoded = self._decoder.decode(document, ids=ids)
        except Invalid as found:
            raise with_filter_problems(found, self.method, document, ids) from None
        self._extended_fields.check(decoded, principal)
        return decoded, None

    def decode_strictly(
        self, body: bytes, query: str, parameters: dict[str, str], principal: Principal
    ) -> tuple[Decoded[Any] | None, Bulk[Any] | None]:
        """The same of a request in which nothing may be ignored. Raises Invalid."""
        ignored = ignored_beside_entries(self.method, body, query)
        try:
            decoded, bulk = self.decode(body, query, parameters, principal)
        except Invalid as found:
            raise found.beside(Invalid(ignored_fields(self.method, body, query))) from None
        if ignored:
            everywhere = Invalid(ignored_fields(self.method, body, query))
            if self._is_in_query:
                raise everywhere
            document = read_json(body)
            raise with_filter_problems(
                everywhere, self.method, document, principal.settings.id_mode
            )
        return decoded, strict_entries(self.method, bulk, body) if bulk else None

    def _with_all_else(self, found: Invalid, document: object, ids: IdMode) -> Invalid:
        """A refusal with what is wrong with the request besides."""
        try:
            self._decoder.decode(document, ids=ids)
        except Invalid as besides:
            return found.beside(besides)
        return found

    async def answer(self, call: Call, *, as_table: bool = False) -> bytes:
        request = call.bulk.request if call.bulk else call.decoded.value  # type: ignore[union-attr]
        document = self._encode(await self.method.handler(call, request))
        self._extended_fields.hide(document, call.principal)
        if as_table and self.method.table is not None:
            return written(self.method.table(document))
        return msgspec.json.encode(document)


class Endpoints(dict[str, Endpoint]):
    """The methods by their names, each compiled when it is called first: most never are."""

    def __missing__(self, name: str) -> Endpoint:
        made = self[name] = Endpoint(METHODS[name])
        return made


class Application:
    """The whole service: methods first, pages after."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._throttle = services.throttle
        self._tenant_throttle = services.tenant_throttle
        self._turns = services.metrics.turns
        self._observe = services.metrics.observe_request
        self._replicas = (
            ReplicaReads(services.replicas, services.metrics.observe_replica)
            if services.replicas
            else None
        )
        self._tracer = services.tracer
        self._streams = Streams(services.authenticator)
        self._pages = create_pages(services)
        self._routes = Routes(METHODS.values())
        self._endpoints = Endpoints()
        self._log = _log.bind()
        self.cors_origins = services.cors_origins

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._pages(scope, receive, send)
            return
        path: str = scope["path"]
        if path.startswith(("/benefit-programs/", "/_api/", "/async-jobs/")):
            await self._serve(scope, receive, send)
            return
        if b"%" in scope["raw_path"]:
            # A proxy that hides a page knows it by its plain name alone.
            scope = {**scope, "path": scope["raw_path"].decode("latin-1")}
        await self._pages(scope, receive, send)

    async def _serve(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        record: dict[str, Any] = {"method": None, "tenant": None}
        if self._tracer is None:
            await self._respond(scope, receive, send, record)
            return
        verb = scope["method"]
        parent = read_position(header(scope, b"traceparent"), header(scope, b"tracestate"))
        with self._tracer.span(verb, Kind.SERVER, parent) as span:
            try:
                status = await self._respond(scope, receive, send, record)
            finally:
                if span is not None:
                    describe(span, record, verb)
            if span is not None and status is not None:
                describe_answer(span, status)

    async def _respond(
        self, scope: AsgiScope, receive: Receive, send: Send, record: dict[str, Any]
    ) -> int | None:
        """Answer a request; the status, or None where the caller has gone or a stream has ended."""
        started = time.perf_counter()
        request_id = request_id_of(scope)
        headers: dict[str, str] = {}
        stream: Stream | None = None
        body, media_type = b"", JSON
        try:
            status, call = 200, await self._admit(scope, receive, record, request_id)
            with call.turn:
                if call.method.follower is not None and accepts(scope, EVENT_STREAM):
                    stream = await self._streams.open(call, scope)
                elif call.method.table is not None and accepts(scope, CSV):
                    answer = await self._answer(call, scope, record, as_table=True)
                    media_type, body = CSV_UTF8, answer
                else:
                    body = await self._answer(call, scope, record)
        except ClientGone:
            return None
        except CancelledError:
            # The server stops and waits no longer; even so there is an answer.
            stopping = Unavailable(retry_after=RETRY_SECONDS)
            status, content = error_body(stopping)
            body, headers = msgspec.json.encode(content), error_headers(stopping)
            await send_body(send, status, body, request_id=request_id, headers=headers)
            raise
        except Exception as error:  # noqa: BLE001 - every answer has the contract's shape
            refusal = refusal_of(error)
            reason = _reason_of(error)
            if reason is not None:
                record["reason"] = reason
            elif isinstance(refusal, Unexpected):
                self._log.exception("failed", request_id=request_id, **record)
            status, content = error_body(refusal)
            headers = error_headers(refusal)
            body = msgspec.json.encode(content)
        if stream is not None:
            await self._stream(stream, receive, send, request_id)
            return None
        await self._say_position(status, record, headers)
        if len(body) >= COMPRESSED_BYTES_MIN:
            body = await compressed(scope, body, headers)
        await send_body(
            send, status, body, request_id=request_id, headers=headers, media_type=media_type
        )
        seconds = time.perf_counter() - started
        self._observe(record["method"], status, seconds)
        log = self._log
        tell = log.warning if status >= HTTPStatus.INTERNAL_SERVER_ERROR else log.info
        tell(
            "answered",
            request_id=request_id,
            status=status,
            milliseconds=round(seconds * 1000, 3),
            **record,
        )
        return status

    async def _stream(self, stream: Stream, receive: Receive, send: Send, request_id: str) -> None:
        """Answer as long as the caller listens; the request's span ends here, where that begins."""
        span = recorded()
        if span is not None:
            describe_answer(span, HTTPStatus.OK)
            span.end()
        with nowhere():
            await stream.run(receive, send, request_id=request_id)

    async def _say_position(
        self, status: int, record: dict[str, Any], headers: dict[str, str]
    ) -> None:
        """Say how far the primary is, where it has answered and replicas are asked too.

        Also beside a refusal: it may tell of what was written before. Who only asks too often is
        told nothing, and costs no question.
        """
        tells_nothing = (
            status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR
        )
        if self._replicas is None or tells_nothing:
            return
        if record["tenant"] is not None and "replica" not in record:
            method = METHODS[record["method"]]
            headers[CONSISTENT_HEADER] = await self._replicas.position(record["tenant"], method)

    async def _admit(
        self, scope: AsgiScope, receive: Receive, record: dict[str, Any], request_id: str
    ) -> Call:
        """The call that a request makes, if its key allows it, once it is its turn."""
        method, parameters = self._routes.find(scope["method"], scope["path"])
        record["method"] = method.name
        principal = await self._services.authenticator.authenticate(
            header(scope, b"authorization"), header(scope, b"wix-site-id")
        )
        if headers_of(scope).get(AGENT_HEADER):
            principal = as_agent(principal)
        record["tenant"] = principal.tenant_id
        await self._let_in(principal, method)
        body = await read_body(scope, receive, self._services.body_bytes_max)
        query = scope["query_string"].decode("latin-1")
        strict = is_strict(scope, principal.settings)
        return await self._open(
            principal, method, body, query, parameters, request_id=request_id, strict=strict
        )

    async def _let_in(self, principal: Principal, method: Method) -> None:
        """Count a call. Raises TooManyRequests, or Forbidden."""
        if self._throttle is not None:
            self._throttle.admit(principal.key_id)
        if self._tenant_throttle is not None:
            await self._tenant_throttle.admit(principal.tenant_id)
        if not principal.may_call(method):
            raise Forbidden

    async def _open(
        self,
        principal: Principal,
        method: Method,
        body: bytes,
        query: str,
        parameters: dict[str, str],
        *,
        request_id: str,
        strict: bool,
    ) -> Call:
        endpoint = self._endpoints[method.name]
        decode = endpoint.decode_strictly if strict else endpoint.decode
        turn = await self._turns.take(principal.tenant_id)
        try:
            decoded, bulk = decode(body, query, parameters, principal)
            clock = None
            if principal.settings.is_sandbox:
                clock = await self._services.reader.clock(principal.tenant_id)
        except BaseException:
            turn.give_back()
            raise
        return Call(
            self._services,
            principal,
            method,
            turn,
            decoded,
            bulk,
            clock,
            request_id=request_id,
        )

    async def call(
        self, principal: Principal, name: str, request: dict[str, Any], *, request_id: str
    ) -> Any:
        """Answer a method within the process: the same rights, limits, rules and JSON as over HTTP.

        The request is read strictly. Raises Refusal, or what ``refusal_of`` makes one of.
        """
        if self._tracer is None:
            return await self._call(principal, name, request, request_id)
        with self._tracer.step_or_span(name) as span:
            if span is not None:
                describe(span, {"method": name, "tenant": principal.tenant_id})
            return await self._call(principal, name, request, request_id)

    async def _call(
        self, principal: Principal, name: str, request: dict[str, Any], request_id: str
    ) -> Any:
        method = METHODS[name]
        await self._let_in(principal, method)
        body, query = msgspec.json.encode(request), ""
        if method.request_in == "query":
            body, query = b"", urlencode(list(parameters_of(request)))
        call = await self._open(
            principal, method, body, query, {}, request_id=request_id, strict=True
        )
        with call.turn:
            return msgspec.json.decode(await self._answer_here(call, as_table=False))

    async def _answer(
        self, call: Call, scope: AsgiScope, record: dict[str, Any], *, as_table: bool = False
    ) -> bytes:
        if self._replicas is not None:
            position = header(scope, CONSISTENT_HEADER.encode())
            answer = partial(self._answer_here, as_table=as_table)
            body = await self._replicas.answer(call, position, answer, record)
            if body is not None:
                return body
        return await self._answer_here(call, as_table=as_table)

    async def _answer_here(self, call: Call, *, as_table: bool) -> bytes:
        try:
            return await self._endpoints[call.method.name].answer(call, as_table=as_table)
        except NotFoundInNamespace as refusal:
            raise await located(call, refusal) from None


def _reason_of(error: Exception) -> str | None:
    """Why the database wasn't there, for the log alone: it has nothing of the request."""
    if isinstance(error, StoreConflict):
        # Its own words may repeat a key.
        return "the rows that it needs kept changing"
    is_told = isinstance(error, StatementUnsupported | StoreTimeout | StoreUnavailable)
    return str(error) if is_told else None


def parameters_of(request: dict[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """A document as the parameters of a query string, with dots in the names of inner fields."""
    for name, value in request.items():
        if isinstance(value, dict):
            yield from parameters_of(value, f"{path}{name}.")
        elif value is not None:
            for each in value if isinstance(value, list) else [value]:
                yield f"{path}{name}", each if isinstance(each, str) else json_text(each)


def json_text(value: object) -> str:
    return msgspec.json.encode(value).decode()


def create_app(services: Services) -> Application | CrossOrigin:
    return across_origins(Application(services))


def across_origins(application: Application) -> Application | CrossOrigin:
    """The application for browsers on other sites too, if the settings name any."""
    origins = application.cors_origins
    return CrossOrigin(application, origins) if origins else application
