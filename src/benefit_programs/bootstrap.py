"""The only wiring: from settings to a running service, and back to nothing."""

from __future__ import annotations

import asyncio
import gc
import logging
import multiprocessing
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, cast
from uuid import uuid4

import msgspec
import structlog

from benefit_programs.api.app import Application as Api
from benefit_programs.api.app import across_origins
from benefit_programs.api.authentication import Authenticator
from benefit_programs.api.method import Scope
from benefit_programs.api.metrics import Metrics, values_size
from benefit_programs.api.pages import create_watched_pages
from benefit_programs.api.probing import Probe
from benefit_programs.api.roles import grants_of
from benefit_programs.api.services import Services
from benefit_programs.api.throttling import (
    OwnThrottle,
    SharedThrottle,
    TenantThrottle,
    Throttle,
)
from benefit_programs.api.values import SharedValues, Values
from benefit_programs.config import (
    Agents,
    LogFormat,
    Settings,
    WrongSetting,
    unknown_variables,
)
from benefit_programs.delivery.relay import Relay
from benefit_programs.delivery.sending import Function, Sender
from benefit_programs.domain.audit_rows import SERVICE, Actor
from benefit_programs.domain.directory import Role
from benefit_programs.domain.values import Identity, IdentityType, Instant
from benefit_programs.encryption import SecretKeys, key_file_of
from benefit_programs.engine.engine import Engine, read_clock
from benefit_programs.jobs.runner import JobRunner
from benefit_programs.log_stream import DeferredStream
from benefit_programs.outgoing.posting import Outgoing
from benefit_programs.providers.asking import PolicyProviders
from benefit_programs.providers.people import PeopleProviders
from benefit_programs.providers.room import Room
from benefit_programs.storage.allowances import take_requests
from benefit_programs.storage.console import ConsoleDirectory
from benefit_programs.storage.console_forms import ConsoleForms
from benefit_programs.storage.directory import (
    CONSOLE_SECRET,
    CURSOR_SECRET,
    Directory,
    DirectoryStore,
    Grants,
)
from benefit_programs.storage.postgres import CONNECTIONS_MAX, PostgresStore
from benefit_programs.storage.reader import Reader
from benefit_programs.storage.replicas import Replicas
from benefit_programs.storage.schema import (
    SchemaError,
    current_revision,
    migrate,
    require_current_schema,
)
from benefit_programs.storage.sqlite import SqliteStore
from benefit_programs.telemetry.variables import read_variables
from benefit_programs.tracing import current

if TYPE_CHECKING:
    from benefit_programs.telemetry.exporting import Exports

ENGINE_SECONDS_MAX = 1.5
"""How long a stop waits for commands whose callers are gone already."""

Application = Callable[[Any, Any, Any], Awaitable[None]]


@dataclass(frozen=True)
class Running:
    """A service that is ready for requests."""

    application: Application
    services: Services
    runner: JobRunner
    relay: Relay
    first_secret: str | None
    """The first key, if this start has made it; it is known here and never again."""
    first_invitation: str | None
    """The secret of the first link to the console, if this start has made it."""
    watch: asyncio.Task[None] | None
    """Ends when the database is lost for good, which happens to a SQLite file alone."""


