"""Delivers the events of all tenants to their endpoints, each endpoint by one relay at a time.

Every process that does jobs has a relay. It looks from time to time which endpoints have something
to be delivered, takes those that nobody has, and gives each to a courier. A relay whose process
died leaves its endpoints to the others: they see that the lease stands still.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import NamedTuple, Protocol
from uuid import uuid4

import structlog

from benefit_programs.delivery.courier import Courier, Observe
from benefit_programs.delivery.sending import Function, Sender, Site
from benefit_programs.domain.event_rows import Event
from benefit_programs.domain.rows import Row
from benefit_programs.domain.store import NodeUnavailable, StoreTimeout, StoreUnavailable
from benefit_programs.domain.values import SYSTEM
from benefit_programs.domain.webhooks.deliveries import ClaimEndpoint
from benefit_programs.domain.webhooks.rows import (
    IN_PROCESS,
    WebhookEndpoint,
    WebhookKey,
    WebhookSecret,
)
from benefit_programs.engine.engine import Engine, QueueFull
from benefit_programs.storage.all_tenants import AllTenants, AskedStore
from benefit_programs.storage.backlog import ENDPOINTS_WITH_WORK
from benefit_programs.storage.directory import Tenant, UnknownTenant
from benefit_programs.storage.reader import Reader

POLL_SECONDS = 0.5
"""How often a relay looks for endpoints with something to be delivered."""

LEASE_SECONDS = 5.0
"""How long a lease must stand still before another relay takes the endpoint."""

ENDPOINTS_AT_ONCE_MAX = 200
"""How many endpoints one process delivers to at the same time."""

_RECEIVER_ROWS = frozenset({WebhookEndpoint, WebhookSecret, WebhookKey})
"""What a courier has to know the newest of."""

_log = structlog.get_logger("benefit_programs.delivery")


class _Found(NamedTuple):
    tenant_id: int
    endpoint_id: str
    url: str
    lease: int
    lease_owner: str | None
    is_asked: int
    """Whether somebody has asked for deliveries that nobody has tried yet."""

    @property
    def place(self) -> tuple[int, str]:
        return self.tenant_id, self.endpoint_id


class Tenants(Protocol):
    async def tenant(self, tenant_id: int) -> Tenant: ...


class Relay:
    """Delivers until it is closed. ``alone``: no other relay can work on this database.

    Endpoints whose URL names a function get events from a process that has this function only.
    """

    def __init__(
        self,
        engine: Engine,
        store: AskedStore,
        reader: Reader,
        tenants: Tenants,
        sender: Sender,
        *,
        functions: Mapping[str, Function],
        alone: bool,
        observe: Observe = lambda _: None,
    ) -> None:
        self._engine = engine
        self._all = AllTenants(store)
        self._reader = reader
        self._tenants = tenants
        self._sender = sender
        self._functions = functions
        self._alone = alone
        self._observe = observe
        self._owner = str(uuid4())
        self._couriers: dict[tuple[int, str], Courier] = {}
        self._runs: set[asyncio.Task[None]] = set()
        self._seen: dict[tuple[int, str], tuple[int, float]] = {}
        self._closing = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        engine.on_commit(self._notice)

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def close(self) -> None:
        """Let the requests under way end, and stop."""
        self._closing.set()
        if self._task is not None:
            await asyncio.wait((self._task,))
        for courier in self._couriers.values():
            courier.close()
        if self._runs:
            await asyncio.wait(self._runs)

    def _notice(self, written: frozenset[type[Row]]) -> None:
        for courier in self._couriers.values():
            if Event in written:
                courier.look()
            if not written.isdisjoint(_RECEIVER_ROWS):
                courier.look_again()

    async def _run(self) -> None:
        while not self._closing.is_set():
            try:
                await self._pass()
            except (QueueFull, StoreTimeout, StoreUnavailable) as error:
                _log.warning("deliveries have to wait", reason=str(error) or type(error).__name__)
            except Exception:  # noqa: BLE001 - whatever it was, the next pass may go well
                _log.exception("the relay failed, and goes on")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), POLL_SECONDS)

    async def _pass(self) -> None:
        """See to every endpoint that has something to be delivered."""
        rows = await self._all.fetch(ENDPOINTS_WITH_WORK, (self._engine.now(),))
        found = [_Found(*row) for row in rows]
        self._seen = {
            each.place: self._seen.get(each.place, (-1, 0.0))
            for each in found
            if each.lease_owner is not None
        }
        for each in found:
            courier = self._couriers.get(each.place)
            if courier is not None:
                if each.is_asked:
                    courier.look_for_pending()
                courier.look()
            elif self._may_have(each) and len(self._couriers) < ENDPOINTS_AT_ONCE_MAX:
                # A node that is lost meanwhile, or a tenant that is gone, concerns no others.
                with suppress(NodeUnavailable, UnknownTenant):
                    await self._claim(each)

    def _may_have(self, found: _Found) -> bool:
        """Whether to take an endpoint: it is free, or who has it has been still for long."""
        if found.url.startswith(IN_PROCESS):
            return found.url.removeprefix(IN_PROCESS) in self._functions and self._is_free(found)
        return self._is_free(found)

    def _is_free(self, found: _Found) -> bool:
        if self._alone or found.lease_owner in (None, self._owner):
            return True
        now = asyncio.get_running_loop().time()
        lease, since = self._seen[found.place]
        if lease != found.lease:
            self._seen[found.place] = found.lease, now
            return False
        return now - since >= LEASE_SECONDS

    async def _claim(self, found: _Found) -> None:
        tenant = await self._tenants.tenant(found.tenant_id)
        execute = partial(
            self._engine.execute, tenant_id=tenant.id, caller=SYSTEM, settings=tenant.settings
        )
        claim = await execute(
            ClaimEndpoint(
                owner=self._owner,
                endpoint_id=found.endpoint_id,
                seen=found.lease,
                alone=self._alone,
            )
        )
        if claim is None:
            return
        courier = Courier(
            claim,
            Site(tenant.id, tenant.site_id),
            owner=self._owner,
            execute=execute,
            reader=self._reader,
            sender=self._sender,
            clock=self._engine.now,
            observe=self._observe,
        )
        self._couriers[found.place] = courier
        run = asyncio.get_running_loop().create_task(self._deliver(found, courier))
        self._runs.add(run)
        run.add_done_callback(self._runs.discard)

    async def _deliver(self, found: _Found, courier: Courier) -> None:
        try:
            await courier.run()
        except (QueueFull, StoreTimeout, StoreUnavailable) as error:
            reason = str(error) or type(error).__name__
            _log.warning("deliveries have to wait", endpoint=found.endpoint_id, reason=reason)
        except Exception:  # noqa: BLE001 - whatever it was, other endpoints go on
            _log.exception("deliveries failed", tenant=found.tenant_id, endpoint=found.endpoint_id)
        finally:
            del self._couriers[found.place]
