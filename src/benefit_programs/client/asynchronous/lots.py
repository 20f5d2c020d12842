"""Lots."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, TypeAlias

from benefit_programs.client.asynchronous.queries import AsyncListing, AsyncQuery, begin
from benefit_programs.client.asynchronous.session import AsyncMethods
from benefit_programs.client.core.calls import Call
from benefit_programs.client.core.keys import keyed
from benefit_programs.client.core.lots import LotAnswer, first_lot
from benefit_programs.client.core.queries import Plan
from benefit_programs.client.core.wire import (
    amount_text,
    changes,
    document,
    mask,
    reads,
    reads_field,
    reads_rows,
)
from benefit_programs.client.generated.filters import LotFilter, LotSort
from benefit_programs.client.types.common import UNSET, Amount, Unset
from benefit_programs.client.types.ledger import Balance
from benefit_programs.client.types.lots import ChangedLot, Lot

AsyncLotQuery: TypeAlias = AsyncQuery[Lot, LotFilter, LotSort]

_LOT = reads_field("lot", Lot)
_LOTS = reads_rows("lots", Lot)
_ANSWER = reads(LotAnswer)
_BALANCE = reads_field("balance", Balance)


class AsyncLots(AsyncMethods):
    """Credits of pools that came together and share one fate."""

    async def grant(  # noqa: PLR0913 - a field each
        self,
        pool_id: str,
        amount: Amount,
        *,
        expiration_date: datetime | None = None,
        expires_after: str | None = None,
        effective_date: datetime | None = None,
        priority: int | None = None,
        kept_at_renewal: bool | None = None,
        display_name: str | None = None,
        external_reference: str | None = None,
        additional_data: Mapping[str, Any] | None = None,
        reason: str | None = None,
        idempotency_key: str | None = None,
    ) -> ChangedLot:
        """Give a pool credits in a lot of their own. Without a key the client makes one.

        They expire at a date, or after an ISO 8601 duration such as ``P30D``, or never. If they
        begin later, there is no transaction yet. After a lost answer lot and balance are read
        again, so they may include later changes.

        Raises:
            BalanceNotFound: There is no such pool.
            AlreadyExecuted: The caller's key was used before; the error names the lot.
            TooManyLots: The pool has as many lots as it may have.
            BalanceExceededLimits: The balance would be too large.
        """
        fields = document(
            pool_id=pool_id,
            amount=amount_text(amount),
            expiration_date=expiration_date,
            expires_after=expires_after,
            effective_date=effective_date,
            priority=priority,
            kept_at_renewal=kept_at_renewal,
            display_name=display_name,
            external_reference=external_reference,
            additional_data=additional_data,
            reason=reason,
        )
        return await self._changed(
            keyed(
                "grantCredits", _ANSWER, fields, idempotency_key=idempotency_key, replay=first_lot
            )
        )

    async def get(self, lot_id: str) -> Lot:
        """Read a lot. The id of a pool stands for its standard lot.

        Raises:
            LotNotFound: There is no such lot.
        """
        return await self._session.call("getLot", _LOT, document(lot_id=lot_id))

    def list(self, pool_id: str) -> AsyncListing[Lot]:
        """List the lots of a pool that are live or still to come, in the order of their spending.

        The standard lot is always among them.

        Raises:
            BalanceNotFound: There is no such pool.
        """
        plan = Plan(
            name="listLots",
            read=_LOTS,
            paging_field="cursorPaging",
            beside=document(pool_id=pool_id),
        )
        return AsyncListing(self._session, plan)

    def query(
        self,
        filter: LotFilter | None = None,  # noqa: A002 - the contract's own word
        *,
        sort: Sequence[LotSort] = (),
    ) -> AsyncLotQuery:
        """Find lots of all pools. Standard lots aren't among them."""
        return begin(self._session, Plan(name="queryLots", read=_LOTS), filter, sort)

    async def update(  # noqa: PLR0913 - a field each
        self,
        lot_id: str,
        *,
        revision: int,
        expiration_date: datetime | Unset | None = UNSET,
        priority: int | Unset | None = UNSET,
        kept_at_renewal: bool | Unset | None = UNSET,
        display_name: str | Unset | None = UNSET,
        external_reference: str | Unset | None = UNSET,
        additional_data: Mapping[str, Any] | Unset | None = UNSET,
        field_mask: Collection[
            Literal[
                "expiration_date",
                "priority",
                "kept_at_renewal",
                "display_name",
                "external_reference",
                "additional_data",
            ]
        ]
        | None = None,
        reason: str | None = None,
    ) -> Lot:
        """Change the terms that are given; None is the default, and lets a lot live for ever.

        Raises:
            LotNotFound: There is no such lot.
            LotIsStandard: It is the standard lot of a pool.
            InvalidRevision: It was changed since.
            LotExpired: It has expired.
        """
        changed = changes(
            id=lot_id,
            revision=revision,
            expiration_date=expiration_date,
            priority=priority,
            kept_at_renewal=kept_at_renewal,
            display_name=display_name,
            external_reference=external_reference,
            additional_data=additional_data,
        )
        fields = {"lot": changed, **document(field_mask=mask(field_mask), reason=reason)}
        return await self._session.call("updateLot", _LOT, fields)

    async def expire(
        self, lot_id: str, *, reason: str | None = None, idempotency_key: str | None = None
    ) -> ChangedLot:
        """End a lot now: what is available lapses. Without a key the client makes one.

        What reservations hold of it can still be spent.

        Raises:
            LotNotFound: There is no such lot.
            LotIsStandard: It is the standard lot of a pool.
            AlreadyExecuted: The caller's key was used before; the error names the lot.
            LotExpired: It has expired already.
        """
        fields = document(lot_id=lot_id, reason=reason)
        return await self._changed(
            keyed("expireLot", _ANSWER, fields, idempotency_key=idempotency_key, replay=first_lot)
        )

    async def _changed(self, call: Call[LotAnswer]) -> ChangedLot:
        """Send a change. After a lost answer read what it has left."""
        answer = await self._session.send(call)
        lot, balance = answer.lot, answer.balance
        if lot is None:
            lot = await self.get(answer.lot_id or "")
        if balance is None:
            balance = await self._session.call(
                "getBalance", _BALANCE, document(pool_id=lot.pool_id)
            )
        return ChangedLot(lot=lot, balance=balance, transaction_id=answer.transaction_id)