@asynccontextmanager
async def open_service(
    settings: Settings,
    *,
    make_first_key: bool = True,
    clock: Callable[[], Instant] = read_clock,
    functions: Mapping[str, Function] | None = None,
    values: Values | None = None,
    with_console: bool = True,
    with_telemetry: bool = False,
) -> AsyncIterator[Running]:
    """Open the database, make what a first start needs, and close everything at the end.

    ``clock`` tells the time, ``functions`` get events here, ``values`` are all processes' metrics;
    without a console there are no pages, and no agents. With telemetry, a collector is told of what
    goes on, if OpenTelemetry's variables name one.

    A SQLite file is claimed, then made or brought to the newest schema; a PostgreSQL database must
    have been prepared. Raises FileInUse, SchemaError, StoreUnavailable, StoreTimeout or OSError.
    """
    async with AsyncExitStack() as stack:
        exports = _export(stack) if with_telemetry else None
        tracer = None if exports is None else exports.tracer
        store = await _open_store(settings)
        stack.push_async_callback(store.close)
        directory = Directory(store, clock=clock)
        users = ConsoleDirectory(store, clock=clock)
        secrets = await _first_secrets(directory, users, settings) if make_first_key else NO_SECRETS
        engine = Engine(store, clock=clock)
        stack.push_async_callback(_close_engine, engine)
        metrics = _measure(engine, store, values)
        room = await stack.enter_async_context(aclosing(Room(allowed=settings.outgoing_networks)))
        reader = Reader(store, await directory.ensure_secret(CURSOR_SECRET))
        outgoing = Outgoing(allowed=settings.outgoing_networks)
        stack.push_async_callback(outgoing.close)
        secret_keys = _secret_keys(settings)
        functions = {} if functions is None else functions  # an empty one may be filled later
        sender = Sender(outgoing, secret_keys, clock, functions, tracer=tracer)
        services = Services(
            engine=engine,
            reader=reader,
            directory=directory,
            console_users=users,
            authenticator=Authenticator(directory, clock),
            providers=PolicyProviders(room),
            people_providers=PeopleProviders(room),
            sender=sender,
            secret_keys=secret_keys,
            metrics=metrics,
            readiness=Probe(store.probe),
            body_bytes_max=settings.body_bytes_max,
            throttle=_throttle(settings),
            tenant_throttle=_tenant_throttle(settings, store, stack),
            cors_origins=settings.cors_origins,
            replicas=await stack.enter_async_context(_follow(settings, store, reader)),
            tracer=tracer,
            alone=settings.is_sqlite,
        )
        if exports is not None:
            await stack.enter_async_context(exports.following(metrics.own_families))
        runner, relay = _background(services, store, functions, stack)
        if settings.run_jobs:
            runner.start()
            relay.start()
        watch = stack.enter_context(_watching(store)) if isinstance(store, SqliteStore) else None
        api = Api(services)
        application: Application = across_origins(api)
        if with_console:
            application = await _front(api, services, store, settings, clock, stack)
        yield Running(application, services, runner, relay, *secrets, watch)


def load_service() -> None:
    """Load what a service with its console needs, so that forks of this process share it."""
    import benefit_programs.console.application  # noqa: PLC0415 - as ``_front`` says
    import benefit_programs.console.gate  # noqa: F401, PLC0415


def _measure(engine: Engine, store: SqliteStore | PostgresStore, values: Values | None) -> Metrics:
    """What this process measures, and the turns of its tenants, which hear of a file's flushes."""
    metrics = Metrics(engine, store, values=values)
    if isinstance(store, SqliteStore):
        store.on_flush = metrics.turns.note_flush
    return metrics


def _background(
    services: Services,
    store: SqliteStore | PostgresStore,
    functions: Mapping[str, Function],
    stack: AsyncExitStack,
) -> tuple[JobRunner, Relay]:
    """What does jobs and delivers events, not yet at work."""
    engine, directory = services.engine, services.directory
    runner = JobRunner(engine, store, directory, alone=services.alone, tracer=services.tracer)
    runner.on_end = services.metrics.count_job
    stack.push_async_callback(runner.close)
    relay = Relay(
        engine,
        store,
        services.reader,
        directory,
        services.sender,
        functions=functions,
        alone=services.alone,
        observe=services.metrics.observe_delivery,
    )
    stack.push_async_callback(relay.close)
    return runner, relay


