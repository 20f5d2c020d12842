"""``benefits programs``: the programs of members."""

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
from benefit_programs.cli.definitions import OfNamespace, Yes
from benefit_programs.cli.exits import WrongUsage
from benefit_programs.cli.output import Answer
from benefit_programs.cli.remote import (
    ROWS_USUALLY,
    IdempotencyKey,
    Limit,
    MemberId,
    Namespace,
    Reason,
    VisitorId,
    WixUserId,
    beneficiary_of,
    calls_service,
    conditions_of,
    entity,
    instant_of,
    listing,
    require_consent,
)
from benefit_programs.cli.scheduled_changes import change_answer
from benefit_programs.client import UNSET, BenefitPrograms, Program, StartStatus
from benefit_programs.client.core.wire import to_wire

commands = typer.Typer(
    name="programs",
    no_args_is_help=True,
    help="Provision programs, look at them, and let them live and end.",
)

ProgramId = Annotated[
    str, typer.Argument(help="Its id, or with --namespace its external id.", metavar="PROGRAM")
]
WAIT_SECONDS = 60.0
WAIT_SECONDS_MAX = 86_400.0


def _duration(seconds: float) -> float:
    if not 0 <= seconds <= WAIT_SECONDS_MAX:  # which is also true of what is no number
        raise WrongUsage(f"--wait: must be 0 to {WAIT_SECONDS_MAX:g} seconds")
    return seconds


WaitSeconds = Annotated[
    float,
    typer.Option(
        "--wait",
        callback=_duration,
        help="How long to wait for the job; 0: not at all.",
        metavar="SECONDS",
    ),
]
Date = Annotated[
    str | None,
    typer.Option("--date", help="When (ISO 8601). Default: now.", metavar="DATE"),
]
COLUMNS = ("ID", "NAMESPACE", "EXTERNAL ID", "STATUS", "BENEFICIARY", "NAME")


@calls_service(commands, "list")
def list_programs(
    client: BenefitPrograms,
    *,
    namespace: Namespace = None,
    status: Annotated[
        str | None, typer.Option("--status", help="Only with this status.", metavar="STATUS")
    ] = None,
    member: MemberId = None,
    wix_user: WixUserId = None,
    visitor: VisitorId = None,
    limit: Limit = ROWS_USUALLY,
) -> Answer:
    """List programs, the newest first."""
    beneficiary = beneficiary_of(member, wix_user, visitor)
    conditions = conditions_of(namespace=namespace, status=status, beneficiary=beneficiary)
    rows = client.programs.query(conditions)
    return listing("programs", COLUMNS, rows, _row, limit=limit)


@calls_service(commands, "show")
def show_program(
    client: BenefitPrograms, program: ProgramId, *, namespace: OfNamespace = None
) -> Answer:
    """Show a program."""
    return entity(_find(client, program, namespace))


