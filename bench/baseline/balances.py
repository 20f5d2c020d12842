"""Read balances."""

import uuid
from http import HTTPStatus

from fastapi import APIRouter
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from bench.baseline.auth import Sessions, TenantId
from bench.baseline.errors import ApplicationError
from bench.baseline.models import Balance, Pool, Program
from bench.baseline.schemas import BalanceResponse
from bench.baseline.views import view_balance

router = APIRouter()


@router.get("/balances/{pool_id}", response_model_exclude_none=True)
async def get_balance(
    pool_id: uuid.UUID, tenant_id: TenantId, sessions: Sessions
) -> BalanceResponse:
    """Contract: GetBalance."""
    pool = joinedload(Balance.pool, innerjoin=True)
    program = pool.joinedload(Pool.program, innerjoin=True)
    statement = (
        select(Balance)
        .where(Balance.tenant_id == tenant_id, Balance.id == pool_id)
        .options(program.joinedload(Program.program_definition))
    )
    async with sessions() as session:
        balance = await session.scalar(statement)
    if balance is None:
        raise ApplicationError(HTTPStatus.NOT_FOUND, "BALANCE_NOT_FOUND", poolId=str(pool_id))
    return BalanceResponse(balance=view_balance(balance))
