"""``benefits people``: who beneficiaries are, and how they are found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from benefit_programs.cli.definitions import Yes
from benefit_programs.cli.exits import ExitCode, NotThere, WrongUsage
from benefit_programs.cli.output import Answer, progress_bar
from benefit_programs.cli.people_files import COLUMNS, Outcome, PeopleImport, Report, row_of
from benefit_programs.cli.remote import (
    ROWS_USUALLY,
    Limit,
    MemberId,
    VisitorId,
    WixUserId,
    beneficiary_of,
    calls_service,
    entity,
    listing,
    require_consent,
)
from benefit_programs.client import (
    BenefitPrograms,
    FoundPeople,
    Identity,
    Person,
    ProvidedPerson,
)
from benefit_programs.client.core.wire import to_wire
from benefit_programs.domain.settings import IdMode
from benefit_programs.storage.query.spec import LIMIT_MAX
from benefit_programs.transfer.files import FileFormat, Source, WrongFile, format_of, open_target

commands = typer.Typer(
    name="people",
    no_args_is_help=True,
    help="Say who beneficiaries are, one by one or from a file, and find them by name.",
)

FINDINGS_DEFAULT = 50
FINDINGS_MAX = 100_000
"""How many errors one call shows at the most; they are kept in memory until the end."""

_HEADINGS = ("BENEFICIARY", "NAME", "E-MAIL", "PHONE")

Format = Annotated[
    FileFormat | None,
    typer.Option(
        "--format", help="csv or jsonl. Default: by the name of the file.", metavar="FORMAT"
    ),
]


def name_of(person: Person | ProvidedPerson) -> str:
    """A line that tells a person from others."""
    said = (person.display_name, person.email, person.phone)
    return ", ".join(filter(None, said)) or person.beneficiary.id


@calls_service(commands, "set")
def set_person(
    client: BenefitPrograms,
    *,
    member: MemberId = None,
    wix_user: WixUserId = None,
    visitor: VisitorId = None,
    name: Annotated[str | None, typer.Option("--name", help="The name.")] = None,
    email: Annotated[str | None, typer.Option("--email", help="The e-mail address.")] = None,
    phone: Annotated[str | None, typer.Option("--phone", help="The telephone number.")] = None,
    note: Annotated[str | None, typer.Option("--note", help="What the staff should know.")] = None,
) -> Answer:
    """Say who a beneficiary is, in place of what was said before."""
    beneficiary = _required(member, wix_user, visitor)
    return entity(
        client.people.set(beneficiary, display_name=name, email=email, phone=phone, note=note)
    )


@calls_service(commands, "show")
def show_person(
    client: BenefitPrograms,
    *,
    member: MemberId = None,
    wix_user: WixUserId = None,
    visitor: VisitorId = None,
) -> Answer:
    """Show who a beneficiary is."""
    beneficiary = _required(member, wix_user, visitor)
    found = client.people.look_up([beneficiary])
    if found.people and (found.people[0].display_name or not found.provided):
        return entity(found.people[0])
    if found.provided:
        return entity(found.provided[0])
    raise NotThere(f"nobody has said who {beneficiary.id} is; {problem_of(found)}".rstrip("; "))


@calls_service(commands, "delete")
def delete_person(
    client: BenefitPrograms,
    *,
    member: MemberId = None,
    wix_user: WixUserId = None,
    visitor: VisitorId = None,
    yes: Yes = False,
) -> Answer:
    """Forget who a beneficiary is. Programs stay; `benefits beneficiaries erase` erases more."""
    person = _known(client, _required(member, wix_user, visitor))
    require_consent(f"Forget who {person.beneficiary.id} is?", yes=yes)
    client.people.delete(person.id)
    return Answer({"id": person.id}, line=f"{person.beneficiary.id}: forgotten")


@calls_service(commands, "search")
def search_people(
    client: BenefitPrograms,
    text: Annotated[
        str,
        typer.Argument(
            metavar="TEXT", help="Beginnings of words of name, e-mail address, phone or id."
        ),
    ],
    *,
    limit: Limit = ROWS_USUALLY,
) -> Answer:
    """Find people by the beginnings of words, and those whom the tenant's provider finds."""
    found = client.people.search(text).limit(min(limit + 1, LIMIT_MAX))
    answer = listing("people", _HEADINGS, found, _line, limit=limit)
    other = client.people.find(text, limit=min(limit, LIMIT_MAX))
    beside = to_wire(other)
    more = {name: beside[name] for name in ("provided", "providerProblem") if beside.get(name)}
    return replace(
        answer,
        document=answer.document | more,
        rows=[*answer.rows, *map(_line, other.provided)],
        line="\n".join(filter(None, (answer.line, problem_of(other)))),
    )


