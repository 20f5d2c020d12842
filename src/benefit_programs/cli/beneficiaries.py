"""``benefits beneficiaries``: people, and what is kept about them."""

from __future__ import annotations

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
from benefit_programs.client import BenefitPrograms
from benefit_programs.client.core.wire import to_wire

commands = typer.Typer(
    name="beneficiaries",
    no_args_is_help=True,
    help="Remove what is personal about somebody who has programs.",
)

COLUMNS = ("JOB", "PSEUDONYM")


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
    """Remove all that is personal about somebody, end their programs, and name them anew.

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
