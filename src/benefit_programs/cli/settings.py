"""``benefits settings``: what a tenant has set for itself."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import typer

from benefit_programs.api.codec import decoder_for, to_camel
from benefit_programs.cli.exits import WrongUsage
from benefit_programs.cli.options import (
    AsJson,
    DatabaseUrl,
    DataDir,
    TenantId,
    database_settings,
    with_directory,
)
from benefit_programs.cli.output import print_json, print_table
from benefit_programs.domain.settings import TenantSettings
from benefit_programs.storage.directory import DEFAULT_TENANT_ID

commands = typer.Typer(no_args_is_help=True, help="Read and change the settings of a tenant.")

FIELDS = {to_camel(name): name for name in TenantSettings.__struct_fields__}
"""The attributes of the settings by their names on the wire."""


@commands.command("get")
def get_settings(
    *,
    tenant_id: TenantId = DEFAULT_TENANT_ID,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Show a tenant's settings, those that it left at their defaults too."""
    settings = database_settings(data_dir, database_url)
    _show(with_directory(settings, lambda each: each.settings(tenant_id)), as_json=as_json)


@commands.command("set")
def set_settings(
    assignments: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME=VALUE...",
            help="For example timeZone=Europe/Berlin; no value: the default.",
        ),
    ],
    *,
    tenant_id: TenantId = DEFAULT_TENANT_ID,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Change some settings of a tenant. Running servers follow within a second."""
    changes = read_assignments(assignments)
    settings = database_settings(data_dir, database_url)
    changed = with_directory(
        settings,
        lambda each: each.change_settings(
            tenant_id, lambda old: msgspec.structs.replace(old, **changes)
        ),
    )
    _show(changed, as_json=as_json)


def read_assignments(assignments: list[str]) -> dict[str, Any]:
    """What ``name=value`` arguments set, by attribute. Raises WrongUsage or Invalid."""
    document: dict[str, Any] = {}
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        if not equals:
            raise WrongUsage(f"must be name=value, not {assignment!r}")
        if name not in FIELDS:
            raise WrongUsage(f"{name!r} is none of the settings {', '.join(FIELDS)}")
        document[name] = _value(text)
    given = {name: value for name, value in document.items() if value is not None}
    decoded = decoder_for(TenantSettings).decode(given).value
    return {FIELDS[name]: getattr(decoded, FIELDS[name]) for name in document}


def _value(text: str) -> Any:
    """JSON where it is JSON, such as a number; else the text itself."""
    if not text:
        return None
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text


def _show(settings: TenantSettings, *, as_json: bool) -> None:
    values = {wire: getattr(settings, attribute) for wire, attribute in FIELDS.items()}
    if as_json:
        print_json(values)
    else:
        print_table(("SETTING", "VALUE"), list(values.items()))
