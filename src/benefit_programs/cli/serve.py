"""``benefits serve``: the service in this process, or in several that share a database."""

from __future__ import annotations

import asyncio
import errno
import functools
import json
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Literal, cast

import structlog
import typer
import uvicorn

from benefit_programs.bootstrap import (
    Application,
    Running,
    WorkerApplication,
    config_logging,
    load_service,
    open_service,
    search_garbage_seldom,
    switch_threads_soon,
    warn_of_unknown_variables,
)
from benefit_programs.cli.addresses import reachable, url_of
from benefit_programs.cli.exits import AddressUnusable
from benefit_programs.cli.options import AsJson, DatabaseUrl, DataDir
from benefit_programs.cli.output import print_line
from benefit_programs.cli.processes import (
    ANSWER_SECONDS_MAX,
    Processes,
    lifeline,
    run_apart,
)
from benefit_programs.cli.service_manager import ServiceManager, WatchedServer
from benefit_programs.cli.welcome import sign_in_link, start_text
from benefit_programs.config import Settings, read_settings
from benefit_programs.domain.store import StoreUnavailable

commands = typer.Typer()

STOP_SECONDS_MAX = 8
"""How long a stop waits for requests under way; then it takes at most two seconds more."""

BACKLOG = 2048

_PORT_ERRORS = (errno.EADDRINUSE, errno.EACCES)
_OTHER_PORT = (
    "Choose another port with --port or BENEFITS_PORT (make serve ARGS='--port 8081'); 0 takes a "
    "free one."
)
_OTHER_HOST = "Choose another address with --host or BENEFITS_HOST."


@commands.command("serve")
def serve(
    *,
    host: Annotated[str | None, typer.Option(help="The address to listen on.")] = None,
    port: Annotated[
        str | None, typer.Option(help="The port to listen on; 0 takes a free one.", metavar="PORT")
    ] = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    log_format: Annotated[
        str | None, typer.Option(help="How to write the log.", metavar="console|json")
    ] = None,
    workers: Annotated[
        str | None, typer.Option(help="How many processes serve (PostgreSQL only).", metavar="N")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run the service until Ctrl+C or SIGTERM.

    The first start makes an API key and prints it once, with requests to try it, and a link that
    signs in to the console. With --json, one line on standard output has the address, the key and
    the link: {"url": ..., "firstKey": ..., "consoleLink": ...}.
    The page /docs of that address shows all methods.
    """
    flags = {
        "host": host,
        "port": port,
        "data_dir": data_dir,
        "database_url": database_url,
        "log_format": log_format,
        "workers": workers,
    }
    settings = read_settings(flags)
    config_logging(settings.log_format)
    warn_of_unknown_variables()
    # The address first: a start that can't listen must not have made a key that nobody reads.
    with listen(settings.host, settings.port) as listener:
        url = address(settings.host, listener)
        announce = functools.partial(_announce, url, settings, as_json=as_json)
        if settings.workers > 1:
            _serve_in_many(settings, listener, announce)
        else:
            _serve_in_one(settings, listener, announce)


def _serve_in_one(
    settings: Settings, listener: socket.socket, announce: Callable[[Running], None]
) -> None:
    stop = _Stop()

    async def run() -> None:
        async with open_service(settings, with_telemetry=True) as running:
            server = WatchedServer(server_config(settings, running.application), ServiceManager())
            stop.expect(server)
            if running.watch is not None:
                running.watch.add_done_callback(stop)
            announce(running)
            search_garbage_seldom()
            switch_threads_soon()
            await server.serve([listener])
            if running.watch is not None and running.watch.done():
                running.watch.result()
                raise StoreUnavailable("it was lost; the log says how")

    # Before uvicorn listens for signals, and after: it raises the one that stopped it once more
    # when it is done, and here the database is still to be closed.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(run())
    structlog.get_logger().info("stopped")


def _serve_in_many(
    settings: Settings, listener: socket.socket, announce: Callable[[Running], None]
) -> None:
    async def prepare() -> None:
        async with open_service(settings) as running:
            announce(running)

    load_service()
    run_apart(prepare)
    with TemporaryDirectory(prefix="benefits-metrics-") as folder, lifeline() as line:
        application = functools.partial(WorkerApplication, settings, Path(folder), line)
        options = {"workers": settings.workers, "factory": True, "lifespan": "on"}
        config = server_config(settings, application, **options)
        processes = Processes(config, [listener])
        processes.run()
    if processes.have_failed:
        raise StoreUnavailable("a process can't open it; the log says why")
    structlog.get_logger().info("stopped")


class _Stop:
    """A signal's handler that ends the server, also one that only starts later."""

    def __init__(self) -> None:
        self._server: uvicorn.Server | None = None
        self._asked = False

    def expect(self, server: uvicorn.Server) -> None:
        """End this server when the signal comes, or now if it has come."""
        self._server = server
        server.should_exit = self._asked

    def __call__(self, *_: object) -> None:
        self._asked = True
        if self._server is not None:
            self._server.should_exit = True


def server_config(
    settings: Settings, application: Application | Callable[[], Any], **options: Any
) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        **{"lifespan": "auto", **options},
        access_log=False,
        backlog=BACKLOG,
        http=_http_protocol(settings),
        log_config=None,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=settings.idle_seconds_max,
        timeout_graceful_shutdown=STOP_SECONDS_MAX,
        timeout_worker_healthcheck=ANSWER_SECONDS_MAX,
        ws="none",
    )


def _http_protocol(settings: Settings) -> type[asyncio.Protocol] | Literal["auto"]:
    if sys.platform == "win32":
        return "auto"
    from benefit_programs.api.protocol import HttpProtocol  # noqa: PLC0415 - not tried on Windows

    protocol = functools.partial(
        HttpProtocol,
        head_seconds_max=settings.head_seconds_max,
        body_seconds_max=settings.body_seconds_max,
    )
    return cast("type[asyncio.Protocol]", protocol)  # It is called like one, and only called.


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """What makes the event loop of a process that works on and on."""
    if sys.platform == "win32":
        return None
    import uvloop  # noqa: PLC0415 - there is none on Windows

    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


def listen(
    host: str, port: int, *, other_port: str = _OTHER_PORT, other_host: str = _OTHER_HOST
) -> socket.socket:
    """Take an address. Raises AddressUnusable, which says how to choose another."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, *_, address = found[0]
        return socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except UnicodeError:
        raise AddressUnusable(f"{host!r} is no host. {other_host}") from None
    except OSError as error:
        # What can't be resolved has numbers of its own, below 0.
        number = error.errno or 0
        reason = os.strerror(number) if number > 0 else error.strerror or str(error)
        raise AddressUnusable(
            f"Can't listen on {host} port {port}: {reason.lower()}. "
            f"{other_port if number in _PORT_ERRORS else other_host}"
        ) from None


def address(host: str, listener: socket.socket) -> str:
    """The address of a listener at a host, as URLs write it."""
    return url_of(host, listener.getsockname()[1])


def _announce(url: str, settings: Settings, running: Running, *, as_json: bool) -> None:
    if as_json:
        start = {"url": url}
        if running.first_secret:
            start["firstKey"] = running.first_secret
        if running.first_invitation:
            start["consoleLink"] = sign_in_link(reachable(url), running.first_invitation)
        print_line(json.dumps(start))
    else:
        print_line(start_text(url, settings, running.first_secret, running.first_invitation))
    sys.stdout.flush()
