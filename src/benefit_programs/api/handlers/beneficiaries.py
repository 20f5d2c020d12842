"""Beneficiaries as people, with rights of their own in what is kept about them."""

from __future__ import annotations

from benefit_programs.api.call import Call
from benefit_programs.api.method import MANAGE, POST, method
from benefit_programs.domain.erasure import StartErasure, pseudonym_of
from benefit_programs.domain.lookups import BEFORE_ALL_IDS
from benefit_programs.wire.types import beneficiaries as wire
from benefit_programs.wire.types.common import IdentificationData

PSEUDONYMS = "pseudonyms of tenant "
"""What a tenant's secret for pseudonyms is called, before the tenant's number."""


@method(
    "eraseBeneficiary",
    POST,
    "/benefit-programs/v1/beneficiaries/erase",
    MANAGE,
    "BENEFIT_PROGRAMS.BENEFICIARY_ERASE",
    for_administrators=True,
    is_addition=True,
)
async def erase(call: Call, request: wire.EraseBeneficiaryRequest) -> wire.EraseBeneficiaryResponse:
    identity = request.beneficiary.identity()
    services, tenant_id = call.services, call.tenant_id
    secret = await services.directory.ensure_secret(f"{PSEUDONYMS}{tenant_id}")
    pseudonym = pseudonym_of(identity, secret)
    found = await services.reader.programs_of(tenant_id, identity, BEFORE_ALL_IDS, limit=1)
    command = StartErasure(
        identity=identity, pseudonym=pseudonym, first_program_id=next(iter(found), None)
    )
    job_id = await call.execute(command)
    return wire.EraseBeneficiaryResponse(
        job_id=job_id, beneficiary=IdentificationData.of(pseudonym)
    )
