"""Redeem benefits and tell whether they can be redeemed."""

import uuid
from datetime import UTC, datetime
from decimal import Decimal
from http import HTTPStatus

from fastapi import APIRouter
from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import contains_eager, joinedload

from bench.baseline.auth import Sessions, TenantId
from bench.baseline.errors import ApplicationError, violated_constraint
from bench.baseline.events import make_event
from bench.baseline.models import TRANSACTION_IDEMPOTENCY_KEY, Balance, Item, Pool, Transaction
from bench.baseline.schemas import (
    Benefit,
    BenefitResult,
    CheckBenefitEligibilityRequest,
    CheckBenefitEligibilityResponse,
    Details,
    EligibilityCheckResult,
    EligibleBenefit,
    ItemReference,
    QueryPoolsRequest,
    QueryPoolsResponse,
    RedeemBenefitRequest,
    RedeemBenefitResponse,
    write_credits,
    write_instant,
)
from bench.baseline.views import view_pool

router = APIRouter()

PoolRequest = RedeemBenefitRequest | CheckBenefitEligibilityRequest


@router.post("/benefits/redeem")
async def redeem_benefit(
    request: RedeemBenefitRequest, tenant_id: TenantId, sessions: Sessions
) -> RedeemBenefitResponse:
    """Contract: RedeemBenefit."""
    try:
        async with sessions.begin() as session:
            return await _redeem(session, tenant_id, request)
    except IntegrityError as error:
        if violated_constraint(error) != TRANSACTION_IDEMPOTENCY_KEY:
            raise
        raise _already_redeemed(request) from error


async def _redeem(
    session: AsyncSession, tenant_id: uuid.UUID, request: RedeemBenefitRequest
) -> RedeemBenefitResponse:
    pool = await _load_pool(
        session, _select_pool(tenant_id, request).with_for_update(of=Balance), request
    )
    await _require_unused_key(session, pool, request)
    if pool.status != "ACTIVE":
        raise ApplicationError(
            HTTPStatus.PRECONDITION_REQUIRED,
            "POOL_NOT_ACTIVE",
            poolId=str(pool.id),
            poolStatus=pool.status,
        )
    benefit, item = await _load_benefit_item(session, pool, request)
    cost = (benefit.price or Decimal(0)) * request.count
    if pool.balance.available < cost:
        raise ApplicationError(
            HTTPStatus.PRECONDITION_REQUIRED,
            "NOT_ENOUGH_BALANCE",
            **_describe_shortage(pool, request, cost),
        )
    transaction = _build_redemption(pool, item, request, cost=cost, at=datetime.now(UTC))
    _spend(session, pool, transaction, request)
    return RedeemBenefitResponse(transaction_id=transaction.id)


def _select_pool(tenant_id: uuid.UUID, request: PoolRequest) -> Select[Pool]:
    statement = (
        select(Pool)
        .join(Pool.balance)
        .options(contains_eager(Pool.balance))
        .where(
            Pool.tenant_id == tenant_id,
            Pool.id == request.pool_id,
            Pool.namespace == request.namespace,
        )
    )
    if request.beneficiary:
        return statement.where(
            Pool.beneficiary_type == request.beneficiary.identity_type,
            Pool.beneficiary_id == request.beneficiary.identity_id,
        )
    return statement


async def _load_pool(session: AsyncSession, statement: Select[Pool], request: PoolRequest) -> Pool:
    pool = await session.scalar(statement)
    if pool is None:
        raise ApplicationError(HTTPStatus.NOT_FOUND, "POOL_NOT_FOUND", poolId=str(request.pool_id))
    return pool


async def _require_unused_key(
    session: AsyncSession, pool: Pool, request: RedeemBenefitRequest
) -> None:
    statement = select(Transaction.id).where(
        Transaction.tenant_id == pool.tenant_id,
        Transaction.pool_id == pool.id,
        Transaction.idempotency_key == request.idempotency_key,
    )
    if await session.scalar(statement):
        raise _already_redeemed(request)


def _already_redeemed(request: RedeemBenefitRequest) -> ApplicationError:
    return ApplicationError(
        HTTPStatus.CONFLICT,
        "BENEFIT_ALREADY_REDEEMED",
        poolId=str(request.pool_id),
        idempotencyKey=request.idempotency_key,
    )


async def _load_benefit_item(
    session: AsyncSession, pool: Pool, request: RedeemBenefitRequest
) -> tuple[Benefit, Item]:
    benefit = Details.model_validate(pool.details).find_benefit(request.benefit_key)
    item = None
    if benefit and benefit.item_set_id:
        statement = _select_items(pool, request.item_reference, [benefit.item_set_id])
        item = await session.scalar(statement)
    if benefit is None or item is None:
        raise ApplicationError(
            HTTPStatus.NOT_FOUND,
            "BENEFIT_NOT_FOUND",
            poolId=str(pool.id),
            benefitKey=request.benefit_key,
        )
    return benefit, item


