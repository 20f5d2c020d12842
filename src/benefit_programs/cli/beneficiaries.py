"""``benefits beneficiaries``: people, and what is kept about them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benefit_programs.cli.definitions import Yes
from benefit_programs.cli.exits import WrongUsage
from benefit_programs.cli.output import Answer
from benefit_programs.cli.programs import WAIT_SECONDS, WaitSeconds
from benefit_programs.cli.remote import (
    MemberId,
    VisitorId,
    WixUserId,
    beneficiary_of,
    calls_service,
    require_consent,
)
from benefit_programs.client import AnonymousVisitor, BenefitPrograms
from benefit_programs.client.core.wire import to_wire
from benefit_programs.storage.query.spec import LIMIT_MAX
from benefit_programs.transfer.files import FileFormat, WrongFile, open_target

commands = typer.Typer(
    name="beneficiaries",
    no_args_is_help=True,
    help="What is kept of somebody who has programs: export it, erase it, or give it to a member.",
)

COLUMNS = ("JOB", "PSEUDONYM")

NewFile = Annotated[
    Path,
    typer.Argument(dir_okay=False, metavar="FILE", help="The file to make; it must be new."),
]
VisitorToMerge = Annotated[
    str, typer.Option("--visitor", help="The anonymous visitor who had it.", metavar="ID")
]


@calls_service(commands, "erase")
def erase_beneficiary(
    client: BenefitPrograms,
    *,
    member: MemberId = None,
    wix_user: WixUserId = None,
    visitor: VisitorId = None,
    wait: WaitSeconds = WAIT_SECONDS,
    yes: Yes = False,
) -> Answer:
    """Remove somebody's personal data, end their programs, and replace their identity.

    Needs an administrator's key. The books stay as they are.
    """
    beneficiary = beneficiary_of(member, wix_user, visitor)
    if beneficiary is None:
        raise WrongUsage("whom? Use --member, --wix-user or --visitor")
    require_consent(f"Erase {beneficiary.id} for good, and end their programs?", yes=yes)
    erased = client.beneficiaries.erase(beneficiary)
    if wait:
        client.wait_for_job(erased.job_id, timeout=wait)
    return Answer(to_wire(erased), COLUMNS, [(erased.job_id, erased.beneficiary.id)])


@calls_service(commands, "export")
def export_beneficiary(
    client: BenefitPrograms,
    file: NewFile,
    *,
    member: MemberId = None,
    wix_user: WixUserId = None,
    visitor: VisitorId = None,
) -> Answer:
    """Write all that is kept of somebody into a file, one JSON object a line.

    Needs an administrator's key. Changes nothing.
    """
    beneficiary = beneficiary_of(member, wix_user, visitor)
    if beneficiary is None:
        raise WrongUsage("whom? Use --member, --wix-user or --visitor")
    count = 0
    try:
        with open_target(file, FileFormat.JSONL) as target:
            for record in client.beneficiaries.export(beneficiary).limit(LIMIT_MAX):
                target.write(to_wire(record))
                count += 1
    except WrongFile as error:
        raise WrongUsage(str(error)) from None
    document = {"file": str(file), "records": count}
    return Answer(document, line=f"{file}: {count} records")


@calls_service(commands, "merge")
def merge_beneficiary(
    client: BenefitPrograms,
    *,
    visitor: VisitorToMerge,
    member: MemberId = None,
    wix_user: WixUserId = None,
    wait: WaitSeconds = WAIT_SECONDS,
) -> Answer:
    """Give all that an anonymous visitor has to the member that the visitor turned out to be."""
    beneficiary = beneficiary_of(member, wix_user, None)
    if beneficiary is None:
        raise WrongUsage("to whom? Use --member or --wix-user")
    merged = client.beneficiaries.merge(AnonymousVisitor(visitor), beneficiary)
    if wait:
        client.wait_for_job(merged.job_id, timeout=wait)
    return Answer(to_wire(merged), COLUMNS[:1], [(merged.job_id,)])