async def _front(
    api: Api,
    services: Services,
    store: DirectoryStore,
    settings: Settings,
    clock: Callable[[], Instant],
    stack: AsyncExitStack,
) -> Application:
    """The API, and the console and the server for agents, which call the API's methods."""
    # Only here: commands and services inside other processes have no use for what it loads.
    from benefit_programs.console.application import Console, Front  # noqa: PLC0415
    from benefit_programs.console.gate import Gate  # noqa: PLC0415

    users, proxies = services.console_users, settings.console_trusted_proxies
    gate = Gate(users, services.directory, clock=clock, trusted_proxies=proxies)
    console = Console(
        api.call,
        gate,
        forms=ConsoleForms(store, clock=clock),
        clock_of=services.reader.clock,
        flash_secret=await services.directory.ensure_secret(CONSOLE_SECRET),
        body_bytes_max=services.body_bytes_max,
    )
    return Front(console, across_origins(api), await _agents(api, services, settings, stack))


async def _agents(
    api: Api, services: Services, settings: Settings, stack: AsyncExitStack
) -> Application | None:
    """The server for agents, if the settings switch it on. Raises WrongSetting."""
    if settings.agents is Agents.OFF:
        return None
    # Only here: nobody needs what it loads, or has to install it, who has no agents.
    try:
        from benefit_programs.agents.mounted import AgentsEndpoint  # noqa: PLC0415
    except ModuleNotFoundError as missing:
        raise WrongSetting(
            f"agents: {missing.name} isn't installed: pip install 'benefit-programs[agents]'"
        ) from None
    from benefit_programs.agents.caps import Caps  # noqa: PLC0415

    caps = Caps(
        credits_max=settings.agent_credits_max, changes_per_hour=settings.agent_changes_per_hour
    )
    endpoint = AgentsEndpoint(
        api,
        services.authenticator,
        caps,
        may_change=settings.agents is Agents.CHANGE,
        throttle=services.throttle,
        body_bytes_max=services.body_bytes_max,
    )
    return await stack.enter_async_context(endpoint.running())


def _export(stack: AsyncExitStack) -> Exports | None:
    """What tells a collector, if OpenTelemetry's variables name one and the extra is installed."""
    wanted = read_variables(os.environ)
    if wanted is None:
        return None
    # Only here: nobody needs what it loads, or has to install it, who has no collector.
    try:
        from benefit_programs.telemetry.exporting import Exports  # noqa: PLC0415
    except ModuleNotFoundError as missing:
        structlog.get_logger().warning(
            "telemetry isn't exported: pip install 'benefit-programs[otel]'", missing=missing.name
        )
        return None
    exports = Exports(wanted)
    stack.push_async_callback(exports.close)
    return exports


@asynccontextmanager
async def open_console_users(
    settings: Settings, *, actor: Actor = SERVICE
) -> AsyncIterator[ConsoleDirectory]:
    """The users of the console for a short command, beside a server that may be running.

    ``actor`` is whom the audit names. Raises what ``open_database`` raises.
    """
    async with open_database(settings) as store:
        await Directory(store, clock=read_clock).ensure_default_tenant()
        yield ConsoleDirectory(store, clock=read_clock, actor=actor)


@asynccontextmanager
async def open_worker(settings: Settings) -> AsyncIterator[Application]:
    """A process that does jobs and delivers events, beside the servers of a PostgreSQL database.

    The application tells how it is. Raises SchemaError, StoreUnavailable or StoreTimeout.
    """
    async with AsyncExitStack() as stack:
        exports = _export(stack)
        tracer = None if exports is None else exports.tracer
        store = await _open_store(settings)
        stack.push_async_callback(store.close)
        engine = Engine(store)
        stack.push_async_callback(_close_engine, engine)
        metrics = Metrics(engine, store)
        if exports is not None:
            await stack.enter_async_context(exports.following(metrics.own_families))
        directory = Directory(store, clock=read_clock)
        runner = JobRunner(engine, store, directory, tracer=tracer)
        runner.on_end = metrics.count_job
        stack.push_async_callback(runner.close)
        runner.start()
        outgoing = Outgoing(allowed=settings.outgoing_networks)
        stack.push_async_callback(outgoing.close)
        sender = Sender(outgoing, _secret_keys(settings), read_clock, {}, tracer=tracer)
        reader = Reader(store, await directory.ensure_secret(CURSOR_SECRET))
        relay = Relay(
            engine,
            store,
            reader,
            directory,
            sender,
            functions={},
            alone=False,
            observe=metrics.observe_delivery,
        )
        stack.push_async_callback(relay.close)
        relay.start()
        yield create_watched_pages(metrics, Probe(store.probe))


