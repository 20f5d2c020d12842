"""Where something is that wasn't found in the namespace of a request, for administrators."""

from __future__ import annotations

from dataclasses import replace

from benefit_programs.api.call import Call
from benefit_programs.domain.entities import Pool, Program, ProgramDefinition
from benefit_programs.domain.errors import (
    NotFoundInNamespace,
    PoolNotFound,
    ProgramDefinitionNotFound,
    ProgramNotFound,
)
from benefit_programs.domain.lookups import (
    POOL,
    PROGRAM_DEFINITION_OF_ANY_NAMESPACE,
    PROGRAM_OF_ANY_NAMESPACE,
)


async def located(call: Call, refusal: NotFoundInNamespace) -> NotFoundInNamespace:
    """The refusal, with the namespace that has what was asked for if it is another one.

    Only administrators are told: apps and members know their own namespaces.
    """
    if call.principal.is_member or call.principal.is_app or call.decoded is None:
        return refusal
    asked: str | None = getattr(call.decoded.value, "namespace", None)
    found = None if asked is None else await _found(call, refusal)
    if found is None or found.namespace == asked:
        return refusal
    return replace(refusal, exists_in_namespace=found.namespace)


async def _found(
    call: Call, refusal: NotFoundInNamespace
) -> Pool | Program | ProgramDefinition | None:
    match refusal:
        case PoolNotFound():
            return await call.one(POOL, refusal.pool_id)
        case ProgramNotFound(external_id=str(external_id)):
            return await call.one(PROGRAM_OF_ANY_NAMESPACE, external_id)
        case ProgramDefinitionNotFound(external_id=str(external_id)):
            return await call.one(PROGRAM_DEFINITION_OF_ANY_NAMESPACE, external_id)
    return None
