"""The commands ``redeem-eligible``, ``move-redemption`` and ``cancel-by-reference``."""

from __future__ import annotations

from typing import Annotated

import typer

from benefit_programs.cli.exits import WrongUsage
from benefit_programs.cli.output import Answer
from benefit_programs.cli.pools import Category, ExternalReference, Item, Override, TargetDate
from benefit_programs.cli.remote import (
    Count,
    IdempotencyKey,
    MemberId,
    Reason,
    VisitorId,
    WixUserId,
    beneficiary_of,
    calls_service,
    instant_of,
)
from benefit_programs.client import BenefitPrograms, ItemReference
from benefit_programs.client.core.wire import to_wire

commands = typer.Typer()


@calls_service(commands, "redeem-eligible")
def redeem_eligible(  # noqa: PLR0913 - an option each
    client: BenefitPrograms,
    namespace: Annotated[str, typer.Argument(help="The namespace of your app.")],
    *,
    item: Item,
    provider_app: Annotated[
        str, typer.Option("--provider-app", help="The app that sells the item.", metavar="ID")
    ],
    category: Category = None,
    count: Count = None,
    split: Annotated[
        bool, typer.Option("--split", help="Let several benefits pay together, for whole items.")
    ] = False,
    target_date: TargetDate = None,
    member: MemberId = None,
    wix_user: WixUserId = None,
    visitor: VisitorId = None,
    external_reference: ExternalReference = None,
    reason: Reason = None,
    idempotency_key: IdempotencyKey = None,
) -> Answer:
    """Redeem an item from whichever benefit pays: credits that expire soonest come first."""
    beneficiary = beneficiary_of(member, wix_user, visitor)
    if beneficiary is None:
        raise WrongUsage("say whose pools may pay: --member, --wix-user or --visitor")
    paid = client.pools.redeem_eligible(
        item_reference=ItemReference(
            external_id=item, provider_app_id=provider_app, category=category
        ),
        namespace=namespace,
        beneficiary=beneficiary,
        count=count,
        split=split or None,
        target_date=instant_of("--target-date", target_date),
        external_reference=external_reference,
        reason=reason,
        idempotency_key=idempotency_key,
    )
    return Answer(
        {"redemptions": [to_wire(each) for each in paid]},
        ("TRANSACTION", "POOL", "BENEFIT", "COUNT", "CREDITS"),
        [
            (each.transaction_id, each.pool_id, each.benefit_key, each.count, to_wire(each.amount))
            for each in paid
        ],
    )


@calls_service(commands, "move-redemption")
def move_redemption(
    client: BenefitPrograms,
    transaction: Annotated[
        str,
        typer.Argument(help="The latest transaction of the redemption.", metavar="TRANSACTION"),
    ],
    pool: Annotated[str, typer.Argument(help="The pool that is to pay.", metavar="POOL")],
    *,
    benefit: Annotated[
        str | None,
        typer.Option("--benefit", help="Its benefit. Default: the first that holds the item."),
    ] = None,
    reason: Reason = None,
    idempotency_key: IdempotencyKey = None,
) -> Answer:
    """Let another pool of the same beneficiary pay for a redemption."""
    moved = client.pools.move_redemption(
        transaction, pool, benefit_key=benefit, reason=reason, idempotency_key=idempotency_key
    )
    return Answer(
        to_wire(moved),
        ("TRANSACTION", "CREDITS GIVEN BACK", "CANCELLATION"),
        [
            (
                moved.transaction_id,
                to_wire(moved.returned),
                moved.cancellation_transaction_id,
            )
        ],
    )


@calls_service(commands, "cancel-by-reference")
def cancel_by_reference(
    client: BenefitPrograms,
    namespace: Annotated[str, typer.Argument(help="The namespace of your app.")],
    reference: Annotated[
        str, typer.Argument(help="What it was made with: booking:123.", metavar="REFERENCE")
    ],
    *,
    override: Override = False,
    reason: Reason = None,
    idempotency_key: IdempotencyKey = None,
) -> Answer:
    """Cancel all redemptions and reservations with an external reference."""
    results = client.pools.cancel_by_reference(
        reference,
        namespace=namespace,
        override=override,
        reason=reason,
        idempotency_key=idempotency_key,
    )
    return Answer(
        {"results": [to_wire(each) for each in results]},
        ("TRANSACTION", "POOL", "STATUS", "CREDITS GIVEN BACK", "FORFEITED"),
        [
            (
                each.transaction_id,
                each.pool_id,
                each.status,
                to_wire(each.returned),
                to_wire(each.forfeited),
            )
            for each in results
        ],
    )
