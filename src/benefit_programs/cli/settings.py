"""``benefits settings``: the settings of a tenant."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from benefit_programs.api.extended_fields import require_usable_schemas
from benefit_programs.cli.exits import WrongUsage
from benefit_programs.cli.options import Ask, TenantId, asks_directory
from benefit_programs.cli.output import Answer
from benefit_programs.domain.settings import IdMode, TenantSettings
from benefit_programs.providers.people import PeopleProvider
from benefit_programs.providers.questions import PolicyProvider
from benefit_programs.storage.directory import DEFAULT_TENANT_ID
from benefit_programs.wire.codec import decoder_for, encoder_for, to_camel

commands = typer.Typer(
    name="settings", no_args_is_help=True, help="Read and change the settings of a tenant."
)

SECRET = "secret"  # noqa: S105 - the name of a field that is stored and never shown

_FIXED = frozenset({"is_sandbox"})
"""What a tenant is from its beginning on."""

FIELDS = {to_camel(name): name for name in TenantSettings.__struct_fields__ if name not in _FIXED}
"""The attributes of the settings by their names on the wire."""


@asks_directory(commands, "get")
def get_settings(ask: Ask, *, tenant_id: TenantId = DEFAULT_TENANT_ID) -> Answer:
    """Show a tenant's settings, defaults included."""
    return _shown_settings(ask(lambda each: each.settings(tenant_id)))


@asks_directory(commands, "set")
def set_settings(
    ask: Ask,
    assignments: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME=VALUE...",
            help="For example timeZone=Europe/Berlin; no value: the default; @path: from a file.",
        ),
    ],
    *,
    tenant_id: TenantId = DEFAULT_TENANT_ID,
) -> Answer:
    """Change some settings of a tenant. Running servers follow within a second."""

    def change(old: TenantSettings) -> TenantSettings:
        new = msgspec.structs.replace(old, **read_assignments(assignments, ids=old.id_mode))
        require_usable_providers(new)
        require_usable_schemas(new)
        return new

    return _shown_settings(ask(lambda each: each.change_settings(tenant_id, change)))


def read_assignments(assignments: list[str], *, ids: IdMode = IdMode.DEFAULT) -> dict[str, Any]:
    """Read ``name=value`` arguments, by attribute; ``name=@path`` takes the value from a file.

    Raises WrongUsage or Invalid.
    """
    document: dict[str, Any] = {}
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        if not equals:
            raise WrongUsage(f"must be name=value, not {assignment!r}")
        if name not in FIELDS:
            raise WrongUsage(f"{name!r} is none of the settings {', '.join(FIELDS)}")
        document[name] = _value(text)
    given = {name: value for name, value in document.items() if value is not None}
    decoded = decoder_for(TenantSettings).decode(given, ids=ids).value
    return {FIELDS[name]: getattr(decoded, FIELDS[name]) for name in document}


def require_usable_providers(settings: TenantSettings) -> None:
    """Raise WrongUsage for an unusable provider, or two for one app."""
    for each in settings.policy_providers:
        try:
            PolicyProvider(each.app_id, each.url, each.secret)
        except ValueError as error:
            raise WrongUsage(f"policyProviders: {error}") from None
    people = settings.people_provider
    try:
        _ = people and PeopleProvider(people.url, people.secret)
    except ValueError as error:
        raise WrongUsage(f"peopleProvider: {error}") from None
    if len({each.app_id for each in settings.policy_providers}) < len(settings.policy_providers):
        raise WrongUsage("policyProviders: an app has one provider at most")


def _value(text: str) -> Any:
    """JSON where it is JSON, such as a number or a list; else the text itself."""
    if text.startswith("@"):
        text = _read_file(text[1:])
    if not text:
        return None
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text


def _read_file(path: str) -> str:
    try:
        return Path(path).read_text("utf-8").strip()
    except OSError as error:
        raise WrongUsage(f"{path} can't be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise WrongUsage(f"{path} is no UTF-8: {error.reason}") from None


def _shown_settings(settings: TenantSettings) -> Answer:
    values = {wire: _shown(getattr(settings, attribute)) for wire, attribute in FIELDS.items()}
    rows = [
        (name, value if isinstance(value, str | int) else msgspec.json.encode(value).decode())
        for name, value in values.items()
    ]
    return Answer(values, ("SETTING", "VALUE"), rows)


def _shown(value: Any) -> Any:
    """A setting as it is on the wire, without the secrets that it may hold."""
    if isinstance(value, tuple):
        return [_shown(each) for each in value]
    if isinstance(value, msgspec.Struct):
        return {
            name: each for name, each in encoder_for(type(value))(value).items() if name != SECRET
        }
    return value
