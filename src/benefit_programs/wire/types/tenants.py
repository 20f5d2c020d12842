"""The tenants of the installation."""

from __future__ import annotations

from typing import Annotated

import msgspec

from benefit_programs.domain.constraints import Int64Text, ReadOnly, Text
from benefit_programs.domain.directory import NAME_LENGTH_MAX
from benefit_programs.wire.types.common import (
    CursorPaging,
    CursorPagingMetadata,
    EntityId,
    Timestamp,
)

TenantName = Annotated[str, Text(min_length=1, max_length=NAME_LENGTH_MAX)]


class Tenant(msgspec.Struct, frozen=True, kw_only=True):
    """One site, to which everything belongs."""

    id: Annotated[int, Int64Text(), ReadOnly()] | None = None
    site_id: EntityId | None = None
    name: TenantName | None = None
    created_date: Annotated[Timestamp, ReadOnly()] | None = None
    sandbox: bool | None = None


class CreateTenantRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Make a tenant. It has no keys yet: make one with its site id in `wix-site-id`."""

    name: TenantName
    site_id: EntityId | None = None
    sandbox: bool | None = None


class CreateTenantResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The tenant that was made."""

    tenant: Tenant | None = None


class GetTenantRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Read a tenant."""

    site_id: EntityId


class GetTenantResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The tenant."""

    tenant: Tenant | None = None


class ListTenantsRequest(msgspec.Struct, frozen=True, kw_only=True):
    """List all tenants, the oldest first."""

    paging: CursorPaging | None = None


class ListTenantsResponse(msgspec.Struct, frozen=True, kw_only=True):
    """A page of tenants."""

    tenants: tuple[Tenant, ...] | None = None
    metadata: CursorPagingMetadata | None = None
