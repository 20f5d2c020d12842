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
