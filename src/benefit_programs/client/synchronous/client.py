# Made by tools/make_sync_client.py from ../asynchronous: change that, and run it.
"""The client."""

from __future__ import annotations

import os
from types import TracebackType
from typing import Self

import httpx

from benefit_programs.client.core.options import (
    MAX_RETRIES,
    TIMEOUT_SECONDS,
    changed_settings,
    inprocess,
    settings_for,
)
from benefit_programs.client.synchronous.http import HttpTransport
from benefit_programs.client.synchronous.items import Items
from benefit_programs.client.synchronous.jobs import AsyncJobs
from benefit_programs.client.synchronous.ledger import Balances, Transactions
from benefit_programs.client.synchronous.pool_definitions import PoolDefinitions
from benefit_programs.client.synchronous.pools import Pools
from benefit_programs.client.synchronous.program_definitions import ProgramDefinitions
from benefit_programs.client.synchronous.programs import Programs
from benefit_programs.client.synchronous.session import Session, Transport
from benefit_programs.client.synchronous.settings import Settings
from benefit_programs.client.synchronous.views import PoolDefinitionItems, PoolItems
from benefit_programs.client.types.common import UNSET, Unset
from benefit_programs.client.types.jobs import Job


class BenefitPrograms:
    """The service's methods, grouped as the contract groups them.

    ``timeout`` is what each attempt may take to connect, to send, and to wait for each part of the
    answer, in seconds; None waits for ever. ``max_retries`` is how often a call is tried again:
    when the service turned it away untouched, and, if doing it twice does no harm, after failures
    too. ``site_id`` chooses the tenant for a key of several. Many may use one client at once.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        *,
        site_id: str | None = None,
        timeout: float | None = TIMEOUT_SECONDS,
        max_retries: int = MAX_RETRIES,
        http_client: httpx.Client | None = None,
    ) -> None:
        """Prepare a client; nothing is sent yet. An HTTP client that is given isn't closed."""
        settings = settings_for(api_key, site_id=site_id, timeout=timeout, max_retries=max_retries)
        self._use(Session(HttpTransport(base_url, http_client), settings))

    @classmethod
    def open(
        cls,
        database: str | os.PathLike[str],
        *,
        timeout: float | None = TIMEOUT_SECONDS,
        max_retries: int = MAX_RETRIES,
    ) -> Self:
        """A client of a service that runs in this process, as the first tenant's administrator.

        The database is the path of a SQLite file, which is made if it isn't there, or the
        ``postgresql://`` URL of a database that is prepared. It is opened by ``with``, or by
        the first call, and must be closed.

        Where that fails, ``with`` or the call raises DatabaseNotUsable.

        Raises:
            ServerNotInstalled: Only the client is installed.
        """
        transport: Transport = inprocess().InProcessTransport(os.fspath(database))
        settings = settings_for(None, site_id=None, timeout=timeout, max_retries=max_retries)
        return cls._of(Session(transport, settings))

    @classmethod
    def _of(cls, session: Session) -> Self:
        client = cls.__new__(cls)
        client._use(session)  # noqa: SLF001 - our own
        return client

    def _use(self, session: Session) -> None:
        self._session = session
        self.program_definitions = ProgramDefinitions(session)
        """Templates that group pool definitions."""
        self.pool_definitions = PoolDefinitions(session)
        """Templates of pools, with benefits and a credit configuration."""
        self.programs = Programs(session)
        """The pools of one beneficiary each, managed together."""
        self.pools = Pools(session)
        """Live copies of pool definitions, with one balance of credits each."""
        self.items = Items(session)
        """References to what provider apps sell, in the item sets of benefits."""
        self.pool_definition_items = PoolDefinitionItems(session)
        """The items of the benefits of pool definitions."""
        self.pool_items = PoolItems(session)
        """The items of the benefits of pools that haven't ended."""
        self.balances = Balances(session)
        """The credits of pools, one balance each."""
        self.transactions = Transactions(session)
        """The record of each change of a balance."""
        self.async_jobs = AsyncJobs(session)
        """Work that may go on after its request was answered."""
        self.settings = Settings(session)
        """What the caller's tenant has set for itself."""

    def with_options(
        self,
        *,
        timeout: float | Unset | None = UNSET,
        max_retries: int | Unset = UNSET,
        site_id: str | Unset = UNSET,
        request_id: str | Unset = UNSET,
    ) -> Self:
        """The same client with other options, for a call or for more.

        Both share their connections, and closing one closes the other. ``request_id`` is what the
        service logs the requests under.
        """
        settings = changed_settings(
            self._session.settings,
            timeout=timeout,
            max_retries=max_retries,
            site_id=site_id,
            request_id=request_id,
        )
        return self._of(Session(self._session.transport, settings))

    def wait_for_job(
        self,
        job_id: str,
        *,
        timeout: float = 60.0,
    ) -> Job:
        """Wait until a job has ended, for so many seconds at the most.

        Raises:
            JobFailed: The job ended as FAILED.
            JobStillRunning: It hasn't ended; it goes on.
            JobNotFound: There is no such job.
        """
        return self.async_jobs.wait(job_id, timeout=timeout)

    def close(self) -> None:
        """Close connections, or the database that was opened; the client is of no more use."""
        self._session.transport.close()

    def __enter__(self) -> Self:
        """Be ready for calls."""
        self._session.transport.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the client."""
        self.close()
