"""The client."""

from __future__ import annotations

import os
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import httpx

from benefit_programs.client.asynchronous.audit import AsyncAudit
from benefit_programs.client.asynchronous.beneficiaries import AsyncBeneficiaries
from benefit_programs.client.asynchronous.clock import AsyncClock
from benefit_programs.client.asynchronous.events import AsyncEvents
from benefit_programs.client.asynchronous.http import AsyncHttpTransport
from benefit_programs.client.asynchronous.items import AsyncItems
from benefit_programs.client.asynchronous.jobs import AsyncAsyncJobs
from benefit_programs.client.asynchronous.ledger import AsyncBalances, AsyncTransactions
from benefit_programs.client.asynchronous.lots import AsyncLots
from benefit_programs.client.asynchronous.operating import (
    AsyncApiKeys,
    AsyncConsoleUsers,
    AsyncHealth,
    AsyncTenants,
)
from benefit_programs.client.asynchronous.people import AsyncPeople
from benefit_programs.client.asynchronous.pool_definitions import AsyncPoolDefinitions
from benefit_programs.client.asynchronous.pools import AsyncPools
from benefit_programs.client.asynchronous.program_definitions import AsyncProgramDefinitions
from benefit_programs.client.asynchronous.programs import AsyncPrograms
from benefit_programs.client.asynchronous.reservations import AsyncReservations
from benefit_programs.client.asynchronous.scheduled_changes import AsyncScheduledChanges
from benefit_programs.client.asynchronous.session import (
    AsyncCallsFunctions,
    AsyncSession,
    AsyncTransport,
)
from benefit_programs.client.asynchronous.settings import AsyncSettings
from benefit_programs.client.asynchronous.statements import AsyncStatements
from benefit_programs.client.asynchronous.views import AsyncPoolDefinitionItems, AsyncPoolItems
from benefit_programs.client.asynchronous.webhooks import AsyncWebhooks
from benefit_programs.client.core.options import (
    MAX_RETRIES,
    TIMEOUT_SECONDS,
    changed_settings,
    inprocess,
    settings_for,
)
from benefit_programs.client.errors import NotInProcess
from benefit_programs.client.types.common import UNSET, Unset
from benefit_programs.client.types.events import EventReceiver
from benefit_programs.client.types.jobs import Job
from benefit_programs.client.types.webhooks import WebhookEndpoint


