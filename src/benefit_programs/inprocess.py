"""The service inside the caller's process: the client's calls go straight to the application.

It is the whole service with all its rules, without a socket and without keys. The caller acts for
the first tenant of the database, as an administrator. A SQLite file that is open here can't
be served at the same time; a PostgreSQL database can.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import re
import threading
import time
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any, NamedTuple, TypeVar
from urllib.parse import unquote

import msgspec
import structlog

from benefit_programs.api.app import create_app
from benefit_programs.api.authentication import Authenticator, Principal, principal_with
from benefit_programs.api.errors import error_body, refusal_of
from benefit_programs.api.handlers.webhooks import require_valid
from benefit_programs.api.services import Services
from benefit_programs.bootstrap import Application, open_service, owner_grants
from benefit_programs.client.core.calls import Request, Response
from benefit_programs.client.core.failures import error_of
from benefit_programs.client.core.wire import reads
from benefit_programs.client.errors import (
    ConnectionFailed,
    DatabaseNotUsable,
    TimedOut,
    WrongArgument,
)
from benefit_programs.client.types.events import DomainEvent, EventReceiver
from benefit_programs.config import (
    POSTGRES_URLS,
    SQLITE_URL,
    LogFormat,
    Settings,
    read_variables,
)
from benefit_programs.delivery.courier import REQUESTS_AT_ONCE_MAX
from benefit_programs.delivery.sending import Message
from benefit_programs.domain.audit_rows import Actor, PrincipalKind, Who
from benefit_programs.domain.errors import Refusal
from benefit_programs.domain.store import StoreTimeout, StoreUnavailable
from benefit_programs.domain.webhooks.endpoints import RegisterFunction
from benefit_programs.domain.webhooks.rows import IN_PROCESS
from benefit_programs.engine.engine import QueueFull, read_clock
from benefit_programs.storage.directory import Directory
from benefit_programs.storage.schema import SchemaError
from benefit_programs.storage.sqlite import FileInUse
from benefit_programs.wire.codec import decoder_for
from benefit_programs.wire.types.webhooks import NewWebhookEndpoint

T = TypeVar("T")

KEY_ID = "in-process"
_NOT_USABLE = (FileInUse, SchemaError, StoreUnavailable, StoreTimeout, OSError)
OWN_HOST = ("in-process", 0)
FUNCTION_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")


class _Service(NamedTuple):
    """What is open: the application, and what it works with."""

    application: Application
    services: Services


class AsyncInProcessTransport:
    """The service in the caller's own event loop; opened by the first call at the latest."""

    def __init__(self, database: str, *, sandbox: bool = False) -> None:
        self._sandbox = sandbox
        self._settings = Settings(
            database_url=_url_of(database),
            log_format=LogFormat.JSON,
            **read_variables("outgoing_networks", "postgres_pooler", "secret_key"),
        )
        self._service: asyncio.Task[None] | None = None
        self._opened: asyncio.Future[_Service] | None = None
        self._functions: dict[str, _Function] = {}
        self._stop = asyncio.Event()

    async def start(self) -> None:
        """Open the database. Raises DatabaseNotUsable."""
        await self._open()

    async def send(self, request: Request) -> Response:
        """Carry one request to the application. Raises ConnectionFailed once it is closed."""
        application, _ = await self._open()
        if request.timeout is None:
            return await _call(application, request)
        try:
            async with asyncio.timeout(request.timeout):
                return await _call(application, request)
        except TimeoutError:
            raise TimedOut(f"no answer after {request.timeout:g} seconds") from None

    async def on_events(
        self,
        name: str,
        receiver: EventReceiver,
        event_types: Sequence[str],
        namespaces: Sequence[str],
    ) -> str:
        """Give events to a function from now on; the id of its endpoint.

        Raises WrongArgument for a name, and what the client raises for a refusal.
        """
        if not FUNCTION_NAME.fullmatch(name):
            raise WrongArgument("a name has 1 to 100 letters, digits, dots, hyphens or underscores")
        if name in self._functions:
            raise WrongArgument(f"{name!r} has a function already")
        _, services = await self._open()
        self._functions[name] = _Function(name, receiver)
        try:
            return await _register(services, name, event_types, namespaces)
        except BaseException:
            self._functions.pop(name).close()
            raise

    async def aclose(self) -> None:
        """Finish what is under way, and close the database."""
        self._stop.set()
        if self._service is not None:
            await asyncio.wait({self._service})

    async def _open(self) -> _Service:
        if self._stop.is_set():
            raise ConnectionFailed("the client is closed", may_have_happened=False)
        if self._opened is None:
            self._opened = asyncio.get_running_loop().create_future()
            self._service = asyncio.create_task(self._serve(self._opened))
        if self._opened.done():
            return self._opened.result()
        # One caller who goes away must not take the service from the others.
        return await asyncio.shield(self._opened)

    async def _serve(self, opened: asyncio.Future[_Service]) -> None:
        """Hold the service open from its start to its end, in one task."""
        keep_quiet()
        try:
            async with open_service(
                self._settings,
                make_first_key=False,
                functions=self._functions,
                with_console=False,
            ) as running:
                services = replace(
                    running.services, authenticator=Owner(running.services.directory)
                )
                if self._sandbox:
                    await _require_sandbox(services.directory)
                opened.set_result(_Service(create_app(services), services))
                await self._stop.wait()
        except Exception as error:
            if opened.done():
                raise
            self._opened = None  # the next call tries again
            opened.set_exception(_opening_error(error))
        finally:
            for function in self._functions.values():
                function.close()


