"""Beneficiaries: the people who have programs."""

from __future__ import annotations

import msgspec

from benefit_programs.wire.types.common import EntityId, IdentificationData


class EraseBeneficiaryRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Remove all that is personal about a beneficiary: names, free text, the identity itself.

    Their programs end. The identity becomes a pseudonym, always the same for the same person, and
    the books stay as they are. A job does it; to ask again does no harm.
    """

    beneficiary: IdentificationData


class EraseBeneficiaryResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The job, and who the beneficiary is from now on."""

    job_id: EntityId | None = None
    beneficiary: IdentificationData | None = None


class MergeBeneficiaryRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Give all that an anonymous visitor has to the member that the visitor turned out to be.

    Programs and pools with their balances, transactions and used rate limits become the
    beneficiary's. It is done within the request, or by a job if it is much. To ask again does no
    harm.
    """

    visitor: IdentificationData
    beneficiary: IdentificationData


class MergeBeneficiaryResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The job that did it, or does it."""

    job_id: EntityId | None = None
