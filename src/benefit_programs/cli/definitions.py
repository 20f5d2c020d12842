"""``benefits program-definitions`` and ``benefits pool-definitions``: the templates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from benefit_programs.cli.calendars import (
    DATES_USUALLY,
    AfterCycles,
    Anchor,
    Cycles,
    Dates,
    EndDate,
    EndsAfter,
    Every,
    PausedDaysMax,
    Pausing,
    TimeZone,
    ends,
    renewals,
    timetable_answer,
)
from benefit_programs.cli.output import Answer
from benefit_programs.cli.remote import (
    ROWS_USUALLY,
    Limit,
    Namespace,
    calls_service,
    conditions_of,
    entity,
    instant_of,
    listing,
    require_consent,
)
from benefit_programs.client import BenefitPrograms, Cascade, PoolDefinition, ProgramDefinition
from benefit_programs.domain.values import Cascade as KnownCascade

program_definitions = typer.Typer(
    name="program-definitions",
    no_args_is_help=True,
    help="Look at program definitions, make and delete them.",
)
pool_definitions = typer.Typer(
    name="pool-definitions", no_args_is_help=True, help="Look at pool definitions."
)

CASCADES = tuple(each for each in KnownCascade if each is not KnownCascade.UNKNOWN_CASCADE)

DefinitionId = Annotated[
    str, typer.Argument(help="Its id, or with --namespace its external id.", metavar="DEFINITION")
]
OfNamespace = Annotated[
    str | None, typer.Option("--namespace", help="The namespace of an external id.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")]


@calls_service(program_definitions, "list")
def list_program_definitions(
    client: BenefitPrograms, *, namespace: Namespace = None, limit: Limit = ROWS_USUALLY
) -> Answer:
    """List program definitions, the newest first."""
    rows = client.program_definitions.query(conditions_of(namespace=namespace))
    columns = ("ID", "NAMESPACE", "EXTERNAL ID", "NAME")
    return listing("programDefinitions", columns, rows, _program_definition_row, limit=limit)


@calls_service(program_definitions, "show")
def show_program_definition(
    client: BenefitPrograms, definition: DefinitionId, *, namespace: OfNamespace = None
) -> Answer:
    """Show a program definition."""
    return entity(find_program_definition(client, definition, namespace))


@calls_service(program_definitions, "create")
def create_program_definition(  # noqa: PLR0913 - an option each
    client: BenefitPrograms,
    namespace: Annotated[str, typer.Argument(help="The namespace of your app.")],
    external_id: Annotated[str, typer.Argument(help="An id of your own in the namespace.")],
    *,
    display_name: Annotated[str | None, typer.Option("--display-name", help="Its name.")] = None,
    description: Annotated[str | None, typer.Option("--description", help="A description.")] = None,
    every: Every = None,
    anchor: Anchor = None,
    time_zone: TimeZone = None,
    cycles: Cycles = None,
    at_end: AfterCycles = None,
    end_date: EndDate = None,
    ends_after: EndsAfter = None,
    while_paused: Pausing = None,
    paused_days_max: PausedDaysMax = None,
) -> Answer:
    """Make a program definition, and say when its programs renew and end."""
    made = client.program_definitions.create(
        namespace=namespace,
        external_id=external_id,
        display_name=display_name,
        description=description,
        renewal_configuration=renewals(every, anchor, time_zone, cycles, at_end),
        **ends(end_date, ends_after, while_paused, paused_days_max),
    )
    return entity(made)


@calls_service(program_definitions, "timetable")
def show_timetable(  # noqa: PLR0913 - an option each
    client: BenefitPrograms,
    *,
    every: Every = None,
    anchor: Anchor = None,
    time_zone: TimeZone = None,
    cycles: Cycles = None,
    at_end: AfterCycles = None,
    end_date: EndDate = None,
    ends_after: EndsAfter = None,
    while_paused: Pausing = None,
    paused_days_max: PausedDaysMax = None,
    begin: Annotated[
        str | None,
        typer.Option(
            "--begin", help="When it would begin (ISO 8601). Default: now.", metavar="DATE"
        ),
    ] = None,
    limit: Dates = DATES_USUALLY,
) -> Answer:
    """Show what would happen to a program with these terms. Nothing is stored."""
    shown = client.program_definitions.timetable(
        renewal_configuration=renewals(every, anchor, time_zone, cycles, at_end),
        from_date=instant_of("--begin", begin),
        limit=limit,
        **ends(end_date, ends_after, while_paused, paused_days_max),
    )
    return timetable_answer(shown)


@calls_service(program_definitions, "delete")
def delete_program_definition(
    client: BenefitPrograms,
    definition: DefinitionId,
    *,
    namespace: OfNamespace = None,
    cascade: Annotated[
        KnownCascade | None,
        typer.Option(
            "--cascade",
            help=f"When its programs end: {' or '.join(CASCADES)}; without it they stay.",
            metavar="CASCADE",
        ),
    ] = None,
    yes: Yes = False,
) -> Answer:
    """Delete a program definition."""
    found = find_program_definition(client, definition, namespace)
    when = f"; its programs end ({cascade})" if cascade else "; its programs live on"
    require_consent(f"Delete program definition {found.external_id}{when}?", yes=yes)
    client.program_definitions.delete(found.id, cascade_type=Cascade(cascade) if cascade else None)
    return Answer({"deleted": found.id}, line=f"Deleted {found.id}.")


@calls_service(pool_definitions, "list")
def list_pool_definitions(
    client: BenefitPrograms,
    *,
    namespace: Namespace = None,
    program_definition: Annotated[
        str | None,
        typer.Option(
            "--program-definition-id", help="Only of this program definition.", metavar="ID"
        ),
    ] = None,
    limit: Limit = ROWS_USUALLY,
) -> Answer:
    """List pool definitions, the newest first."""
    conditions = conditions_of(namespace=namespace, program_definition_ids=program_definition)
    rows = client.pool_definitions.query(conditions)
    columns = ("ID", "NAMESPACE", "NAME", "CREDITS", "BENEFITS", "PROGRAM DEFINITIONS")
    return listing("poolDefinitions", columns, rows, _pool_definition_row, limit=limit)


@calls_service(pool_definitions, "show")
def show_pool_definition(
    client: BenefitPrograms,
    definition: Annotated[str, typer.Argument(help="Its id.", metavar="DEFINITION")],
) -> Answer:
    """Show a pool definition with its benefits."""
    return entity(client.pool_definitions.get(definition))


def find_program_definition(
    client: BenefitPrograms, definition: str, namespace: str | None
) -> ProgramDefinition:
    """A program definition by its id, or in a namespace by its external id."""
    if namespace is None:
        return client.program_definitions.get(definition)
    return client.program_definitions.get_by_external_id(definition, namespace=namespace)


def _program_definition_row(row: ProgramDefinition) -> Sequence[Any]:
    return row.id, row.namespace, row.external_id, row.display_name


def _pool_definition_row(row: PoolDefinition) -> Sequence[Any]:
    credit = row.details.credit_configuration
    return (
        row.id,
        row.namespace,
        row.display_name,
        credit.amount if credit else None,
        ", ".join(each.benefit_key for each in row.details.benefits),
        ", ".join(each.external_id or "" for each in row.program_definitions),
    )
