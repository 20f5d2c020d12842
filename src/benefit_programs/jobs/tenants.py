"""Where background work learns of tenants, and how it keeps them apart."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import structlog

from benefit_programs.domain.settings import TenantSettings
from benefit_programs.domain.store import (
    NodeUnavailable,
    StatementUnsupported,
    StoreTimeout,
    StoreUnavailable,
)
from benefit_programs.engine.engine import QueueFull
from benefit_programs.storage.directory import Tenant

_log = structlog.get_logger("benefit_programs.jobs")


class Tenants(Protocol):
    """Where tenants and their settings are."""

    async def tenants(self) -> list[Tenant]: ...

    async def settings(self, tenant_id: int) -> TenantSettings: ...


@contextmanager
def apart(tenant_id: int) -> Iterator[None]:
    """Keep one tenant's errors from the others; those of the database concern everybody."""
    try:
        yield
    except (NodeUnavailable, StatementUnsupported, StoreTimeout) as error:
        _log.warning("jobs have to wait", tenant=tenant_id, reason=str(error))
    except (QueueFull, StoreUnavailable):
        raise
    except Exception:  # noqa: BLE001 - whatever it was, other tenants' jobs can go on
        _log.exception("a tenant's jobs failed", tenant=tenant_id)