class AsyncBenefitPrograms:
    """The service's methods, grouped as the contract groups them.

    ``timeout`` limits each attempt to connect, to send, and to wait for each part of the answer, in
    seconds; None waits for ever. ``max_retries`` says how often a call is repeated: if the service
    rejected it unprocessed, and after failures if a repetition does no harm. ``site_id`` chooses
    the tenant for a key of several. Several threads or tasks may share one client. ``strict`` makes
    the service refuse fields that it would ignore otherwise.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        *,
        site_id: str | None = None,
        timeout: float | None = TIMEOUT_SECONDS,
        max_retries: int = MAX_RETRIES,
        strict: bool = True,
        http_client: httpx.AsyncClient | None = None,
    ) -> None:
        """Prepare a client; nothing is sent yet. An HTTP client that is given isn't closed."""
        settings = settings_for(
            api_key, site_id=site_id, timeout=timeout, max_retries=max_retries, strict=strict
        )
        self._use(AsyncSession(AsyncHttpTransport(base_url, http_client), settings))

    @classmethod
    def open(
        cls,
        database: str | os.PathLike[str],
        *,
        timeout: float | None = TIMEOUT_SECONDS,
        max_retries: int = MAX_RETRIES,
        strict: bool = True,
        sandbox: bool = False,
    ) -> Self:
        """A client of a service that runs in this process, as the first tenant's administrator.

        The database is the path of a SQLite file, which is made if it isn't there, or the
        ``postgresql://`` URL of a database that is prepared. It is opened by ``async with``, or by
        the first call, and must be closed. The tenant of a ``sandbox`` has a clock that can be set
        forward; a database that has a tenant already must have been opened so before.

        If that fails, ``async with`` or the call raises DatabaseNotUsable.

        Raises:
            ServerNotInstalled: Only the client is installed.
        """
        transport: AsyncTransport = inprocess().AsyncInProcessTransport(
            os.fspath(database), sandbox=sandbox
        )
        settings = settings_for(
            None, site_id=None, timeout=timeout, max_retries=max_retries, strict=strict
        )
        return cls._of(AsyncSession(transport, settings))

    @classmethod
    def _of(cls, session: AsyncSession) -> Self:
        client = cls.__new__(cls)
        client._use(session)  # noqa: SLF001 - our own
        return client

    def _use(self, session: AsyncSession) -> None:  # noqa: PLR0915 - a line for each family
        self._session = session
        self.program_definitions = AsyncProgramDefinitions(session)
        """Templates that group pool definitions."""
        self.pool_definitions = AsyncPoolDefinitions(session)
        """Templates of pools, with benefits and a credit configuration."""
        self.programs = AsyncPrograms(session)
        """The pools of one beneficiary each, managed together."""
        self.pools = AsyncPools(session)
        """Live copies of pool definitions, with one balance of credits each."""
        self.reservations = AsyncReservations(session)
        """Credits that are held for items, to be spent or given back later."""
        self.scheduled_changes = AsyncScheduledChanges(session)
        """What waits for its date: changes of programs, and cascades of definitions."""
        self.items = AsyncItems(session)
        """References to what provider apps sell, in the item sets of benefits."""
        self.pool_definition_items = AsyncPoolDefinitionItems(session)
        """The items of the benefits of pool definitions."""
        self.pool_items = AsyncPoolItems(session)
        """The items of the benefits of pools that haven't ended."""
        self.balances = AsyncBalances(session)
        """The credits of pools, one balance each."""
        self.lots = AsyncLots(session)
        """Credits of pools that came together and share one fate."""
        self.transactions = AsyncTransactions(session)
        """The record of each change of a balance."""
        self.audit = AsyncAudit(session)
        """Who changed what, when and why."""
        self.statements = AsyncStatements(session)
        """How credits became more or less, and what was there at any time."""
        self.async_jobs = AsyncAsyncJobs(session)
        """Work that may continue after its request was answered."""
        self.settings = AsyncSettings(session)
        """The settings of the caller's tenant."""
        self.clock = AsyncClock(session)
        """The clock of a sandbox, which can be set forward."""
        self.beneficiaries = AsyncBeneficiaries(session)
        """The people who have programs."""
        self.people = AsyncPeople(session)
        """Who beneficiaries are: names and contact data."""
        self.events = AsyncEvents(session)
        """What has happened, in its order."""
        self.webhooks = AsyncWebhooks(session)
        """Endpoints that are told of what has happened."""
        self.api_keys = AsyncApiKeys(session)
        """The keys of the tenant."""
        self.console_users = AsyncConsoleUsers(session)
        """Who may use the console."""
        self.tenants = AsyncTenants(session)
        """The tenants of the installation."""
        self.health = AsyncHealth(session)
        """How the service is."""

    def with_options(
        self,
        *,
        timeout: float | Unset | None = UNSET,
        max_retries: int | Unset = UNSET,
        site_id: str | Unset = UNSET,
        request_id: str | Unset = UNSET,
        strict: bool | Unset = UNSET,
    ) -> Self:
        """Return the same client with other options, for one call or several.

        Both share their connections; closing one closes the other. The service logs ``request_id``
        with the requests.
        """
        settings = changed_settings(
            self._session.settings,
            timeout=timeout,
            max_retries=max_retries,
            site_id=site_id,
            request_id=request_id,
            strict=strict,
        )
        return self._of(AsyncSession(self._session.transport, settings))

    async def wait_for_job(
        self,
        job_id: str,
        *,
        timeout: float = 60.0,  # noqa: ASYNC109 - not a limit of ours: what then is raised tells
    ) -> Job:
        """Wait until a job has ended, at most ``timeout`` seconds.

        Raises:
            JobFailed: The job ended as FAILED.
            JobStillRunning: It hasn't ended, and goes on.
            JobNotFound: There is no such job.
        """
        return await self.async_jobs.wait(job_id, timeout=timeout)

    async def on_events(
        self,
        name: str,
        receiver: EventReceiver,
        *,
        event_types: Sequence[str] = (),
        namespaces: Sequence[str] = (),
    ) -> WebhookEndpoint:
        """Have events given to a function of this process; only for a client that ``open`` made.

        A new name gets what happens from now on. A name that had a function before goes on where
        that one was, also after a restart. The events of an entity come in their order; those of
        others may come at the same time. If the function raises, the event comes again later, and
        an event may come twice: its id tells. Unless it is async, a function runs in a thread.
        Closing the client waits for the calls under way.

        Raises:
            NotInProcess: The service runs elsewhere.
            WrongArgument: The name can't be one, or has a function already.
            ValidationError: There is no such event type, or the lists are too long.
            TooManyWebhookEndpoints: There are as many endpoints as there can be.
        """
        transport = self._session.transport
        if not isinstance(transport, AsyncCallsFunctions):
            raise NotInProcess("only a client that open made can give events to functions")
        endpoint_id = await transport.on_events(name, receiver, event_types, namespaces)
        return await self.webhooks.get(endpoint_id)

    async def aclose(self) -> None:
        """Close connections, or the opened database. The client can't be used afterwards."""
        await self._session.transport.aclose()

    async def __aenter__(self) -> Self:
        await self._session.transport.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()