@asynccontextmanager
async def open_engine(
    settings: Settings,
) -> AsyncIterator[tuple[Engine, SqliteStore | PostgresStore]]:
    """An engine without a service, for a command that writes much, and its store.

    A SQLite file is claimed, as a server does. Raises FileInUse, SchemaError if the database isn't
    there or has another schema, StoreUnavailable or StoreTimeout.
    """
    await require_file(settings)
    async with AsyncExitStack() as stack:
        store: SqliteStore | PostgresStore
        if settings.is_sqlite:
            store = await _checked(SqliteStore(settings.sqlite_path))
        else:
            store = await _checked(await open_postgres(settings))
        stack.push_async_callback(store.close)
        engine = Engine(store)
        stack.push_async_callback(_close_engine, engine)
        yield engine, store


@asynccontextmanager
async def open_database(settings: Settings) -> AsyncIterator[SqliteStore | PostgresStore]:
    """The database for a short command, beside a server that may be running.

    Raises SchemaError if it isn't there or has another schema, StoreUnavailable, StoreTimeout.
    """
    await require_file(settings)
    store: SqliteStore | PostgresStore
    if settings.is_sqlite:
        store = SqliteStore(settings.sqlite_path, serve=False)
    else:
        store = await open_postgres(settings, connections_max=1)
    try:
        await require_current_schema(store)
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def open_directory(settings: Settings, *, actor: Actor = SERVICE) -> AsyncIterator[Directory]:
    """The directory for a short command, beside a server that may be running.

    ``actor`` is whom the audit names. Raises what ``open_database`` raises.
    """
    async with open_database(settings) as store:
        directory = Directory(store, clock=read_clock, actor=actor)
        await directory.ensure_default_tenant()
        yield directory


def administrator_grants() -> Grants:
    """What the first key of a database allows: everything in its tenant."""
    return grants_of(Role.OPERATOR, Identity(IdentityType.WIX_USER, str(uuid4())))


def owner_grants() -> Grants:
    """What those may do who have the database in hand: everything, also make tenants."""
    grants = administrator_grants()
    return msgspec.structs.replace(grants, scopes=(*grants.scopes, str(Scope.INSTALLATION)))


class WorkerApplication:
    """The application of one of several processes, which opens its service as it starts.

    The folder is where they all keep the values of their metrics. ``lifeline`` is a pipe of
    which only the parent keeps the second end open: the first one ends when the parent does.
    """

    def __init__(self, settings: Settings, folder: Path, lifeline: tuple[int, int] | None) -> None:
        config_logging(settings.log_format)
        self._settings = settings
        self._folder = folder
        self._parent: int | None = None
        if lifeline is not None:
            self._parent, end_of_parent = lifeline
            os.close(end_of_parent)
        self._stack = AsyncExitStack()
        self._application: Application | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            assert self._application is not None, "requests come after the start"
            await self._application(scope, receive, send)

    async def _live(self, receive: Any, send: Any) -> None:
        await receive()
        try:
            values = SharedValues(self._folder, values_size())
            service = open_service(self._settings, values=values, with_telemetry=True)
            running = await self._stack.enter_async_context(service)
        except Exception as error:  # noqa: BLE001 - the server gets it, and ends the process
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        self._application = running.application
        refreshing = asyncio.create_task(running.services.metrics.refresh_often())
        _end_with_parent(self._parent)
        search_garbage_seldom()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        refreshing.cancel()
        await self._stack.aclose()
        await send({"type": "lifespan.shutdown.complete"})


