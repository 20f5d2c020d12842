"""Beneficiaries as people, with rights of their own in what is kept about them."""

from __future__ import annotations

from benefit_programs.api import kept as kept_records
from benefit_programs.api.call import Call
from benefit_programs.api.method import MANAGE, POST, method
from benefit_programs.domain.erasure import StartErasure, pseudonym_of
from benefit_programs.domain.errors import InProgress, Invalid
from benefit_programs.domain.lookups import BEFORE_ALL_IDS
from benefit_programs.domain.merges import Merge
from benefit_programs.domain.orders.merging import MergeBeneficiary
from benefit_programs.domain.values import IdentityType
from benefit_programs.wire.types import beneficiaries as wire
from benefit_programs.wire.types.common import (
    CursorPagingMetadata,
    Cursors,
    IdentificationData,
)

PSEUDONYMS = "pseudonyms of tenant "
"""What a tenant's secret for pseudonyms is called, before the tenant's number."""


@method(
    "eraseBeneficiary",
    POST,
    "/benefit-programs/v1/beneficiaries/erase",
    MANAGE,
    "BENEFIT_PROGRAMS.BENEFICIARY_ERASE",
    for_administrators=True,
    refuses=(InProgress,),
    is_addition=True,
)
async def erase(call: Call, request: wire.EraseBeneficiaryRequest) -> wire.EraseBeneficiaryResponse:
    identity = request.beneficiary.identity()
    pseudonym = pseudonym_of(identity, await _secret(call))
    reader = call.services.reader
    found = await reader.programs_of(call.tenant_id, identity, BEFORE_ALL_IDS, limit=1)
    command = StartErasure(
        identity=identity, pseudonym=pseudonym, first_program_id=next(iter(found), None)
    )
    job_id = await call.execute(command)
    return wire.EraseBeneficiaryResponse(
        job_id=job_id, beneficiary=IdentificationData.of(pseudonym)
    )


@method(
    "mergeBeneficiary",
    POST,
    "/benefit-programs/v1/beneficiaries/merge",
    MANAGE,
    "BENEFIT_PROGRAMS.BENEFICIARY_MERGE",
    refuses=(InProgress,),
    is_addition=True,
)
async def merge(call: Call, request: wire.MergeBeneficiaryRequest) -> wire.MergeBeneficiaryResponse:
    visitor, owner = request.visitor.identity(), request.beneficiary.identity()
    if visitor.type is not IdentityType.ANONYMOUS_VISITOR:
        raise _wrong_identity("visitor", "must be an anonymous visitor")
    if owner.type is IdentityType.ANONYMOUS_VISITOR:
        raise _wrong_identity("beneficiary", "must be a member or a Wix user, not a visitor")
    secret = await _secret(call)
    pseudonyms = pseudonym_of(visitor, secret).id, pseudonym_of(owner, secret).id
    command = MergeBeneficiary(merge=Merge(visitor, owner), pseudonyms=pseudonyms)
    job_id = await call.execute(command)
    return wire.MergeBeneficiaryResponse(job_id=job_id)


@method(
    "exportBeneficiary",
    POST,
    "/benefit-programs/v1/beneficiaries/export",
    MANAGE,
    "BENEFIT_PROGRAMS.BENEFICIARY_EXPORT",
    for_administrators=True,
    is_addition=True,
)
async def export(
    call: Call, request: wire.ExportBeneficiaryRequest
) -> wire.ExportBeneficiaryResponse:
    paging = request.cursor_paging
    kept, following = await call.services.reader.kept_page(
        request.beneficiary.identity(),
        method=call.method.name,
        tenant_id=call.tenant_id,
        limit=paging.limit if paging else None,
        cursor=paging.cursor if paging else None,
    )
    return wire.ExportBeneficiaryResponse(
        records=await kept_records.describe(call, kept),
        metadata=CursorPagingMetadata(
            count=len(kept), cursors=Cursors(next=following), has_next=following is not None
        ),
    )


def _wrong_identity(field: str, problem: str) -> Invalid:
    return Invalid.because(field, problem, rule_name="wrong_identity")


async def _secret(call: Call) -> bytes:
    """The secret that makes the tenant's pseudonyms."""
    return await call.services.directory.ensure_secret(f"{PSEUDONYMS}{call.tenant_id}")
