"""Beneficiaries: the people who have programs."""

from __future__ import annotations

from benefit_programs.client.asynchronous.session import AsyncMethods
from benefit_programs.client.core.wire import document, reads
from benefit_programs.client.types.beneficiaries import Erasure
from benefit_programs.client.types.identities import Identity

_ERASURE = reads(Erasure)


class AsyncBeneficiaries(AsyncMethods):
    """The people who have programs, with rights of their own in what is kept about them."""

    async def erase(self, beneficiary: Identity) -> Erasure:
        """Remove all that is personal about a beneficiary. Needs an administrator's key.

        Their programs end, and their identity becomes a pseudonym. A job does it, and may go on
        after this has returned: wait for it with ``async_jobs.wait``. To erase again does no harm.
        """
        return await self._session.call(
            "eraseBeneficiary", _ERASURE, document(beneficiary=beneficiary)
        )
