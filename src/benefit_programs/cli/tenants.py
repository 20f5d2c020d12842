"""``benefits tenants``: the sites that the service keeps apart."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from benefit_programs.cli.options import (
    AsJson,
    DatabaseUrl,
    DataDir,
    database_settings,
    with_directory,
)
from benefit_programs.cli.output import instant, print_json, print_table
from benefit_programs.storage.directory import Tenant

commands = typer.Typer(name="tenants", no_args_is_help=True, help="Make and list tenants.")


@commands.command("create")
def create_tenant(
    name: Annotated[str, typer.Argument(help="A name for people.")],
    *,
    site_id: Annotated[
        str | None, typer.Option("--site-id", help="The GUID of its site; else a new one.")
    ] = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Make a tenant. It has no keys yet: see `benefits keys create`."""
    settings = database_settings(data_dir, database_url)
    tenant = with_directory(settings, lambda each: each.create_tenant(name, site_id=site_id))
    if as_json:
        print_json(_document(tenant))
    else:
        print_table(COLUMNS, [_row(tenant)])


@commands.command("list")
def list_tenants(
    *, data_dir: DataDir = None, database_url: DatabaseUrl = None, as_json: AsJson = False
) -> None:
    """List all tenants, the oldest first."""
    settings = database_settings(data_dir, database_url)
    tenants = with_directory(settings, lambda each: each.tenants())
    if as_json:
        print_json({"tenants": [_document(tenant) for tenant in tenants]})
    else:
        print_table(COLUMNS, [_row(tenant) for tenant in tenants])


COLUMNS = ("ID", "NAME", "SITE ID", "CREATED")


def _row(tenant: Tenant) -> tuple[Any, ...]:
    return (tenant.id, tenant.name, tenant.site_id, instant(tenant.created))


def _document(tenant: Tenant) -> dict[str, Any]:
    return {
        "id": tenant.id,
        "name": tenant.name,
        "siteId": tenant.site_id,
        "createdDate": instant(tenant.created),
    }
