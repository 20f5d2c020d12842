"""``benefits tenants``: the sites of the service."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from benefit_programs.cli.operating import AskAnywhere, asks_installation
from benefit_programs.cli.output import Answer, instant
from benefit_programs.storage.directory import Tenant

commands = typer.Typer(name="tenants", no_args_is_help=True, help="Make and list tenants.")


@asks_installation(commands, "create")
def create_tenant(
    ask: AskAnywhere,
    name: Annotated[str, typer.Argument(help="A name for people.")],
    *,
    site_id: Annotated[
        str | None, typer.Option("--site-id", help="The GUID of its site. Default: a new one.")
    ] = None,
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="For tests: with a clock that can be set forward.")
    ] = False,
) -> Answer:
    """Make a tenant. It has no keys yet: see `benefits keys create`."""
    tenant = ask(lambda each: each.create_tenant(name, site_id=site_id, is_sandbox=sandbox))
    return Answer(_document(tenant), COLUMNS, [_row(tenant)])


@asks_installation(commands, "list")
def list_tenants(ask: AskAnywhere) -> Answer:
    """List all tenants, the oldest first."""
    tenants = ask(lambda each: each.tenants())
    document = {"tenants": [_document(tenant) for tenant in tenants]}
    return Answer(document, COLUMNS, [_row(tenant) for tenant in tenants])


COLUMNS = ("ID", "NAME", "SITE ID", "CREATED", "SANDBOX")


def _row(tenant: Tenant) -> tuple[Any, ...]:
    is_sandbox = "yes" if tenant.settings.is_sandbox else None
    return (tenant.id, tenant.name, tenant.site_id, instant(tenant.created), is_sandbox)


def _document(tenant: Tenant) -> dict[str, Any]:
    return {
        "id": tenant.id,
        "name": tenant.name,
        "siteId": tenant.site_id,
        "createdDate": instant(tenant.created),
        "sandbox": tenant.settings.is_sandbox,
    }