def _select_items(
    pool: Pool, reference: ItemReference, item_set_ids: list[uuid.UUID]
) -> Select[Item]:
    return select(Item).where(
        Item.tenant_id == pool.tenant_id,
        Item.item_set_id.in_(item_set_ids),
        Item.provider_app_id == reference.provider_app_id,
        Item.category == reference.category,
        Item.external_id == reference.external_id,
    )


def _describe_shortage(pool: Pool, request: PoolRequest, cost: Decimal) -> dict[str, object]:
    return {
        "poolId": str(pool.id),
        "itemReference": request.item_reference.to_wire(),
        "availableBalance": write_credits(pool.balance.available),
        "requestedBalance": write_credits(cost),
    }


def _build_redemption(
    pool: Pool, item: Item, request: RedeemBenefitRequest, *, cost: Decimal, at: datetime
) -> Transaction:
    transaction_id = uuid.uuid4()
    return Transaction(
        id=transaction_id,
        tenant_id=pool.tenant_id,
        revision=1,
        created_date=at,
        updated_date=at,
        pool_id=pool.id,
        amount=cost,
        source="AVAILABLE",
        target="EXTERNAL",
        status="COMPLETED",
        idempotency_key=request.idempotency_key,
        correlation_id=transaction_id,
        beneficiary_type=pool.beneficiary_type,
        beneficiary_id=pool.beneficiary_id,
        details={
            "reason": "Redemption",
            "item": {**request.item_reference.to_wire(), "id": str(item.id)},
            "itemCount": request.count,
            "benefitKey": request.benefit_key,
            "effectiveDate": write_instant(request.target_date or at),
        },
    )


def _spend(
    session: AsyncSession, pool: Pool, transaction: Transaction, request: RedeemBenefitRequest
) -> None:
    balance = pool.balance
    balance.available -= transaction.amount
    balance.revision += 1
    balance.last_transaction_id = transaction.id
    balance.updated_date = transaction.created_date
    redemption = {
        **transaction.details,
        "transactionId": str(transaction.id),
        "idempotencyKey": request.idempotency_key,
        "available": write_credits(balance.available),
        "pool": {"id": str(pool.id), "details": pool.details, "namespace": pool.namespace},
    }
    event = make_event(
        pool,
        "benefit_redeemed",
        {"actionEvent": {"body": redemption}},
        at=transaction.created_date,
        sequence=balance.revision,
    )
    session.add_all([transaction, event])


@router.post("/pools/query", response_model_exclude_none=True)
async def query_pools(
    request: QueryPoolsRequest, tenant_id: TenantId, sessions: Sessions
) -> QueryPoolsResponse:
    """Contract: QueryPools, for the pools of one program."""
    statement = (
        select(Pool)
        .options(joinedload(Pool.program, innerjoin=True))
        .where(Pool.tenant_id == tenant_id, Pool.program_id == request.query.filter.program_id)
        .order_by(Pool.id)
    )
    async with sessions() as session:
        pools = (await session.scalars(statement)).all()
    return QueryPoolsResponse(pools=[view_pool(pool) for pool in pools])


@router.post("/pools/check-eligibility", response_model_exclude_none=True)
async def check_benefit_eligibility(
    request: CheckBenefitEligibilityRequest, tenant_id: TenantId, sessions: Sessions
) -> CheckBenefitEligibilityResponse:
    """Contract: CheckBenefitEligibility."""
    async with sessions() as session:
        pool = await _load_pool(session, _select_pool(tenant_id, request), request)
        benefits = [
            benefit
            for benefit in Details.model_validate(pool.details).benefits
            if request.benefit_key in {None, benefit.benefit_key} and benefit.item_set_id
        ]
        item_set_ids = [each.item_set_id for each in benefits if each.item_set_id]
        items = await session.scalars(_select_items(pool, request.item_reference, item_set_ids))
        holding = {item.item_set_id for item in items}
    found = [_judge(pool, each, request) for each in benefits if each.item_set_id in holding]
    results = found or [_benefit_not_found(pool, request)]
    return CheckBenefitEligibilityResponse(result=EligibilityCheckResult(benefit_results=results))


def _judge(pool: Pool, benefit: Benefit, request: CheckBenefitEligibilityRequest) -> BenefitResult:
    price = benefit.price or Decimal(0)
    cost = price * request.count
    if pool.status != "ACTIVE":
        return BenefitResult(
            type="POOL_NOT_ACTIVE",
            pool_not_active_options={"poolId": str(pool.id), "poolStatus": pool.status},
        )
    if request.intent == "REDEMPTION" and pool.balance.available < cost:
        return BenefitResult(
            type="NOT_ENOUGH_BALANCE",
            not_enough_balance_options=_describe_shortage(pool, request, cost),
        )
    eligible = EligibleBenefit(
        pool_id=pool.id,
        benefit_key=benefit.benefit_key,
        item_reference=request.item_reference,
        price=price,
    )
    return BenefitResult(type="ELIGIBLE_BENEFIT", eligible_benefit_options=eligible)


def _benefit_not_found(pool: Pool, request: CheckBenefitEligibilityRequest) -> BenefitResult:
    options = {"poolId": str(pool.id), "benefitKey": request.benefit_key}
    return BenefitResult(type="BENEFIT_NOT_FOUND", benefit_not_found_options=options)
