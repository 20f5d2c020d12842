"""Create program definitions and pool definitions."""

import uuid
from datetime import UTC, datetime
from http import HTTPStatus

from fastapi import APIRouter
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from bench.baseline.auth import Sessions, TenantId
from bench.baseline.errors import ApplicationError, violated_constraint
from bench.baseline.models import (
    PROGRAM_DEFINITION_EXTERNAL_ID_KEY,
    ItemSet,
    PoolDefinition,
    ProgramDefinition,
    program_definition_pool_definitions,
)
from bench.baseline.schemas import (
    CreatePoolDefinitionRequest,
    CreateProgramDefinitionRequest,
    PoolDefinitionFields,
    PoolDefinitionResponse,
    PoolDefinitionView,
    ProgramDefinitionResponse,
    ProgramDefinitionView,
)

router = APIRouter()


@router.post("/program-definitions", response_model_exclude_none=True)
async def create_program_definition(
    request: CreateProgramDefinitionRequest, tenant_id: TenantId, sessions: Sessions
) -> ProgramDefinitionResponse:
    """Contract: CreateProgramDefinition."""
    now = datetime.now(UTC)
    fields = request.program_definition
    definition = ProgramDefinition(
        id=uuid.uuid4(),
        tenant_id=tenant_id,
        revision=1,
        created_date=now,
        updated_date=now,
        **fields.model_dump(),
    )
    try:
        async with sessions.begin() as session:
            session.add(definition)
    except IntegrityError as error:
        if violated_constraint(error) != PROGRAM_DEFINITION_EXTERNAL_ID_KEY:
            raise
        raise ApplicationError(
            HTTPStatus.CONFLICT,
            "PROGRAM_DEFINITION_ALREADY_EXISTS",
            externalId=fields.external_id,
            namespace=fields.namespace,
        ) from error
    view = ProgramDefinitionView.model_validate(definition, from_attributes=True)
    return ProgramDefinitionResponse(program_definition=view)


@router.post("/pool-definitions", response_model_exclude_none=True)
async def create_pool_definition(
    request: CreatePoolDefinitionRequest, tenant_id: TenantId, sessions: Sessions
) -> PoolDefinitionResponse:
    """Contract: CreatePoolDefinition. The server makes the item set ids."""
    now = datetime.now(UTC)
    fields = request.pool_definition
    for benefit in fields.details.benefits:
        benefit.item_set_id = uuid.uuid4()
    definition = PoolDefinition(
        id=uuid.uuid4(),
        tenant_id=tenant_id,
        revision=1,
        created_date=now,
        updated_date=now,
        namespace=fields.namespace,
        display_name=fields.display_name,
        description=fields.description,
        details=fields.details.to_wire(),
    )
    async with sessions.begin() as session:
        await _require_program_definitions(session, tenant_id, fields.program_definition_ids)
        session.add(definition)
        await session.flush()
        session.add_all(_item_sets(definition, fields))
        await _link(session, definition, fields.program_definition_ids)
    view = PoolDefinitionView(
        **fields.model_dump(), id=definition.id, revision=1, created_date=now, updated_date=now
    )
    return PoolDefinitionResponse(pool_definition=view)


async def _require_program_definitions(
    session: AsyncSession, tenant_id: uuid.UUID, wanted: list[uuid.UUID]
) -> None:
    statement = select(ProgramDefinition.id).where(
        ProgramDefinition.tenant_id == tenant_id, ProgramDefinition.id.in_(wanted)
    )
    found = set(await session.scalars(statement)) if wanted else set()
    for missing in set(wanted) - found:
        raise ApplicationError(
            HTTPStatus.NOT_FOUND, "PROGRAM_DEFINITION_NOT_FOUND", programDefinitionId=str(missing)
        )


def _item_sets(definition: PoolDefinition, fields: PoolDefinitionFields) -> list[ItemSet]:
    return [
        ItemSet(
            id=benefit.item_set_id,
            tenant_id=definition.tenant_id,
            pool_definition_id=definition.id,
            namespace=definition.namespace,
            provider_app_id=benefit.provider_app_id,
        )
        for benefit in fields.details.benefits
    ]


async def _link(
    session: AsyncSession, definition: PoolDefinition, program_definition_ids: list[uuid.UUID]
) -> None:
    rows = [
        {
            "tenant_id": definition.tenant_id,
            "program_definition_id": program_definition_id,
            "pool_definition_id": definition.id,
        }
        for program_definition_id in set(program_definition_ids)
    ]
    if rows:
        await session.execute(insert(program_definition_pool_definitions), rows)
