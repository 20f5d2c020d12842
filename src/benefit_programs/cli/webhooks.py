"""``benefits webhooks``: who is told of events, and what became of telling them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from benefit_programs.cli.definitions import Yes
from benefit_programs.cli.exits import WrongUsage
from benefit_programs.cli.output import Answer
from benefit_programs.cli.remote import (
    ROWS_USUALLY,
    Limit,
    calls_service,
    conditions_of,
    entity,
    instant_of,
    listing,
    require_consent,
)
from benefit_programs.client import (
    UNSET,
    BenefitPrograms,
    DeliveryLog,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookFormat,
    WebhookKey,
)
from benefit_programs.client.core.wire import to_wire

commands = typer.Typer(
    name="webhooks",
    no_args_is_help=True,
    help="Have events told to URLs, and see what became of it.",
)

Endpoint = Annotated[str, typer.Argument(help="The id of the endpoint.", metavar="ENDPOINT")]
To = Annotated[str | None, typer.Option("--to", help="The URL that gets events.", metavar="URL")]
About = Annotated[str | None, typer.Option("--description", help="What it is for.")]
Format = Annotated[
    str | None,
    typer.Option(
        "--format",
        help=f"What it gets: {' or '.join(WebhookFormat)}. Default: STANDARD.",
        metavar="FORMAT",
    ),
]
EventTypes = Annotated[
    list[str] | None,
    typer.Option(
        "--event-type",
        help="Only events of this type; repeatable. Default: all.",
        metavar="TYPE",
    ),
]
Namespaces = Annotated[
    list[str] | None,
    typer.Option("--namespace", help="Only events of this namespace; repeatable. Default: all."),
]
Log = Annotated[
    str | None,
    typer.Option(
        "--delivery-log",
        help=f"Which deliveries are kept: {' or '.join(DeliveryLog)}. Default: ALL.",
        metavar="WHICH",
    ),
]
KEEP_IT = "Keep it: it is not shown again."

ENDPOINT_COLUMNS = ("ID", "URL", "FORMAT", "STATUS", "EVENTS", "NAMESPACES", "DESCRIPTION")
DELIVERY_COLUMNS = ("ID", "CREATED", "EVENT", "ENTITY", "STATUS", "ATTEMPTS", "LAST", "NEXT")
KEY_COLUMNS = ("ID", "CREATED")


@calls_service(commands, "create")
def create_endpoint(
    client: BenefitPrograms,
    to: Annotated[str, typer.Argument(help="The URL that gets events.", metavar="URL")],
    *,
    description: About = None,
    chosen_format: Format = None,
    event_types: EventTypes = None,
    namespaces: Namespaces = None,
    delivery_log: Log = None,
    inactive: Annotated[
        bool, typer.Option("--inactive", help="Tell it nothing until it is switched on.")
    ] = False,
) -> Answer:
    """Have events told to a URL, those from now on, and print the secret that signs them."""
    created = client.webhooks.create(
        to,
        description=description,
        format=WebhookFormat(chosen_format) if chosen_format else None,
        event_types=event_types or (),
        namespaces=namespaces or (),
        delivery_log=DeliveryLog(delivery_log) if delivery_log else None,
        active=False if inactive else None,
    )
    line = f"\n{created.secret}\n\n{KEEP_IT}"
    return Answer(
        to_wire(created), ENDPOINT_COLUMNS, [_endpoint_row(created.webhook_endpoint)], line
    )


@calls_service(commands, "list")
def list_endpoints(
    client: BenefitPrograms,
    *,
    status: Annotated[
        str | None, typer.Option("--status", help="Only with this status.", metavar="STATUS")
    ] = None,
    limit: Limit = ROWS_USUALLY,
) -> Answer:
    """List endpoints, the newest first."""
    rows = client.webhooks.query(conditions_of(status=status))
    return listing("webhookEndpoints", ENDPOINT_COLUMNS, rows, _endpoint_row, limit=limit)


@calls_service(commands, "show")
def show_endpoint(client: BenefitPrograms, endpoint: Endpoint) -> Answer:
    """Show an endpoint, and how far it has come."""
    found = client.webhooks.get(endpoint)
    progress = client.webhooks.progress(endpoint)
    return Answer({"webhookEndpoint": to_wire(found), "progress": to_wire(progress)})


@calls_service(commands, "update")
def update_endpoint(  # noqa: PLR0913 - an option each
    client: BenefitPrograms,
    endpoint: Endpoint,
    *,
    to: To = None,
    description: About = None,
    chosen_format: Format = None,
    event_types: EventTypes = None,
    namespaces: Namespaces = None,
    delivery_log: Log = None,
    active: Annotated[
        bool | None,
        typer.Option("--active/--inactive", help="Switch it on, also if it was paused, or off."),
    ] = None,
) -> Answer:
    """Change what options name; an empty --event-type or --namespace means all again."""
    given = {
        "url": to,
        "description": description,
        "format": WebhookFormat(chosen_format) if chosen_format else None,
        "event_types": _listed(event_types),
        "namespaces": _listed(namespaces),
        "delivery_log": DeliveryLog(delivery_log) if delivery_log else None,
        "active": active,
    }
    changed: dict[str, Any] = {
        name: UNSET if value is None else value for name, value in given.items()
    }
    if all(value is UNSET for value in changed.values()):
        raise WrongUsage("change what? Name it with an option")
    revision = client.webhooks.get(endpoint).revision
    row = client.webhooks.update(endpoint, revision=revision, **changed)
    return Answer(to_wire(row), ENDPOINT_COLUMNS, [_endpoint_row(row)])


@calls_service(commands, "delete")
def delete_endpoint(client: BenefitPrograms, endpoint: Endpoint, *, yes: Yes = False) -> Answer:
    """Delete an endpoint: it is told nothing more."""
    found = client.webhooks.get(endpoint)
    require_consent(f"Tell {found.url} nothing more, and forget how far it came?", yes=yes)
    client.webhooks.delete(found.id)
    return Answer({"deleted": found.id}, line=f"Deleted {found.id}.")


@calls_service(commands, "rotate-secret")
def rotate_secret(
    client: BenefitPrograms,
    endpoint: Endpoint,
    *,
    keep_old_hours: Annotated[
        int | None,
        typer.Option(
            "--keep-old-hours",
            min=0,
            help="For how long the secret of before signs too. Default: 24.",
            metavar="N",
        ),
    ] = None,
) -> Answer:
    """Sign with a new secret from now on, and print it."""
    secret = client.webhooks.rotate_secret(endpoint, keep_old_hours=keep_old_hours)
    return Answer({"secret": secret}, line=f"{secret}\n\n{KEEP_IT}")


@calls_service(commands, "test")
def test_endpoint(client: BenefitPrograms, endpoint: Endpoint) -> Answer:
    """Send a test event now, and show what the receiver answers."""
    return entity(client.webhooks.test(endpoint))


@calls_service(commands, "deliveries")
def list_deliveries(
    client: BenefitPrograms,
    *,
    endpoint: Annotated[
        str | None, typer.Option("--endpoint", help="Only to this endpoint.", metavar="ID")
    ] = None,
    status: Annotated[
        str | None,
        typer.Option("--status", help="Only PENDING, DELIVERED or PARKED ones.", metavar="STATUS"),
    ] = None,
    event_type: Annotated[
        str | None, typer.Option("--event-type", help="Only of this type.", metavar="TYPE")
    ] = None,
    entity_id: Annotated[
        str | None, typer.Option("--entity-id", help="Only of this entity.", metavar="ID")
    ] = None,
    limit: Limit = ROWS_USUALLY,
) -> Answer:
    """List deliveries of the log, the newest first; --json shows each attempt."""
    conditions = conditions_of(
        webhook_endpoint_id=endpoint, status=status, event_type=event_type, entity_id=entity_id
    )
    rows = client.webhooks.query_deliveries(conditions)
    return listing("webhookDeliveries", DELIVERY_COLUMNS, rows, _delivery_row, limit=limit)


@calls_service(commands, "resend")
def resend_delivery(
    client: BenefitPrograms,
    delivery: Annotated[str, typer.Argument(help="The id of a delivery.", metavar="DELIVERY")],
) -> Answer:
    """Deliver an event of the log again, beside what is new."""
    client.webhooks.resend(delivery)
    return Answer({"resent": delivery}, line="It will be delivered again at once.")


@calls_service(commands, "replay")
def replay_events(
    client: BenefitPrograms,
    endpoint: Endpoint,
    *,
    since: Annotated[str, typer.Option("--since", help="What has happened since then (ISO 8601).")],
    entity_id: Annotated[
        str | None, typer.Option("--entity-id", help="Only of this entity.", metavar="ID")
    ] = None,
) -> Answer:
    """Deliver again what has happened since an instant: everything, or one entity's events."""
    instant = instant_of("--since", since)
    assert instant is not None, "the option is required"
    count = client.webhooks.replay(endpoint, since=instant, entity_id=entity_id)
    everything = f"Everything since {since} will be delivered again, in its order."
    line = everything if entity_id is None else f"Events to be delivered again: {count}."
    return Answer({"count": count}, line=line)