async def _require_sandbox(directory: Directory) -> None:
    """See to it that the owner's tenant is a sandbox. Raises DatabaseNotUsable."""
    tenant = await directory.ensure_default_tenant(is_sandbox=True)
    if not tenant.settings.is_sandbox:
        raise DatabaseNotUsable("its first tenant is no sandbox, and can't be made one")


class InProcessTransport:
    """The service in an event loop of its own, in a thread, for code that has none."""

    def __init__(self, database: str, *, sandbox: bool = False) -> None:
        self._inner = AsyncInProcessTransport(database, sandbox=sandbox)
        self._lock = threading.Lock()
        self._is_closed = False
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop
        self._closing: asyncio.Event

    def start(self) -> None:
        """Open the database. Raises DatabaseNotUsable."""
        self._run(self._inner.start())

    def send(self, request: Request) -> Response:
        """Carry one request to the application. Raises ConnectionFailed once it is closed."""
        return self._run(self._inner.send(request))

    def on_events(
        self,
        name: str,
        receiver: EventReceiver,
        event_types: Sequence[str],
        namespaces: Sequence[str],
    ) -> str:
        """Give events to a function from now on; the id of its endpoint."""
        return self._run(self._inner.on_events(name, receiver, event_types, namespaces))

    def close(self) -> None:
        """Close the database and end the thread; calls of other threads fail."""
        with self._lock:
            is_open, self._is_closed = not self._is_closed, True
        if is_open and self._thread is not None:
            self._loop.call_soon_threadsafe(self._closing.set)
            self._thread.join()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        with self._lock:
            if self._is_closed:
                work.close()
                raise ConnectionFailed("the client is closed", may_have_happened=False)
            self._ensure_thread()
            future: Future[T] = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except CancelledError:
            raise ConnectionFailed("the client was closed meanwhile") from None
        except BaseException:
            future.cancel()
            raise

    def _ensure_thread(self) -> None:
        if self._thread is None:
            started = threading.Event()
            self._thread = threading.Thread(
                target=lambda: asyncio.run(self._live(started)),
                name="benefit-programs",
                daemon=True,
            )
            self._thread.start()
            started.wait()

    async def _live(self, started: threading.Event) -> None:
        """Keep the loop until the end; what is still under way then is canceled with it."""
        self._loop = asyncio.get_running_loop()
        self._closing = asyncio.Event()
        started.set()
        await self._closing.wait()
        await self._inner.aclose()


_read_event = reads(DomainEvent)


class _Function:
    """A function that gets events. If it isn't async, it runs in threads of its own.

    It may call the client and wait, which must hold up neither the service nor other functions.
    """

    def __init__(self, name: str, receiver: EventReceiver) -> None:
        self._receiver = receiver
        self._is_async = inspect.iscoroutinefunction(receiver)
        self._threads = ThreadPoolExecutor(REQUESTS_AT_ONCE_MAX, f"benefit-programs-{name}")

    async def __call__(self, message: Message) -> None:
        """Let the function take an event. Raises what it raises."""
        event = _read_event(message.body)
        if self._is_async:
            answer = self._receiver(event)
        else:
            loop = asyncio.get_running_loop()
            answer = await loop.run_in_executor(self._threads, self._receiver, event)
        if inspect.isawaitable(answer):
            await answer

    def close(self) -> None:
        self._threads.shutdown(wait=False)


