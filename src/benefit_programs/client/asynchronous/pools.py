"""Pools, and what can be done with their benefits."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, TypeAlias
from uuid import uuid4

from benefit_programs.client.asynchronous.queries import AsyncQuery, begin
from benefit_programs.client.asynchronous.session import AsyncMethods
from benefit_programs.client.core.keys import (
    first_canceled_items,
    first_cancellation,
    first_move,
    first_payment,
    first_redemption,
    keyed,
)
from benefit_programs.client.core.queries import Plan
from benefit_programs.client.core.wire import (
    changes,
    document,
    mask,
    masked,
    reads,
    reads_field,
    reads_list,
    reads_rows,
)
from benefit_programs.client.generated.enums import Intent, PoolStatus
from benefit_programs.client.generated.filters import PoolFilter, PoolSort
from benefit_programs.client.types.bulk import BulkResult
from benefit_programs.client.types.common import UNSET, ItemReference, Namespaces, Unset
from benefit_programs.client.types.details import Details, DetailsChange
from benefit_programs.client.types.identities import Identity
from benefit_programs.client.types.pools import (
    BenefitSelector,
    Eligibility,
    EligibleBenefit,
    NewRedemption,
    Pool,
    PoolChange,
    Redemption,
    SelectedEligibility,
)
from benefit_programs.client.types.returns import (
    CanceledItems,
    Cancellation,
    MovedRedemption,
    PaidRedemption,
    ReferencedCancellation,
)

AsyncPoolQuery: TypeAlias = AsyncQuery[Pool, PoolFilter, PoolSort]

_ENTITY = reads_field("pool", Pool)
_ROWS = reads_rows("pools", Pool)
_BULK = reads(BulkResult[Pool])
_REDEMPTION = reads(Redemption)
_REDEMPTIONS = reads(BulkResult[Redemption])
_CANCELLATION = reads(Cancellation)
_CANCELED_ITEMS = reads(CanceledItems)
_REFERENCED = reads_list("results", ReferencedCancellation)
_MOVED = reads(MovedRedemption)
_PAID = reads_list("redemptions", PaidRedemption)
_ELIGIBILITY = reads_field("result", Eligibility)
_ELIGIBILITIES = reads_list("results", Eligibility)
_SELECTED = reads_list("results", SelectedEligibility)
_ELIGIBLE = reads_list("eligibleBenefits", EligibleBenefit)


class AsyncPools(AsyncMethods):
    """Live copies of pool definitions, with one balance of credits each."""

    async def redeem(  # noqa: PLR0913 - the contract's
        self,
        pool_id: str,
        *,
        benefit_key: str,
        item_reference: ItemReference,
        namespace: str,
        count: int | None = None,
        target_date: datetime | None = None,
        beneficiary: Identity | None = None,
        additional_data: Mapping[str, Any] | None = None,
        external_reference: str | None = None,
        reason: str | None = None,
        idempotency_key: str | None = None,
    ) -> Redemption:
        """Spend the price times the count in credits of a pool on an item.

        The credits are spent at once; policies are judged at the target date. Without a key the
        client makes one, so that a repeated call after a lost answer spends nothing twice.

        Raises:
            PoolNotFound: There is no such pool in the namespace, or it has another owner.
            BenefitNotFound: The pool has no such benefit, or the benefit doesn't hold the item.
            BenefitAlreadyRedeemed: The key was used before; the error names the transaction.
            PoolNotActive: The pool is paused or has ended.
            PolicyExpressionEvaluatedToFalse: A policy doesn't allow it.
            NotEnoughBalance: The balance can't pay.
        """
        fields = document(
            pool_id=pool_id,
            benefit_key=benefit_key,
            item_reference=item_reference,
            namespace=namespace,
            count=count,
            target_date=target_date,
            beneficiary=beneficiary,
            additional_data=additional_data,
            external_reference=external_reference,
            reason=reason,
        )
        return await self._redeem("redeemBenefit", fields, idempotency_key)

    async def bulk_redeem(self, redemptions: Sequence[NewRedemption]) -> BulkResult[Redemption]:
        """Redeem 1 to 100 times; each succeeds or fails alone."""
        fields = document(redemptions=redemptions)
        return await self._session.call("bulkRedeemBenefits", _REDEMPTIONS, fields)

    async def reallocate(
        self,
        transaction_id: str,
        *,
        target_date: datetime,
        beneficiary: Identity,
        namespace: str,
        reason: str | None = None,
        idempotency_key: str | None = None,
    ) -> Redemption:
        """Move a redemption, named by its latest transaction, to another date.

        Raises:
            TransactionNotFound: There is no such transaction.
            PoolNotFound: The pool has another namespace or beneficiary.
            AlreadyExecuted: The caller's key was used before; the error names the transaction.
            NotLatestTransaction: It was reallocated before; the error names the latest.
            RedemptionAlreadyCanceled: It was canceled or reverted.
            TransactionNotReallocatable: It isn't a redemption, or its benefit is gone.
            PoolNotActive: The pool is paused or has ended.
            PolicyExpressionEvaluatedToFalse: A policy doesn't allow the new date.
        """
        fields = document(
            transaction_id=transaction_id,
            target_date=target_date,
            beneficiary=beneficiary,
            namespace=namespace,
            reason=reason,
        )
        return await self._redeem("reallocateBenefit", fields, idempotency_key)

    async def cancel_redemption(
        self, transaction_id: str, *, reason: str | None = None, idempotency_key: str | None = None
    ) -> Cancellation:
        """Give the credits of a redemption back, named by its latest transaction.

        What the benefit's cancellation terms don't let back is ``forfeited``.

        Raises:
            TransactionNotFound: There is no such transaction.
            AlreadyExecuted: The caller's key was used before; the error names the transaction.
            NotLatestTransaction: It was reallocated; the error names the latest.
            RedemptionAlreadyCanceled: It was canceled or reverted before.
            TransactionNotCancelable: It isn't a redemption.
        """
        call = keyed(
            "cancelRedemption",
            _CANCELLATION,
            document(transaction_id=transaction_id, reason=reason),
            idempotency_key=idempotency_key,
            replay=first_cancellation,
        )
        return await self._session.send(call)

    async def cancel_items(
        self,
        transaction_id: str,
        *,
        total_count: int | None = None,
        override: bool = False,
        reason: str | None = None,
        idempotency_key: str | None = None,
    ) -> CanceledItems:
        """Give the credits of some items of a redemption back, or with ``override`` all credits.

        ``total_count`` is how many of its items are canceled after this, in all; None: all. If as
        many are canceled already, nothing changes, and there is no transaction.

        Raises:
            TransactionNotFound: There is no such transaction.
            AlreadyExecuted: The caller's key was used before; the error names the transaction.
            NotLatestTransaction: It was reallocated; the error names the latest.
            RedemptionAlreadyCanceled: It was reverted or moved, or canceled and no total is given.
            TransactionNotCancelable: It isn't a redemption.
            ValidationError: It has fewer items.
        """
        call = keyed(
            "cancelRedemption",
            _CANCELED_ITEMS,
            document(
                transaction_id=transaction_id,
                total_count=total_count,
                override=override,
                reason=reason,
            ),
            idempotency_key=idempotency_key,
            replay=first_canceled_items,
        )
        return await self._session.send(call)

    async def cancel_by_reference(
        self,
        external_reference: str,
        *,
        namespace: str,
        override: bool = False,
        reason: str | None = None,
        idempotency_key: str | None = None,
    ) -> tuple[ReferencedCancellation, ...]:
        """Cancel all redemptions and reservations with an external reference, pool by pool.

        If it fails on the way, call it again with the same key: it goes on where it was.

        Raises:
            AlreadyExecuted: The key was used for another reference.
            TooManyReferenced: There are too many of them for one call.
        """
        fields = document(
            external_reference=external_reference,
            namespace=namespace,
            override=override,
            idempotency_key=idempotency_key or str(uuid4()),
            reason=reason,
        )
        return await self._session.call("cancelByReference", _REFERENCED, fields)

    async def move_redemption(
        self,
        transaction_id: str,
        pool_id: str,
        *,
        benefit_key: str | None = None,
        reason: str | None = None,
        idempotency_key: str | None = None,
    ) -> MovedRedemption:
        """Let another pool of the same beneficiary pay for a redemption.

        Without a key of a benefit the first one of that pool pays that holds the item.

        Raises:
            TransactionNotFound: There is no such transaction.
            AlreadyExecuted: The caller's key was used before; the error names the transaction.
            TransactionNotMovable: It isn't a redemption.
            NotLatestTransaction: It was reallocated; the error names the latest.
            RedemptionAlreadyCanceled: It was canceled, reverted or moved.
            PoolNotFound: There is no such pool of the beneficiary in the namespace.
            PoolNotActive: The pool is paused or has ended.
            BenefitNotFound: The pool has no such benefit, or none that holds the item.
            PolicyExpressionEvaluatedToFalse: A policy doesn't allow it.
            NotEnoughBalance: The balance can't pay.
            ValidationError: The pool pays already.
        """
        call = keyed(
            "moveRedemption",
            _MOVED,
            document(
                transaction_id=transaction_id,
                pool_id=pool_id,
                benefit_key=benefit_key,
                reason=reason,
            ),
            idempotency_key=idempotency_key,
            replay=first_move,
        )
        return await self._session.send(call)

    async def redeem_eligible(  # noqa: PLR0913 - a redemption's
        self,
        *,
        item_reference: ItemReference,
        namespace: str,
        beneficiary: Identity,
        count: int | None = None,
        target_date: datetime | None = None,
        additional_data: Mapping[str, Any] | None = None,
        external_reference: str | None = None,
        split: bool | None = None,
        reason: str | None = None,
        idempotency_key: str | None = None,
    ) -> tuple[PaidRedemption, ...]:
        """Redeem an item from whichever benefit of a beneficiary pays: one, unless they may split.

        Credits that expire soonest pay first, then the oldest pool. With ``split`` several benefits
        may pay together, each for whole items: for all of them, or for none.

        Raises:
            NoEligibleBenefit: None pays; the error says why, benefit by benefit.
            EligibleAlreadyRedeemed: The caller's key was used before; it has the redemptions.
            InvalidItemReference: No benefit of the namespace has items of the provider app.
        """
        fields = document(
            item_reference=item_reference,
            namespace=namespace,
            beneficiary=beneficiary,
            count=count,
            target_date=target_date,
            additional_data=additional_data,
            external_reference=external_reference,
            split=split,
            reason=reason,
        )
        call = keyed(
            "redeemEligible",
            _PAID,
            fields,
            idempotency_key=idempotency_key,
            replay=first_payment,
        )
        return await self._session.send(call)

    async def _redeem(self, name: str, fields: dict[str, Any], key: str | None) -> Redemption:
        call = keyed(name, _REDEMPTION, fields, idempotency_key=key, replay=first_redemption)
        return await self._session.send(call)

    async def check_eligibility(  # noqa: PLR0913 - the contract's
        self,
        pool_id: str,
        *,
        item_reference: ItemReference,
        namespace: str,
        benefit_key: str | None = None,
        count: int | None = None,
        target_date: datetime | None = None,
        beneficiary: Identity | None = None,
        additional_data: Mapping[str, Any] | None = None,
        intent: Intent | None = None,
    ) -> Eligibility:
        """Check for each benefit of a pool that holds the item whether it can be redeemed."""
        fields = document(
            pool_id=pool_id,
            item_reference=item_reference,
            namespace=namespace,
            benefit_key=benefit_key,
            count=count,
            target_date=target_date,
            beneficiary=beneficiary,
            additional_data=additional_data,
            intent=intent,
        )
        return await self._session.call("checkBenefitEligibility", _ELIGIBILITY, fields)

    async def bulk_check_eligibility(
        self,
        benefit_selectors: Sequence[BenefitSelector],
        *,
        namespace: str,
        beneficiary: Identity | None = None,
    ) -> tuple[SelectedEligibility, ...]:
        """Answer 1 to 100 questions about pools and items, in their order."""
        fields = document(
            benefit_selectors=benefit_selectors, namespace=namespace, beneficiary=beneficiary
        )
        return await self._session.call("bulkCheckBenefitEligibility", _SELECTED, fields)

    async def check_eligibility_by_filter(
        self,
        *,
        item_reference: ItemReference,
        namespace: str,
        count: int = 1,
        target_date: datetime | None = None,
        beneficiary: Identity | None = None,
        additional_data: Mapping[str, Any] | None = None,
        pool_statuses: Collection[PoolStatus] | None = None,
    ) -> tuple[Eligibility, ...]:
        """Check for all pools of a beneficiary whether they can pay for an item, and why not.

        Raises:
            InvalidItemReference: No benefit of the namespace has items of the provider app.
        """
        selector = None if pool_statuses is None else {"poolStatuses": list(pool_statuses)}
        fields = document(
            item_reference=item_reference,
            namespace=namespace,
            count=count,
            target_date=target_date,
            beneficiary=beneficiary,
            additional_data=additional_data,
            pool_selector=selector,
        )
        name = "checkBenefitEligibilityByFilter"
        return await self._session.call(name, _ELIGIBILITIES, fields)

    async def eligible_benefits(
        self,
        *,
        item_reference: ItemReference,
        namespace: str,
        count: int | None = None,
        target_date: datetime | None = None,
        beneficiary: Identity | None = None,
        additional_data: Mapping[str, Any] | None = None,
    ) -> tuple[EligibleBenefit, ...]:
        """List the benefits of a beneficiary that can pay for an item, oldest pool first.

        Raises:
            InvalidItemReference: No benefit of the namespace has items of the provider app.
        """
        fields = document(
            item_reference=item_reference,
            namespace=namespace,
            count=count,
            target_date=target_date,
            beneficiary=beneficiary,
            additional_data=additional_data,
        )
        return await self._session.call("getEligibleBenefits", _ELIGIBLE, fields)

    async def get(self, pool_id: str) -> Pool:
        """Read a pool.

        Raises:
            PoolNotFound: There is no such pool.
        """
        return await self._session.call("getPool", _ENTITY, document(pool_id=pool_id))

    async def update(
        self,
        pool_id: str,
        *,
        revision: int,
        display_name: str | Unset | None = UNSET,
        description: str | Unset | None = UNSET,
        details: Details | DetailsChange | Unset = UNSET,
        extended_fields: Namespaces | Unset = UNSET,
        field_mask: Collection[Literal["display_name", "description", "details", "extended_fields"]]
        | None = None,
        reason: str | None = None,
    ) -> Pool:
        """Change only this pool, until the next cascade. None clears a field.

        Raises:
            PoolNotFound: There is no such pool.
            InvalidRevision: It was changed since this revision was read.
        """
        changed = changes(
            id=pool_id,
            revision=revision,
            display_name=display_name,
            description=description,
            details=details,
            extended_fields=extended_fields,
        )
        fields = document(pool=changed, field_mask=mask(field_mask), reason=reason)
        return await self._session.call("updatePool", _ENTITY, fields)

    async def bulk_update(
        self, pools: Sequence[PoolChange], *, return_entity: bool = False
    ) -> BulkResult[Pool]:
        """Change 1 to 100 pools; each succeeds or fails alone."""
        entries = [masked("pool", each) for each in pools]
        fields = document(pools=entries, return_entity=return_entity)
        return await self._session.call("bulkUpdatePools", _BULK, fields)

    def query(
        self,
        filter: PoolFilter | None = None,  # noqa: A002 - the contract's own word
        *,
        sort: Sequence[PoolSort] = (),
    ) -> AsyncPoolQuery:
        """Find pools."""
        return begin(self._session, Plan(name="queryPools", read=_ROWS), filter, sort)