@calls_service(commands, "provision")
def provision_program(  # noqa: PLR0913 - an option each
    client: BenefitPrograms,
    namespace: Annotated[str, typer.Argument(help="The namespace of your app.")],
    external_id: Annotated[str, typer.Argument(help="An id of your own in the namespace.")],
    *,
    definition: Annotated[
        str | None,
        typer.Option(
            "--definition",
            help="The external id of its program definition in the namespace.",
            metavar="EXTERNAL_ID",
        ),
    ] = None,
    definition_id: Annotated[
        str | None,
        typer.Option("--definition-id", help="The id of its program definition.", metavar="ID"),
    ] = None,
    pool_definition_id: Annotated[
        str | None,
        typer.Option(
            "--pool-definition-id", help="Or the id of a single pool definition.", metavar="ID"
        ),
    ] = None,
    member: MemberId = None,
    wix_user: WixUserId = None,
    visitor: VisitorId = None,
    display_name: Annotated[str | None, typer.Option("--display-name", help="Its name.")] = None,
    paused: Annotated[bool, typer.Option("--paused", help="Start it paused.")] = False,
    every: Every = None,
    anchor: Anchor = None,
    time_zone: TimeZone = None,
    cycles: Cycles = None,
    at_end: AfterCycles = None,
    end_date: EndDate = None,
    ends_after: EndsAfter = None,
    while_paused: Pausing = None,
    paused_days_max: PausedDaysMax = None,
    wait: WaitSeconds = WAIT_SECONDS,
    reason: Reason = None,
) -> Answer:
    """Provision a program for a beneficiary."""
    beneficiary = beneficiary_of(member, wix_user, visitor)
    if beneficiary is None:
        raise WrongUsage("for whom? Use --member, --wix-user or --visitor")
    if [definition, definition_id, pool_definition_id].count(None) != 2:  # noqa: PLR2004 - of 3
        raise WrongUsage("use one of --definition, --definition-id and --pool-definition-id")
    if definition is not None:
        found = client.program_definitions.get_by_external_id(definition, namespace=namespace)
        definition_id = found.id
    provisioned = client.programs.provision(
        beneficiary=beneficiary,
        namespace=namespace,
        external_program_id=external_id,
        program_definition_id=definition_id,
        pool_definition_id=pool_definition_id,
        display_name=display_name,
        program_status=StartStatus.PAUSED if paused else None,
        renewal_configuration=renewals(every, anchor, time_zone, cycles, at_end),
        **ends(end_date, ends_after, while_paused, paused_days_max),
        reason=reason,
    )
    return _after(client, provisioned.program.id, provisioned.job_id, wait)


@calls_service(commands, "pause")
def pause_program(
    client: BenefitPrograms,
    program: ProgramId,
    *,
    namespace: OfNamespace = None,
    date: Date = None,
    until: Annotated[
        str | None,
        typer.Option("--until", help="When it resumes by itself (ISO 8601).", metavar="DATE"),
    ] = None,
    reason: Reason = None,
    idempotency_key: IdempotencyKey = None,
    wait: WaitSeconds = WAIT_SECONDS,
) -> Answer:
    """Pause an active program and its pools, now or at a date."""
    found = _find(client, program, namespace)
    until_date = instant_of("--until", until)
    if (at := instant_of("--date", date)) is not None:
        change = client.programs.schedule_pause(
            found.id, date=at, until_date=until_date, reason=reason, idempotency_key=idempotency_key
        )
        return change_answer(change)
    started = client.programs.pause(
        found.id, until_date=until_date, reason=reason, idempotency_key=idempotency_key
    )
    return _after(client, found.id, started.job_id, wait)


@calls_service(commands, "resume")
def resume_program(
    client: BenefitPrograms,
    program: ProgramId,
    *,
    namespace: OfNamespace = None,
    date: Date = None,
    reason: Reason = None,
    idempotency_key: IdempotencyKey = None,
    wait: WaitSeconds = WAIT_SECONDS,
) -> Answer:
    """Resume a paused program and its pools, now or at a date."""
    found = _find(client, program, namespace)
    if (at := instant_of("--date", date)) is not None:
        change = client.programs.schedule_resume(
            found.id, date=at, reason=reason, idempotency_key=idempotency_key
        )
        return change_answer(change)
    started = client.programs.resume(found.id, reason=reason, idempotency_key=idempotency_key)
    return _after(client, found.id, started.job_id, wait)


@calls_service(commands, "renew")
def renew_program(
    client: BenefitPrograms,
    program: ProgramId,
    *,
    namespace: OfNamespace = None,
    restart_timetable: Annotated[
        bool, typer.Option("--restart-timetable", help="Count its timetable from now.")
    ] = False,
    reason: Reason = None,
    idempotency_key: IdempotencyKey = None,
    wait: WaitSeconds = WAIT_SECONDS,
) -> Answer:
    """Start a new cycle: old credits lapse or roll over, and new ones are granted."""
    found = _find(client, program, namespace)
    started = client.programs.renew(
        found.id,
        restart_timetable=restart_timetable,
        reason=reason,
        idempotency_key=idempotency_key,
    )
    return _after(client, found.id, started.job_id, wait)