@calls_service(commands, "keys")
def list_keys(client: BenefitPrograms) -> Answer:
    """Show the public keys with which receivers verify JWTs; the first one signs now."""
    return _keys_answer(client.webhooks.keys())


@calls_service(commands, "rotate-key")
def rotate_key(client: BenefitPrograms, *, yes: Yes = False) -> Answer:
    """Sign JWTs with a new key from now on, and show its public part."""
    question = "Sign JWTs with a new key, which receivers don't know yet?"
    require_consent(question, yes=yes)
    return _keys_answer([client.webhooks.rotate_key()])


def _listed(values: list[str] | None) -> list[str] | None:
    """What a repeatable option names; an empty text stands for nothing in particular: for all."""
    return None if values is None else [each for each in values if each]


def _keys_answer(keys: Sequence[WebhookKey]) -> Answer:
    pems = "\n".join(each.public_key.strip() for each in keys)
    rows = [(each.id, to_wire(each.created_date)) for each in keys]
    line = f"\n{pems}" if keys else ""
    return Answer({"webhookKeys": [to_wire(each) for each in keys]}, KEY_COLUMNS, rows, line)


def _endpoint_row(row: WebhookEndpoint) -> Sequence[Any]:
    return (
        row.id,
        row.url,
        row.format,
        f"{row.status}: {row.pause_reason}" if row.pause_reason else row.status,
        ", ".join(row.event_types) or "all",
        ", ".join(row.namespaces) or "all",
        row.description,
    )


def _delivery_row(row: WebhookDelivery) -> Sequence[Any]:
    last = row.attempts[-1] if row.attempts else None
    return (
        row.id,
        to_wire(row.created_date),
        row.event_type,
        row.entity_id,
        row.status,
        row.attempt_count,
        (last.status_code or last.error) if last else None,
        to_wire(row.next_attempt_date),
    )
