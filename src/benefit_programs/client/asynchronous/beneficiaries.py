"""Beneficiaries: the people who have programs."""

from __future__ import annotations

from benefit_programs.client.asynchronous.queries import AsyncListing
from benefit_programs.client.asynchronous.session import AsyncMethods
from benefit_programs.client.core.queries import Plan
from benefit_programs.client.core.wire import document, reads, reads_rows
from benefit_programs.client.types.beneficiaries import Erasure, KeptRecord, Merge
from benefit_programs.client.types.identities import AnonymousVisitor, Identity
from benefit_programs.client.types.statements import Overview

_ERASURE = reads(Erasure)
_MERGE = reads(Merge)
_OVERVIEW = reads(Overview)
_RECORDS = reads_rows("records", KeptRecord)


class AsyncBeneficiaries(AsyncMethods):
    """The people who have programs, with rights of their own in what is kept about them."""

    async def erase(self, beneficiary: Identity) -> Erasure:
        """Remove all that is personal about a beneficiary. Needs an administrator's key.

        Their programs end, and their identity becomes a pseudonym. A job does it, and may go on
        after this has returned: wait for it with ``async_jobs.wait``. To erase again does no harm.

        Raises:
            InProgress: What the beneficiary has is being merged.
        """
        return await self._session.call(
            "eraseBeneficiary", _ERASURE, document(beneficiary=beneficiary)
        )

    def export(self, beneficiary: Identity) -> AsyncListing[KeptRecord]:
        """Read all that is kept of a beneficiary. Needs an administrator's key.

        Who it is comes first, then programs, pools with their balances, transactions, used rate
        limits, lots, reservations, events, and what jobs did with them. A page may have no records
        although more follow.
        """
        plan = Plan(
            name="exportBeneficiary",
            read=_RECORDS,
            paging_field="cursorPaging",
            beside=document(beneficiary=beneficiary),
        )
        return AsyncListing(self._session, plan)

    async def merge(
        self, visitor: AnonymousVisitor, beneficiary: Identity, *, reason: str | None = None
    ) -> Merge:
        """Give all that an anonymous visitor has to the member or Wix user whom he is now known as.

        What is much is done by a job, which may go on after this has returned: wait for it with
        ``async_jobs.wait``. To merge again does no harm.

        Raises:
            InProgress: Another merge of the visitor is running, or one of the two is being erased.
        """
        return await self._session.call(
            "mergeBeneficiary",
            _MERGE,
            document(visitor=visitor, beneficiary=beneficiary, reason=reason),
        )

    async def overview(self, beneficiary: Identity, namespace: str | None = None) -> Overview:
        """Read all that a beneficiary has now: programs, pools, credits and what they pay for.

        A member's key is answered for that member, whoever is named.
        """
        fields = document(beneficiary=beneficiary, namespace=namespace)
        return await self._session.call("getOverview", _OVERVIEW, fields)
