"""``benefits pools``, and the commands for their benefits: redeem, cancel, eligible."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from benefit_programs.cli.exits import WrongUsage
from benefit_programs.cli.output import Answer
from benefit_programs.cli.remote import (
    COUNT_MAX,
    ROWS_USUALLY,
    Count,
    IdempotencyKey,
    Limit,
    MemberId,
    Namespace,
    Reason,
    VisitorId,
    WixUserId,
    beneficiary_of,
    calls_service,
    conditions_of,
    entity,
    instant_of,
    listing,
)
from benefit_programs.client import BenefitPrograms, EligibleBenefit, ItemReference, Pool
from benefit_programs.client.core.wire import to_wire

commands = typer.Typer(name="pools", no_args_is_help=True, help="Look at pools.")
top = typer.Typer()
"""Commands that stand directly below ``benefits``."""

Item = Annotated[
    str,
    typer.Option("--item", help="The external id of the item.", metavar="EXTERNAL_ID"),
]
Category = Annotated[
    str | None, typer.Option("--category", help="The category of the item, if it has one.")
]
TargetDate = Annotated[
    str | None,
    typer.Option("--target-date", help="The date of use (ISO 8601). Default: now."),
]
ExternalReference = Annotated[
    str | None,
    typer.Option(
        "--external-reference", help="What it belongs to elsewhere: booking:123.", metavar="TEXT"
    ),
]
Override = Annotated[
    bool,
    typer.Option("--override", help="Give all credits back, whatever the cancellation terms say."),
]


@calls_service(commands, "list")
def list_pools(
    client: BenefitPrograms,
    *,
    namespace: Namespace = None,
    program: Annotated[
        str | None, typer.Option("--program-id", help="Only of this program.", metavar="ID")
    ] = None,
    status: Annotated[
        str | None, typer.Option("--status", help="Only with this status.", metavar="STATUS")
    ] = None,
    member: MemberId = None,
    wix_user: WixUserId = None,
    visitor: VisitorId = None,
    limit: Limit = ROWS_USUALLY,
) -> Answer:
    """List pools, the newest first."""
    conditions = conditions_of(
        namespace=namespace,
        program_id=program,
        status=status,
        beneficiary=beneficiary_of(member, wix_user, visitor),
    )
    columns = ("ID", "NAMESPACE", "NAME", "STATUS", "BENEFICIARY", "PROGRAM", "BENEFITS")
    return listing("pools", columns, client.pools.query(conditions), _row, limit=limit)


@calls_service(commands, "show")
def show_pool(
    client: BenefitPrograms,
    pool: Annotated[str, typer.Argument(help="Its id.", metavar="POOL")],
) -> Answer:
    """Show a pool with its benefits; `benefits balances show` tells its credits."""
    return entity(client.pools.get(pool))


@calls_service(top, "redeem")
def redeem_benefit(  # noqa: PLR0913 - an option each
    client: BenefitPrograms,
    pool_id: Annotated[str, typer.Argument(help="The id of the pool.", metavar="POOL")],
    benefit: Annotated[str, typer.Argument(help="The key of the benefit.", metavar="BENEFIT")],
    *,
    item: Item,
    category: Category = None,
    count: Count = None,
    target_date: TargetDate = None,
    external_reference: ExternalReference = None,
    reason: Reason = None,
    idempotency_key: IdempotencyKey = None,
) -> Answer:
    """Spend credits of a pool on an item of one of its benefits."""
    pool, reference = benefit_item(client, pool_id, benefit, item, category)
    redemption = client.pools.redeem(
        pool.id,
        benefit_key=benefit,
        item_reference=reference,
        namespace=pool.namespace,
        count=count,
        target_date=instant_of("--target-date", target_date),
        external_reference=external_reference,
        reason=reason,
        idempotency_key=idempotency_key,
    )
    available = client.balances.get(pool.id).available
    return Answer(
        {"transactionId": redemption.transaction_id, "available": to_wire(available)},
        ("TRANSACTION", "CREDITS LEFT"),
        [(redemption.transaction_id, to_wire(available))],
    )


def benefit_item(
    client: BenefitPrograms, pool_id: str, benefit: str, item: str, category: str | None
) -> tuple[Pool, ItemReference]:
    """A pool, and the reference to an item of the app of one of its benefits."""
    pool = client.pools.get(pool_id)
    app = {each.benefit_key: each.provider_app_id for each in pool.details.benefits}.get(benefit)
    if app is None:
        has = ", ".join(each.benefit_key for each in pool.details.benefits) or "none"
        raise WrongUsage(f"pool {pool.id} has no benefit {benefit!r}; its benefits: {has}")
    return pool, ItemReference(external_id=item, provider_app_id=app, category=category)


@calls_service(top, "cancel-redemption")
def cancel_redemption(
    client: BenefitPrograms,
    transaction: Annotated[
        str,
        typer.Argument(help="The latest transaction of the redemption.", metavar="TRANSACTION"),
    ],
    *,
    total_count: Annotated[
        int | None,
        typer.Option(
            "--total",
            min=0,
            max=COUNT_MAX,
            help="How many items are canceled after this, in all. Default: all.",
            metavar="N",
        ),
    ] = None,
    override: Override = False,
    reason: Reason = None,
    idempotency_key: IdempotencyKey = None,
) -> Answer:
    """Cancel a redemption or some of its items, and give the credits back."""
    canceled = client.pools.cancel_items(
        transaction,
        total_count=total_count,
        override=override,
        reason=reason,
        idempotency_key=idempotency_key,
    )
    returned, forfeited = to_wire(canceled.returned), to_wire(canceled.forfeited)
    document = {"transactionId": canceled.transaction_id, "amount": returned}
    document |= {"totalCount": canceled.total_count, "forfeited": forfeited}
    return Answer(
        document,
        ("TRANSACTION", "CREDITS GIVEN BACK", "FORFEITED", "ITEMS CANCELED"),
        [(canceled.transaction_id, returned, forfeited, canceled.total_count)],
    )


@calls_service(top, "eligible")
def list_eligible_benefits(  # noqa: PLR0913 - an option each
    client: BenefitPrograms,
    namespace: Annotated[str, typer.Argument(help="The namespace of your app.")],
    *,
    item: Item,
    provider_app: Annotated[
        str, typer.Option("--provider-app", help="The app that sells the item.", metavar="ID")
    ],
    category: Category = None,
    count: Count = None,
    target_date: TargetDate = None,
    member: MemberId = None,
    wix_user: WixUserId = None,
    visitor: VisitorId = None,
) -> Answer:
    """List the benefits that can pay for an item now, the oldest pool first."""
    found = client.pools.eligible_benefits(
        item_reference=ItemReference(
            external_id=item, provider_app_id=provider_app, category=category
        ),
        namespace=namespace,
        count=count,
        target_date=instant_of("--target-date", target_date),
        beneficiary=beneficiary_of(member, wix_user, visitor),
    )
    document = {"eligibleBenefits": [to_wire(each) for each in found]}
    columns = ("POOL", "NAME", "BENEFIT", "PRICE", "CREDITS")
    return Answer(document, columns, [_eligible_row(each) for each in found])


def _row(row: Pool) -> Sequence[Any]:
    return (
        row.id,
        row.namespace,
        row.display_name,
        row.status,
        row.beneficiary.id,
        row.program_id,
        ", ".join(each.benefit_key for each in row.details.benefits),
    )


def _eligible_row(row: EligibleBenefit) -> Sequence[Any]:
    pool = row.pool_info
    balance = pool.balance if pool else None
    return (
        row.pool_id,
        pool.display_name if pool else None,
        row.benefit_key,
        row.price,
        balance.available if balance else None,
    )
