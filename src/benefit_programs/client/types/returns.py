"""What goes beside redemptions: cancellations, moves, redemptions by whichever pools pay."""

from __future__ import annotations

from decimal import Decimal

from benefit_programs.client.generated.enums import CancellationStatus
from benefit_programs.client.types.base import Part
from benefit_programs.client.types.bulk import EntryError
from benefit_programs.client.types.pools import Redemption


class Cancellation(Redemption, frozen=True, kw_only=True):
    """The transaction that gave credits back.

    How many items are canceled now, what came back and what didn't are there only if not all of it
    came back, or if the call named a total or overrode the terms.
    """

    total_count: int | None = None
    returned: Decimal | None = None
    forfeited: Decimal | None = None


class CanceledItems(Part, frozen=True, kw_only=True):
    """How many items of a redemption are canceled now, and what came back by the call.

    Without a transaction it has changed nothing. The figures are missing if the answer was lost
    and the call was repeated.
    """

    transaction_id: str | None = None
    total_count: int | None = None
    returned: Decimal | None = None
    forfeited: Decimal | None = None


class ReferencedCancellation(Part, frozen=True, kw_only=True):
    """What became of one redemption or reservation with an external reference."""

    transaction_id: str
    pool_id: str
    status: CancellationStatus
    cancellation_transaction_id: str | None = None
    returned: Decimal | None = None
    forfeited: Decimal | None = None
    error: EntryError | None = None


class MovedRedemption(Redemption, frozen=True, kw_only=True):
    """The new redemption, and the cancellation of the old one.

    What came back is missing if the answer was lost and the call was repeated.
    """

    cancellation_transaction_id: str | None = None
    returned: Decimal | None = None


class PaidRedemption(Redemption, frozen=True, kw_only=True):
    """What one benefit has paid of a redemption by whichever pools pay."""

    pool_id: str
    benefit_key: str
    count: int
    amount: Decimal
