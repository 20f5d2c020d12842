"""What a caller writes: every line must be fine for mypy and pyright, both at their strictest.

Lines that must be refused say so; an ignore that isn't needed is a mistake too.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import assert_type

from benefit_programs.client import (
    UNSET,
    AdjustBalance,
    AsyncBenefitPrograms,
    AsyncPage,
    Balance,
    Benefit,
    BenefitAlreadyRedeemed,
    BenefitPrograms,
    BulkResult,
    Cascade,
    ChangedBalance,
    CreatedWebhookEndpoint,
    CreditConfiguration,
    Details,
    DetailsChange,
    DomainEvent,
    EligibleBenefit,
    Identity,
    Item,
    ItemReference,
    Member,
    NewItem,
    NotEnoughBalance,
    Page,
    PolicyExpression,
    Pool,
    PoolStatus,
    Program,
    ProgramQuery,
    ProvisionedProgram,
    Redemption,
    TimePeriod,
    Webhook,
    WebhookEndpoint,
    WixUser,
    policies,
)


def use_entities(client: BenefitPrograms) -> None:
    """Entities have attributes with types."""
    provisioned = client.programs.provision(
        program_definition_id="d",
        beneficiary=Member("m"),
        namespace="gym",
        external_program_id="17",
    )
    assert_type(provisioned, ProvisionedProgram)
    assert_type(provisioned.program, Program)
    assert_type(provisioned.program.revision, int)
    assert_type(provisioned.program.created_date, datetime)
    assert_type(provisioned.program.beneficiary, Identity)
    assert_type(provisioned.program.display_name, str | None)
    assert_type(client.balances.get("p").available, Decimal)
    assert_type(client.balances.get("p"), Balance)
    provisioned.program.namespace = "x"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]


def use_queries(client: BenefitPrograms) -> None:
    """Fields of filters and sorts are known, and rows have their types."""
    query = client.programs.query(
        {"namespace": "gym", "created_date": {"$gte": datetime.now(UTC)}},
        sort=["-created_date", "id"],
    )
    assert_type(query, ProgramQuery)
    for program in query.limit(10).filter({"$or": [{"status": "ACTIVE"}, {"external_id": None}]}):
        assert_type(program, Program)
    for page in query.pages():
        assert_type(page, Page[Program])
        assert_type(page.next(), Page[Program] | None)
    assert_type(query.sort("-external_id").first(), Program | None)
    assert_type(query.one(), Program)
    assert_type(query.to_list(), list[Program])
    assert_type(iter(query), Iterator[Program])
    client.programs.query({"name_space": "gym"})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.programs.query({"created_date": "today"})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.programs.query(sort=["beneficiaries"])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    query.sort("name")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def use_details(client: BenefitPrograms) -> None:
    """What requests are made of is typed, and so is what may be cleared."""
    expression = policies.at_most(2, TimePeriod.DAY)
    assert_type(expression, PolicyExpression)
    details = Details(
        benefits=[Benefit(benefit_key="towel", provider_app_id="a", price=Decimal(10))],
        credit_configuration=CreditConfiguration(amount=Decimal(100)),
        policy_expression=expression,
    )
    made = client.pool_definitions.create(namespace="gym", details=details)
    client.pool_definitions.update(
        made.id,
        revision=made.revision,
        cascade=Cascade.IMMEDIATELY,
        display_name=None,
        description=UNSET,
        details=DetailsChange(policy_expression=None),
        field_mask=["display_name"],
    )
    client.pool_definitions.update(  # type: ignore[call-arg]
        made.id, revision=1
    )  # pyright: ignore[reportCallIssue]
    client.programs.update("p", revision=1, field_mask=["status"])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    Benefit(benefit_key="towel")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def use_redemptions(client: BenefitPrograms, item: ItemReference) -> Redemption | None:
    """Refusals have their facts."""
    eligible = client.pools.eligible_benefits(item_reference=item, namespace="gym")
    assert_type(eligible, tuple[EligibleBenefit, ...])
    try:
        return client.pools.redeem(
            "p", benefit_key="towel", item_reference=item, namespace="gym", count=2
        )
    except NotEnoughBalance as error:
        assert_type(error.available, Decimal | None)
        assert_type(error.item_reference, ItemReference | None)
        assert_type(error.code, str)
    except BenefitAlreadyRedeemed as error:
        assert_type(error.transaction_id, str | None)
    return None


def use_changes(client: BenefitPrograms) -> None:
    """Amounts are exact: a float is refused."""
    changed = client.balances.change("p", AdjustBalance(value="0.5"))
    assert_type(changed, ChangedBalance)
    AdjustBalance(value=0.5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    item = NewItem(external_id="e", item_set_id="s", provider_app_id="a", namespace="n")
    result = client.items.bulk_create([item], return_entity=True)
    assert_type(result, BulkResult[Item])
    assert_type(result.results[0].item, Item | None)
    assert_type(client.with_options(timeout=1, max_retries=0), BenefitPrograms)


def match_identity(program: Program) -> str:
    """Identities can be matched."""
    match program.beneficiary:
        case Member(member_id):
            return member_id
        case WixUser(user_id):
            return user_id
        case _:
            return ""


def match_status(pool: Pool) -> bool:
    """Values of enums can be compared with their members."""
    return pool.status == PoolStatus.ACTIVE or pool.status is PoolStatus.PAUSED


async def use_async(client: AsyncBenefitPrograms) -> None:
    """The async client has the same methods with await."""
    async with client:
        assert_type(await client.programs.get("p"), Program)
        query = client.programs.query({"namespace": "gym"})
        async for program in query:
            assert_type(program, Program)
        async for page in query.pages():
            assert_type(page, AsyncPage[Program])
            assert_type(await page.next(), AsyncPage[Program] | None)
        assert_type(aiter(query), AsyncIterator[Program])
        assert_type(await query.first(), Program | None)
        client.programs.get("p").display_name  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]  # noqa: B018


def use_webhooks(client: BenefitPrograms, body: bytes) -> None:
    """Secrets are texts, events know their entities, and functions may be of either kind."""
    created = client.webhooks.create("https://club.example/hooks", event_types=["x"])
    assert_type(created, CreatedWebhookEndpoint)
    assert_type(client.webhooks.rotate_secret("e"), str)
    assert_type(client.webhooks.query({"status": "ACTIVE"}).first(), WebhookEndpoint | None)
    event = Webhook.verify({"webhook-id": "1"}, body, created.secret)
    assert_type(event, DomainEvent)
    assert_type(event.namespace, str | None)
    if isinstance(event.entity, Pool):
        assert_type(event.entity.status, PoolStatus)
    Webhook.verify([(b"webhook-id", b"1")], body, ["one", "two"])
    Webhook.verify({}, body, 17)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


async def use_functions(client: AsyncBenefitPrograms) -> None:
    """Functions that take events are plain or async."""
    seen: list[str] = []

    def plain(event: DomainEvent) -> None:
        seen.append(event.id)

    async def awaited(event: DomainEvent) -> None:
        await client.pools.get(event.entity_id)

    assert_type(await client.on_events("plain", plain), WebhookEndpoint)
    await client.on_events("awaited", awaited, namespaces=["club"])
