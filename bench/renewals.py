"""Many programs with one pool each that renew at one instant, also those that are redeemed from."""

from argparse import Namespace

from bench.due import Kind, run_due
from tests.support.crowd import let_renew

RENEWALS = Kind(
    name="renewals",
    unit="programs",
    definitions={"pools": 1},
    let_come=let_renew,
    left="select count(*) from programs where tenant_id = $1 and due <= $2",
    last="select max(created) from transactions where tenant_id = $1 and operation = 'RENEWAL'",
    redeemed="true",
)


def run_renewals(chosen: Namespace) -> bool:
    """Let programs renew, alone and beside redemptions."""
    return run_due(RENEWALS, chosen.programs, chosen)