def _end_with_parent(sentinel: int | None) -> None:
    """Stop this process once its parent is gone, which can't tell it to any more."""
    if sentinel is None:
        parent = multiprocessing.parent_process()
        if parent is None:
            return
        sentinel = parent.sentinel
    loop, file = asyncio.get_running_loop(), sentinel

    def stop() -> None:
        loop.remove_reader(file)
        os.kill(os.getpid(), signal.SIGTERM)

    loop.add_reader(file, stop)


GARBAGE_THRESHOLDS = (50_000, 20, 20)
"""How many new objects call for a search, and how many searches for one among older objects."""


def search_garbage_seldom() -> None:
    """Make the interpreter look for cyclic garbage less often, and not in what the start made.

    Requests leave next to none of it, and a search through everything stops the process for long.
    """
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)


SWITCH_SECONDS = 0.0005
"""How long a thread waits for another one that computes on and on."""


def switch_threads_soon() -> None:
    """Let a thread that comes back from the disk go on soon, however busy the event loop is.

    By default it waits up to 5 milliseconds, and a commit on SQLite waits several times.
    """
    sys.setswitchinterval(SWITCH_SECONDS)


_FilteringLogger: type[Any] = structlog.make_filtering_bound_logger(logging.INFO)


class _JsonLogger(_FilteringLogger):  # type: ignore[misc]  # made by a function
    """Writes what goes well as the processors would, at a fifth of their cost: it is most lines."""

    def info(self, event: str, **values: Any) -> None:
        now = datetime.now(UTC).isoformat().removesuffix("+00:00")
        line = {**self._context, **values, "event": event, "level": "info", "timestamp": f"{now}Z"}
        if current() is not None:
            _name_trace(None, "", line)
        self._logger.msg(_json_line(line))


def _name_trace(_logger: Any, _name: str, line: Any) -> Any:
    """Say in a line to which trace it belongs, where it belongs to one."""
    here = current()
    if here is not None:
        line["trace_id"] = here.position.trace_id
        line["span_id"] = here.position.span_id
    return line


def config_logging(log_format: LogFormat) -> None:
    """Send the log of the service and of its libraries to standard error, in one form."""
    shared: list[Any] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _name_trace,
    ]
    renderer: list[Any]
    if log_format is LogFormat.JSON:
        serializer = structlog.processors.JSONRenderer(serializer=_json_line)
        renderer = [structlog.processors.format_exc_info, serializer]
        wrapper: type[Any] = _JsonLogger
    else:
        # Rich's tracebacks, which it would take by itself, show the values of all variables.
        plain = structlog.dev.plain_traceback
        colors = sys.stderr.isatty()
        renderer = [structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=plain)]
        wrapper = _FilteringLogger
    stream = cast("TextIO", DeferredStream(sys.stderr))
    structlog.configure(
        processors=[*shared, *renderer],
        wrapper_class=wrapper,
        logger_factory=structlog.WriteLoggerFactory(file=stream),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
            foreign_pre_chain=shared,
        )
    )
    # Libraries speak up when something is wrong; what goes well is logged by the service itself.
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)


def warn_of_unknown_variables() -> None:
    """Log the names of variables that look like settings and are none; never what they hold."""
    names = unknown_variables()
    if names:
        structlog.get_logger().warning("variables that are no settings", names=names)


def _throttle(settings: Settings) -> Throttle[str] | None:
    per_second = settings.requests_per_second
    return Throttle(per_second, settings.requests_at_once or per_second) if per_second else None