async def _register(
    services: Services, name: str, event_types: Sequence[str], namespaces: Sequence[str]
) -> str:
    """Have an endpoint for a function, new or as it was; its id."""
    url = f"{IN_PROCESS}{name}"
    document = {"url": url, "eventTypes": [*event_types], "namespaces": [*namespaces]}
    owner = await services.authenticator.authenticate(None, None)
    try:
        wanted = decoder_for(NewWebhookEndpoint).decode(document, ids=owner.settings.id_mode).value
        require_valid("", event_types=wanted.event_types)
        endpoint = await services.engine.execute(
            RegisterFunction(
                url=url,
                position=await services.reader.feed.settled(owner.tenant_id),
                event_types=wanted.event_types or (),
                namespaces=wanted.namespaces or (),
            ),
            tenant_id=owner.tenant_id,
            caller=owner.caller,
            settings=owner.settings,
            actor=Actor(owner.who, method="onEvents"),
        )
    except (Refusal, QueueFull, StoreTimeout, StoreUnavailable) as error:
        status, body = error_body(refusal_of(error))
        raise error_of(Response(status, {}, msgspec.json.encode(body))) from error
    return endpoint.id


_who = Who(PrincipalKind.IN_PROCESS)


def act_as(who: Who) -> None:
    """Say whom the audit names for what this process does from now on."""
    global _who  # noqa: PLW0603 - it is the process that acts
    _who = who


class Owner(Authenticator):
    """The owner of the database: the first tenant's administrator, without a key."""

    def __init__(
        self, directory: Directory, *, elapsed: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(directory, read_clock, elapsed=elapsed)
        self._grants = owner_grants()
        self._tenant_id: int | None = None

    async def authenticate(self, authorization: str | None, site_id: str | None) -> Principal:
        """The owner, whatever the headers say."""
        del authorization, site_id
        if self._tenant_id is None:
            self._tenant_id = (await self._directory.ensure_default_tenant()).id
        owner = await self._principals.get((KEY_ID, self._tenant_id))
        assert owner is not None, "the owner needs no key that could be gone"
        return owner

    async def _principal_of(self, which: tuple[str, int]) -> Principal:
        key_id, tenant_id = which
        tenant = await self._directory.tenant(tenant_id)
        return principal_with(tenant, key_id, self._grants, _who)


def keep_quiet() -> None:
    """Send the service's log to the ``benefit_programs`` logger, unless the process has a way."""
    if structlog.is_configured():
        return
    structlog.configure(
        processors=[
            structlog.stdlib.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(key_order=["event"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=lambda *_: logging.getLogger("benefit_programs"),
    )


def _opening_error(error: Exception) -> Exception:
    """What the caller gets for a failure to open; a mistake of ours stays what it is."""
    if not isinstance(error, _NOT_USABLE):
        return error
    unusable = DatabaseNotUsable(str(error))
    unusable.__cause__ = error
    return unusable


def _url_of(database: str) -> str:
    if database.startswith((*POSTGRES_URLS, SQLITE_URL)):
        return database
    return f"{SQLITE_URL}{database}"


async def _call(application: Application, request: Request) -> Response:
    """Call the application as a server would."""
    path, _, query = request.target.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.verb,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode("ascii"),
        "root_path": "",
        "query_string": query.encode("ascii"),
        "headers": [
            (name.encode(), value.encode("latin-1")) for name, value in request.headers.items()
        ],
        "client": OWN_HOST,
        "server": OWN_HOST,
    }
    exchange = _Messages(request.body or b"")
    await application(scope, exchange.receive, exchange.send)
    return exchange.response


class _Messages:
    """The two directions of one call."""

    def __init__(self, body: bytes) -> None:
        self._body: bytes | None = body
        self._status = 0
        self._headers: dict[str, str] = {}
        self._parts: list[bytes] = []

    async def receive(self) -> dict[str, Any]:
        """The whole body at once; after it nothing more comes."""
        if self._body is None:
            await asyncio.Event().wait()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(self, message: dict[str, Any]) -> None:
        """Take a part of the answer."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
            for name, value in message.get("headers", ()):
                self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")
        elif message["type"] == "http.response.body":
            self._parts.append(message.get("body", b""))

    @property
    def response(self) -> Response:
        """The answer. Raises ConnectionFailed if none was sent."""
        if not self._status:
            raise ConnectionFailed("the service gave no answer")
        return Response(self._status, self._headers, b"".join(self._parts))