@calls_service(commands, "list")
def list_people(client: BenefitPrograms, *, limit: Limit = ROWS_USUALLY) -> Answer:
    """List people, the newest first."""
    found = client.people.query().limit(min(limit + 1, LIMIT_MAX))
    return listing("people", _HEADINGS, found, _line, limit=limit)


@calls_service(commands, "export")
def export_people(
    client: BenefitPrograms,
    file: Annotated[
        Path,
        typer.Argument(
            dir_okay=False, metavar="FILE", help="The file to make: .csv or .jsonl; it must be new."
        ),
    ],
    *,
    file_format: Format = None,
) -> Answer:
    """Write all people into a file that `benefits people import` reads."""
    count = 0
    try:
        with open_target(file, format_of(file, file_format), columns=COLUMNS) as target:
            for person in client.people.query().limit(LIMIT_MAX):
                target.write(row_of(person))
                count += 1
    except WrongFile as error:
        raise WrongUsage(str(error)) from None
    return Answer({"file": str(file), "people": count}, line=f"{file}: {count} people")


@calls_service(commands, "import")
def import_people(
    client: BenefitPrograms,
    file: Annotated[
        Path,
        typer.Argument(
            exists=True,
            dir_okay=False,
            readable=True,
            metavar="FILE",
            help="The file: .csv, or .jsonl with one JSON object a line.",
        ),
    ],
    *,
    file_format: Format = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only report what would be done.")
    ] = False,
    errors_max: Annotated[
        int,
        typer.Option(
            "--errors-max",
            min=0,
            max=FINDINGS_MAX,
            metavar="N",
            help="How many errors to show; all are counted.",
        ),
    ] = FINDINGS_DEFAULT,
) -> Answer:
    """Say who the beneficiaries of a file are. Run it again to continue after a stop.

    A row replaces what was said of its beneficiary. Ends with 1 if a row can't be used.
    """
    ids = IdMode(client.settings.get().id_mode)
    work = PeopleImport(client, ids, findings_max=errors_max, dry_run=dry_run)
    try:
        chosen = format_of(file, file_format)
        with file.open("rb") as opened, progress_bar(file.stat().st_size) as show:
            source = Source(opened, chosen, columns=COLUMNS, required=())
            for report in work.run(source):
                show(source.position, f"{report.rows} rows")
    except WrongFile as error:
        raise WrongUsage(str(error)) from None
    return _imported(work.report, dry_run=dry_run)


def _imported(report: Report, *, dry_run: bool) -> Answer:
    counts = report.outcomes
    made = "would be created" if dry_run else "created"
    lines = [
        f"line {each.line}: {each.field} {each.description} [{each.rule}]".replace(":  ", ": ")
        for each in report.findings
    ]
    if report.findings_left_off:
        lines.append(f"... and {report.findings_left_off} more")
    lines.append(
        f"{report.rows} rows: {counts[Outcome.CREATED]} {made}, {counts[Outcome.CHANGED]} changed, "
        f"{counts[Outcome.UNCHANGED]} unchanged, {counts[Outcome.INVALID]} invalid"
    )
    document = {
        "dryRun": dry_run,
        "rows": report.rows,
        **{str(outcome).lower(): count for outcome, count in counts.items()},
        "findings": msgspec.to_builtins(report.findings),
        "findingsLeftOff": report.findings_left_off,
    }
    code = ExitCode.FAILED if counts[Outcome.INVALID] else ExitCode.DONE
    return Answer(document, line="\n".join(lines), code=code)


def _required(member: str | None, wix_user: str | None, visitor: str | None) -> Identity:
    beneficiary = beneficiary_of(member, wix_user, visitor)
    if beneficiary is None:
        raise WrongUsage("who? Use --member, --wix-user or --visitor")
    return beneficiary


def _known(client: BenefitPrograms, beneficiary: Identity) -> Person:
    found = client.people.look_up([beneficiary], directory_only=True).people
    if not found:
        raise NotThere(f"nobody has said who {beneficiary.id} is")
    return found[0]


def problem_of(found: FoundPeople) -> str:
    """What is wrong with the tenant's provider of people; empty if nothing is."""
    return found.provider_problem.message if found.provider_problem else ""


def _line(person: Person | ProvidedPerson) -> tuple[str | None, ...]:
    return person.beneficiary.id, person.display_name, person.email, person.phone