@calls_service(commands, "update")
def update_program(  # noqa: PLR0913 - an option each
    client: BenefitPrograms,
    program: ProgramId,
    *,
    namespace: OfNamespace = None,
    display_name: Annotated[str | None, typer.Option("--display-name", help="Its name.")] = None,
    every: Every = None,
    anchor: Anchor = None,
    time_zone: TimeZone = None,
    cycles: Cycles = None,
    at_end: AfterCycles = None,
    never_renews: Annotated[
        bool, typer.Option("--never-renews", help="Take its timetable away.")
    ] = False,
    end_date: EndDate = None,
    never_ends: Annotated[bool, typer.Option("--never-ends", help="Take its end away.")] = False,
    while_paused: Pausing = None,
    paused_days_max: PausedDaysMax = None,
    reason: Reason = None,
) -> Answer:
    """Change what options name. Another timetable begins now, with cycle 1."""
    if never_renews and every:
        raise WrongUsage("--every and --never-renews contradict each other: use one")
    if never_ends and end_date:
        raise WrongUsage("--end-date and --never-ends contradict each other: use one")
    dates = ends(end_date, None, while_paused, paused_days_max)
    del dates["ends_after"]
    renewal = renewals(every, anchor, time_zone, cycles, at_end)
    given = dates | {"display_name": display_name, "renewal_configuration": renewal}
    changed: dict[str, Any] = {
        name: UNSET if value is None else value for name, value in given.items()
    }
    if never_renews:
        changed["renewal_configuration"] = None
    if never_ends:
        changed["end_date"] = None
    if all(value is UNSET for value in changed.values()):
        raise WrongUsage("change what? Name it with an option")
    found = _find(client, program, namespace)
    return entity(
        client.programs.update(found.id, revision=found.revision, reason=reason, **changed)
    )


@calls_service(commands, "timetable")
def show_timetable(
    client: BenefitPrograms,
    program: ProgramId,
    *,
    namespace: OfNamespace = None,
    limit: Dates = DATES_USUALLY,
) -> Answer:
    """Show when a program renews, pauses, resumes and ends by itself, and why."""
    found = _find(client, program, namespace)
    return timetable_answer(client.programs.timetable(found.id, limit=limit))


@calls_service(commands, "end")
def end_program(
    client: BenefitPrograms,
    program: ProgramId,
    *,
    namespace: OfNamespace = None,
    date: Date = None,
    wait: WaitSeconds = WAIT_SECONDS,
    yes: Yes = False,
    reason: Reason = None,
) -> Answer:
    """End a program and its pools, for good, now or at a date."""
    found = _find(client, program, namespace)
    at = instant_of("--date", date)
    when = "" if at is None else f" at {to_wire(at)}"
    require_consent(f"End program {found.external_id} for good{when}?", yes=yes)
    if at is not None:
        return change_answer(client.programs.schedule_end(found.id, date=at, reason=reason))
    return _after(client, found.id, client.programs.end(found.id, reason=reason).job_id, wait)


def _find(client: BenefitPrograms, program: str, namespace: str | None) -> Program:
    if namespace is None:
        return client.programs.get(program)
    return client.programs.get_by_external_id(program, namespace=namespace)


def _after(client: BenefitPrograms, program_id: str, job_id: str, seconds: float) -> Answer:
    """The program as its job has left it."""
    if seconds:
        client.wait_for_job(job_id, timeout=seconds)
    program = client.programs.get(program_id)
    document = {"program": to_wire(program), "jobId": job_id}
    return Answer(document, COLUMNS, [_row(program)])


def _row(row: Program) -> Sequence[Any]:
    return (
        row.id,
        row.namespace,
        row.external_id,
        row.status,
        row.beneficiary.id,
        row.display_name,
    )
