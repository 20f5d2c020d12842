"""Many lots that expire at one instant, and as many pools that have none."""

from argparse import Namespace

from bench.due import Kind, run_due
from tests.support.crowd import let_expire

EXPIRY = Kind(
    name="expiry",
    unit="lots",
    definitions={"expires_after": "P1D"},
    let_come=let_expire,
    left="select count(*) from pools where tenant_id = $1 and due <= $2",
    last="select max(created) from transactions where tenant_id = $1 and operation = 'EXPIRY'",
    redeemed="in_lots = 0",
)


def run_expiry(chosen: Namespace) -> bool:
    """Let lots expire, alone and beside redemptions."""
    return run_due(EXPIRY, max(chosen.pools), chosen)