def _tenant_throttle(
    settings: Settings, store: SqliteStore | PostgresStore, stack: AsyncExitStack
) -> TenantThrottle | None:
    """The limit of tenants; a SQLite file is served by one process, which needs ask nobody."""
    per_second = settings.tenant_requests_per_second
    if not per_second:
        return None
    burst = settings.tenant_requests_at_once or per_second
    if settings.is_sqlite:
        return OwnThrottle(Throttle(per_second, burst))

    async def take(tenant_id: int, size: int) -> bool:
        return await take_requests(store, tenant_id, size=size, per_second=per_second, burst=burst)

    throttle = SharedThrottle(per_second, burst, take)
    stack.push_async_callback(throttle.close)
    return throttle


def _secret_keys(settings: Settings) -> SecretKeys:
    file = key_file_of(settings.sqlite_path) if settings.is_sqlite else None
    return SecretKeys(settings.secret_key, file=file)


async def open_postgres(
    settings: Settings, *, connections_max: int = CONNECTIONS_MAX
) -> PostgresStore:
    """Connect as the settings say. Raises StoreUnavailable."""
    return await PostgresStore.open(
        settings.url, connections_max=connections_max, has_pooler=settings.has_pooler
    )


async def _open_store(settings: Settings) -> SqliteStore | PostgresStore:
    if not settings.is_sqlite:
        return await _checked(await open_postgres(settings))
    settings.sqlite_path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    store = SqliteStore(settings.sqlite_path)
    try:
        await migrate(settings.url)
    except BaseException:
        await store.close()
        raise
    return await _checked(store)


@asynccontextmanager
async def _follow(
    settings: Settings, store: SqliteStore | PostgresStore, reader: Reader
) -> AsyncIterator[Replicas | None]:
    if not settings.replica_urls:
        yield None
        return
    assert isinstance(store, PostgresStore), "the settings refuse replicas of a file"
    async with Replicas.open(store, settings.replica_urls, like=reader) as replicas:
        yield replicas


@contextmanager
def _watching(store: SqliteStore) -> Iterator[asyncio.Task[None]]:
    watch = asyncio.create_task(store.watch())
    try:
        yield watch
    finally:
        watch.cancel()


async def require_file(settings: Settings) -> None:
    """Raise SchemaError for a SQLite file that isn't there: to open it would make it."""
    if settings.is_sqlite and await current_revision(settings.url) is None:
        raise SchemaError(
            f"There is no database at {settings.sqlite_path.absolute()}. Work in the folder where "
            "the service was started, or name the folder of its data with --data-dir or "
            "BENEFITS_DATA_DIR; `benefits migrate` makes a new database."
        )


async def _checked(store: SqliteStore | PostgresStore) -> SqliteStore | PostgresStore:
    try:
        await require_current_schema(store)
    except BaseException:
        await store.close()
        raise
    return store


NO_SECRETS = (None, None)


async def _first_secrets(
    directory: Directory, users: ConsoleDirectory, settings: Settings
) -> tuple[str | None, str | None]:
    """The secrets of a first key and of a first link to the console, if there was no key at all.

    The default tenant gets them. If the operator has chosen a key, there is that one.
    """
    tenant, grants = await directory.ensure_default_tenant(), administrator_grants()
    if settings.bootstrap_api_key is not None:
        await directory.ensure_key(settings.bootstrap_api_key, tenant_id=tenant.id, grants=grants)
        return NO_SECRETS
    secret = await directory.create_first_key(tenant_id=tenant.id, grants=grants)
    invitation = await users.invite_first(tenant.id, Role.OPERATOR) if secret else None
    return secret, invitation


async def _close_engine(engine: Engine) -> None:
    try:
        await asyncio.wait_for(engine.close(), ENGINE_SECONDS_MAX)
    except TimeoutError:
        structlog.get_logger().warning("commands left unfinished", seconds=ENGINE_SECONDS_MAX)


def _json_line(event: Any, **_options: Any) -> str:
    return msgspec.json.encode(event, enc_hook=repr).decode()
