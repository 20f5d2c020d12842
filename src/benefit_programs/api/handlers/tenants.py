"""The tenants of the installation, for keys of the installation."""

from __future__ import annotations

from benefit_programs.api.call import Call, metadata_of
from benefit_programs.api.method import GET, INSTALLATION, POST, method
from benefit_programs.domain.directory_errors import TenantAlreadyExists, TenantNotFound
from benefit_programs.storage.directory import SiteTaken, Tenant
from benefit_programs.wire.types import tenants as wire


@method(
    "createTenant",
    POST,
    "/benefit-programs/v1/tenants",
    INSTALLATION,
    "BENEFIT_PROGRAMS.TENANT_MANAGE",
    refuses=(TenantAlreadyExists,),
    for_administrators=True,
    is_addition=True,
)
async def create(call: Call, request: wire.CreateTenantRequest) -> wire.CreateTenantResponse:
    try:
        tenant = await call.services.directory.create_tenant(
            request.name,
            site_id=request.site_id,
            is_sandbox=bool(request.sandbox),
            actor=call.actor,
        )
    except SiteTaken:
        assert request.site_id is not None, "a new site id is nobody's"
        raise TenantAlreadyExists(site_id=request.site_id) from None
    return wire.CreateTenantResponse(tenant=_shown(tenant))


@method(
    "getTenant",
    GET,
    "/benefit-programs/v1/tenants/{siteId}",
    INSTALLATION,
    "BENEFIT_PROGRAMS.TENANT_READ",
    refuses=(TenantNotFound,),
    for_administrators=True,
    is_addition=True,
)
async def get(call: Call, request: wire.GetTenantRequest) -> wire.GetTenantResponse:
    tenant = await call.services.directory.tenant_of_site(request.site_id)
    if tenant is None:
        raise TenantNotFound(site_id=request.site_id)
    return wire.GetTenantResponse(tenant=_shown(tenant))


@method(
    "listTenants",
    GET,
    "/benefit-programs/v1/tenants",
    INSTALLATION,
    "BENEFIT_PROGRAMS.TENANT_READ",
    for_administrators=True,
    is_addition=True,
)
async def list_tenants(call: Call, request: wire.ListTenantsRequest) -> wire.ListTenantsResponse:
    directory, paging = call.services.directory, request.paging
    # Tenants are numbered from 1 on, and none is ever deleted: a number is a place in the list.
    page = call.services.reader.slice_page(
        await directory.newest_tenant_id(),
        method=call.method.name,
        tenant_id=call.tenant_id,
        subject="",
        limit=paging.limit if paging else None,
        cursor=paging.cursor if paging else None,
    )
    numbers = [position + 1 for (position,) in page.rows]
    tenants = await directory.tenants_between(numbers[0], numbers[-1]) if numbers else []
    return wire.ListTenantsResponse(tenants=tuple(map(_shown, tenants)), metadata=metadata_of(page))


def _shown(tenant: Tenant) -> wire.Tenant:
    return wire.Tenant(
        id=tenant.id,
        site_id=tenant.site_id,
        name=tenant.name,
        created_date=tenant.created,
        sandbox=tenant.settings.is_sandbox,
    )
