"""Every method of the client does on a real service what it says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from benefit_programs.client import (
    UNSET,
    AdjustBalance,
    AlreadyExecuted,
    AnonymousVisitor,
    BalanceExceededLimits,
    BalanceType,
    BenefitAlreadyRedeemed,
    BenefitItem,
    BenefitNotFound,
    BenefitProgramsError,
    BenefitResultType,
    BenefitSelector,
    Cascade,
    ChangeAlreadyReverted,
    ChangeDetails,
    DetailsChange,
    FeedStart,
    IdMode,
    InvalidItemReference,
    InvalidRevision,
    ItemChange,
    ItemNotFound,
    ItemReference,
    ItemSetReferenceFilter,
    JobItemStatus,
    JobNotFound,
    JobStatus,
    LimitRule,
    Member,
    NewItem,
    NewPoolDefinition,
    NotEnoughBalance,
    PolicyExpressionEvaluatedToFalse,
    PoolChange,
    PoolDefinitionChange,
    PoolDefinitionItemField,
    PoolDefinitionNotFound,
    PoolItemField,
    PoolNotActive,
    PoolStatus,
    ProgramAlreadyExists,
    ProgramDefinitionAlreadyExists,
    ProgramDefinitionNotFound,
    ProgramNotFound,
    ProgramStatus,
    ProgramStatusTransitionNotAllowed,
    RedemptionAlreadyCanceled,
    ReferenceFilter,
    SetBalance,
    SetInitialBalance,
    StartStatus,
    TimePeriod,
    TransactionNotFound,
    ValidationError,
    WeekDay,
    policies,
)

if TYPE_CHECKING:
    from benefit_programs.client import BenefitPrograms
    from tests.support.gym import Gym

ENGINES = ["sqlite"]


def guid() -> str:
    return str(uuid4())


def test_program_definition_lives(client: BenefitPrograms, gym: Gym) -> None:
    """A program definition is created, read in both ways, changed in parts, and deleted."""
    made = client.program_definitions.create(
        namespace=gym.namespace,
        external_id=guid(),
        display_name="Old",
        description="kept",
        extended_fields={"@me/app": {"color": "red"}},
    )
    assert client.program_definitions.get(made.id) == made
    by_external_id = client.program_definitions.get_by_external_id(
        made.external_id, namespace=gym.namespace
    )
    assert by_external_id == made
    assert made.extended_fields is not None
    assert made.extended_fields.namespaces == {"@me/app": {"color": "red"}}
    changed = client.program_definitions.update(
        made.id, revision=made.revision, display_name="New", description=UNSET
    )
    assert (changed.revision, changed.display_name, changed.description) == (2, "New", "kept")
    cleared = client.program_definitions.update(made.id, revision=2, description=None)
    assert (cleared.display_name, cleared.description) == ("New", None)
    assert cleared.updated_date.tzinfo is not None
    client.program_definitions.delete(made.id, cascade_type=Cascade.FUTURE_PROVISIONS)
    with pytest.raises(ProgramDefinitionNotFound) as caught:
        client.program_definitions.get(made.id)
    assert caught.value.program_definition_id == made.id


def test_field_mask_clears_what_is_absent(client: BenefitPrograms, gym: Gym) -> None:
    """What a mask names and the call doesn't give is cleared; what it doesn't name is kept."""
    made = gym.program_definition
    changed = client.program_definitions.update(
        made.id, revision=made.revision, description="not named", field_mask=["display_name"]
    )
    assert (changed.display_name, changed.description) == (None, None)


def test_program_definition_is_unique(client: BenefitPrograms, gym: Gym) -> None:
    """A second program definition of an external id is refused, and the refusal names it."""
    with pytest.raises(ProgramDefinitionAlreadyExists) as caught:
        client.program_definitions.create(
            namespace=gym.namespace, external_id=gym.program_definition.external_id
        )
    assert caught.value.status == 409
    assert caught.value.external_id == gym.program_definition.external_id


def test_old_revision_is_refused(client: BenefitPrograms, gym: Gym) -> None:
    """An update of an old revision is refused, and the refusal names the entity."""
    made = gym.program_definition
    client.program_definitions.update(made.id, revision=1, display_name="A")
    with pytest.raises(InvalidRevision) as caught:
        client.program_definitions.update(made.id, revision=1, display_name="B")
    assert caught.value.entity_id == made.id


def test_validation_error_tells_every_field(client: BenefitPrograms) -> None:
    """All violations of a request come at once, with their paths."""
    with pytest.raises(ValidationError) as caught:
        client.program_definitions.create(namespace="", external_id="", display_name="x" * 65)
    fields = {each.field: each.violated_rule for each in caught.value.violations}
    assert fields == {
        "programDefinition.namespace": "MIN_LENGTH",
        "programDefinition.externalId": "MIN_LENGTH",
        "programDefinition.displayName": "MAX_LENGTH",
    }


def test_pool_definition_lives(client: BenefitPrograms, gym: Gym) -> None:
    """A pool definition is created, read, changed in parts, and deleted."""
    made = gym.pool_definition
    assert client.pool_definitions.get(made.id) == made
    assert made.program_definition_ids == (gym.program_definition.id,)
    assert made.details.credit_configuration is not None
    assert made.details.credit_configuration.amount == Decimal(100)
    changed = client.pool_definitions.update(
        made.id,
        revision=made.revision,
        cascade=Cascade.FUTURE_PROVISIONS,
        details=DetailsChange(additional_data={"note": {"kept_as_is": 1}}),
    )
    assert changed.details.benefits == made.details.benefits
    assert changed.details.additional_data == {"note": {"kept_as_is": 1}}
    assert changed.display_name == "Tokens"
    client.pool_definitions.delete(made.id, cascade=Cascade.FUTURE_PROVISIONS)
    with pytest.raises(PoolDefinitionNotFound) as caught:
        client.pool_definitions.get(made.id)
    assert caught.value.pool_definition_id == made.id


def test_pool_definition_joins_and_leaves(client: BenefitPrograms, gym: Gym) -> None:
    """A pool definition is added to a program definition, found by it, and removed."""
    other = client.pool_definitions.create(namespace=gym.namespace, details=gym.details())
    added = client.pool_definitions.add_to_program_definition(
        other.id,
        program_definition_id=gym.program_definition.id,
        cascade=Cascade.FUTURE_PROVISIONS,
    )
    assert added.program_definition_ids == (gym.program_definition.id,)
    found = client.pool_definitions.find_by_program_definition(
        gym.program_definition.id, namespace=gym.namespace
    )
    assert {each.id for each in found} == {gym.pool_definition.id, other.id}
    removed = client.pool_definitions.remove_from_program_definition(
        other.id,
        program_definition_id=gym.program_definition.id,
        cascade=Cascade.FUTURE_PROVISIONS,
    )
    assert removed.program_definition_ids == ()


def test_pool_definitions_in_bulk(client: BenefitPrograms, gym: Gym) -> None:
    """Entries of bulk calls succeed and fail one by one."""
    new = [
        NewPoolDefinition(namespace=gym.namespace, details=gym.details(), display_name="A"),
        NewPoolDefinition(namespace=gym.namespace, details=gym.details(price="-1")),
    ]
    made = client.pool_definitions.bulk_create(new, return_entity=True)
    assert [each.success for each in made.results] == [True, False]
    assert made.bulk_action_metadata.total_failures == 1
    assert made.failures[0].error is not None
    assert made.failures[0].error.code == "VALIDATION_ERROR"
    first = made.successes[0]
    assert first.item is not None
    assert first.item.id == first.id
    change = PoolDefinitionChange(
        id=first.item.id, revision=1, display_name="B", field_mask=["display_name"]
    )
    changed = client.pool_definitions.bulk_update(
        [change], cascade=Cascade.FUTURE_PROVISIONS, return_entity=True
    )
    assert changed.results[0].item is not None
    assert changed.results[0].item.display_name == "B"
    deleted = client.pool_definitions.bulk_delete(
        [first.item.id, guid()], cascade=Cascade.FUTURE_PROVISIONS
    )
    assert [each.index for each in deleted.successes] == [0]


def test_program_is_provisioned(client: BenefitPrograms, gym: Gym) -> None:
    """A program is provisioned with its pool, and its job has ended."""
    member_id = guid()
    provisioned = client.programs.provision(
        program_definition_id=gym.program_definition.id,
        beneficiary=Member(member_id),
        namespace=gym.namespace,
        external_program_id="membership-17",
        display_name="Membership",
        program_status=StartStatus.PAUSED,
    )
    program = provisioned.program
    assert program.status == ProgramStatus.PAUSED
    assert program.beneficiary == Member(member_id)
    assert client.wait_for_job(provisioned.job_id).status == JobStatus.FINISHED
    assert client.programs.get(program.id) == program
    assert client.programs.get_by_external_id("membership-17", namespace=gym.namespace) == program
    with pytest.raises(ProgramAlreadyExists) as caught:
        client.programs.provision(
            pool_definition_id=gym.pool_definition.id,
            beneficiary=Member(member_id),
            namespace=gym.namespace,
            external_program_id="membership-17",
        )
    assert caught.value.external_program_id == "membership-17"
    assert caught.value.program_id == program.id


def test_program_is_updated(client: BenefitPrograms, gym: Gym) -> None:
    """A program takes a new name, and loses it."""
    program, _ = gym.provision()
    named = client.programs.update(program.id, revision=1, display_name="Named")
    assert named.display_name == "Named"
    assert client.programs.update(program.id, revision=2, display_name=None).display_name is None
    with pytest.raises(ProgramNotFound):
        client.programs.update(guid(), revision=1, display_name="x")


def test_program_goes_through_its_life(client: BenefitPrograms, gym: Gym) -> None:
    """A program is paused, resumed, renewed and ended; each answers with a job."""
    program, pool = gym.provision()
    gym.redeem(pool)
    for act, status in [
        (client.programs.pause, ProgramStatus.PAUSED),
        (client.programs.resume, ProgramStatus.ACTIVE),
        (client.programs.renew, ProgramStatus.ACTIVE),
        (client.programs.end, ProgramStatus.ENDED),
    ]:
        client.async_jobs.wait(act(program.id).job_id)
        assert client.programs.get(program.id).status == status
    assert client.balances.get(pool.id).available == Decimal(100)
    with pytest.raises(ProgramStatusTransitionNotAllowed) as caught:
        client.programs.pause(program.id)
    assert caught.value.current_status == ProgramStatus.ENDED


def test_callers_own_key_is_told(client: BenefitPrograms, gym: Gym) -> None:
    """A key of the caller's that was used before is an error, which tells the first execution."""
    program, pool = gym.provision()
    started = client.programs.pause(program.id, idempotency_key="once")
    with pytest.raises(AlreadyExecuted) as caught:
        client.programs.pause(program.id, idempotency_key="once")
    assert caught.value.job_id == started.job_id
    client.programs.resume(program.id)
    transaction_id = gym.redeem(pool, idempotency_key="mine")
    with pytest.raises(BenefitAlreadyRedeemed) as replayed:
        gym.redeem(pool, idempotency_key="mine")
    assert replayed.value.transaction_id == transaction_id


def test_benefit_is_redeemed(client: BenefitPrograms, gym: Gym) -> None:
    """A redemption spends the price times the count, and is recorded."""
    program, pool = gym.provision()
    date = datetime.now(UTC) + timedelta(days=3)
    transaction_id = gym.redeem(
        pool, count=3, target_date=date, beneficiary=program.beneficiary, additional_data={"a": 1}
    )
    transaction = client.transactions.get(transaction_id)
    assert transaction.amount == Decimal(30)
    assert transaction.source == BalanceType.AVAILABLE
    assert transaction.details.item_count == 3
    assert transaction.details.effective_date is not None
    assert abs(transaction.details.effective_date - date) < timedelta(milliseconds=1)
    balance = client.balances.get(pool.id)
    assert balance.available == Decimal(70)
    assert balance.last_transaction_id == transaction_id


def test_redemption_is_moved_and_taken_back(client: BenefitPrograms, gym: Gym) -> None:
    """A redemption is reallocated, then canceled by its latest transaction."""
    program, pool = gym.provision()
    redeemed = gym.redeem(pool)
    moved = client.pools.reallocate(
        redeemed,
        target_date=datetime.now(UTC) + timedelta(days=1),
        beneficiary=program.beneficiary,
        namespace=gym.namespace,
    )
    canceled = client.pools.cancel_redemption(moved.transaction_id)
    assert client.balances.get(pool.id).available == Decimal(100)
    with pytest.raises(RedemptionAlreadyCanceled) as caught:
        client.pools.cancel_redemption(moved.transaction_id)
    assert caught.value.cancellation_transaction_id == canceled.transaction_id


def test_refused_redemptions_say_why(client: BenefitPrograms, gym: Gym) -> None:
    """Each refusal is a class of its own, with its facts typed."""
    program, pool = gym.provision()
    with pytest.raises(NotEnoughBalance) as poor:
        gym.redeem(pool, count=11)
    assert (poor.value.available, poor.value.requested) == (Decimal(100), Decimal(110))
    assert poor.value.item_reference == gym.reference
    with pytest.raises(BenefitNotFound) as missing:
        client.pools.redeem(
            pool.id, benefit_key="sauna", item_reference=gym.reference, namespace=gym.namespace
        )
    assert missing.value.benefit_key == "sauna"
    client.programs.pause(program.id)
    with pytest.raises(PoolNotActive) as paused:
        gym.redeem(pool)
    assert paused.value.pool_status == PoolStatus.PAUSED


def test_policies_are_written_shortly(client: BenefitPrograms, gym: Gym) -> None:
    """A policy that is put together from functions is kept by the service, and judges."""
    expression = policies.all_of(
        policies.any_of(
            policies.weekly(WeekDay.MONDAY, WeekDay.SUNDAY),
            policies.unless(policies.weekly(WeekDay.MONDAY, WeekDay.SUNDAY)),
        ),
        policies.at_most(1, TimePeriod.DAY),
        policies.at_most_within(1, "PT12H"),
    )
    changed = client.pool_definitions.update(
        gym.pool_definition.id,
        revision=1,
        cascade=Cascade.FUTURE_PROVISIONS,
        details=DetailsChange(policy_expression=expression),
    )
    assert changed.details.policy_expression is not None
    assert changed.details.policy_expression.type == "OPERATOR_AND"
    _, pool = gym.provision()
    gym.redeem(pool)
    with pytest.raises(PolicyExpressionEvaluatedToFalse) as caught:
        gym.redeem(pool)
    periods = [(each.error_data or {}).get("timePeriod") for each in caught.value.failures]
    assert periods == ["DAY", "ROLLING"]


def test_eligibility_is_explained(client: BenefitPrograms, gym: Gym) -> None:
    """All four questions about eligibility are answered with typed reasons."""
    program, pool = gym.provision()
    checked = client.pools.check_eligibility(
        pool.id, item_reference=gym.reference, namespace=gym.namespace
    )
    assert checked.is_eligible
    assert checked.benefit_results[0].eligible_benefit_options is not None
    assert checked.benefit_results[0].eligible_benefit_options.price == Decimal(10)
    selector = BenefitSelector(pool_id=pool.id, item_reference=gym.reference, count=11)
    (answered,) = client.pools.bulk_check_eligibility([selector], namespace=gym.namespace)
    (result,) = answered.result.benefit_results
    assert answered.benefit_selector == selector
    assert result.type == BenefitResultType.NOT_ENOUGH_BALANCE
    assert result.explanation.pool_id == pool.id
    (eligible,) = client.pools.eligible_benefits(
        item_reference=gym.reference, namespace=gym.namespace, beneficiary=program.beneficiary
    )
    assert (eligible.pool_id, eligible.benefit_key) == (pool.id, "towel")
    (by_filter,) = client.pools.check_eligibility_by_filter(
        item_reference=gym.reference,
        namespace=gym.namespace,
        beneficiary=program.beneficiary,
        pool_statuses=[PoolStatus.ACTIVE],
    )
    assert by_filter.is_eligible
    unknown = ItemReference(external_id="x", provider_app_id=guid())
    with pytest.raises(InvalidItemReference):
        client.pools.eligible_benefits(item_reference=unknown, namespace=gym.namespace)


def test_pools_are_updated(client: BenefitPrograms, gym: Gym) -> None:
    """A pool is changed alone, and as one of many."""
    _, pool = gym.provision()
    assert client.pools.get(pool.id) == pool
    changed = client.pools.update(
        pool.id, revision=1, display_name="Own", details=DetailsChange(additional_data={"a": "b"})
    )
    assert changed.display_name == "Own"
    assert changed.details.benefits == pool.details.benefits
    result = client.pools.bulk_update(
        [PoolChange(id=pool.id, revision=2, display_name=None), PoolChange(id=guid(), revision=1)],
        return_entity=True,
    )
    assert [each.success for each in result.results] == [True, False]
    assert result.results[0].item is not None
    assert result.results[0].item.display_name is None
    assert result.results[1].error is not None
    assert result.results[1].error.code == "POOL_NOT_FOUND"


def test_items_live(client: BenefitPrograms, gym: Gym) -> None:
    """An item is created, read, changed, counted, listed and deleted."""
    item = gym.item
    assert client.items.get(item.id) == item
    changed = client.items.update(item.id, revision=1, display_name="Towel")
    assert changed.display_name == "Towel"
    assert client.items.count({"namespace": gym.namespace}) == 1
    listed = client.items.list(
        [ItemSetReferenceFilter(item_set_id=gym.item_set_id, external_id="towel-1")]
    )
    assert list(listed) == [changed]
    assert list(client.items.list([ReferenceFilter(provider_app_id=gym.app_id)])) == [changed]
    assert list(client.items.list(namespace=gym.namespace)) == [changed]
    client.items.delete(item.id)
    with pytest.raises(ItemNotFound) as caught:
        client.items.delete(item.id)
    assert caught.value.item_id == item.id


def test_items_in_bulk(client: BenefitPrograms, gym: Gym) -> None:
    """Items are created, changed and deleted by the hundred, and by a filter."""
    new = [
        NewItem(
            external_id=f"item-{number}",
            item_set_id=gym.item_set_id,
            provider_app_id=gym.app_id,
            namespace=gym.namespace,
            category="all",
        )
        for number in range(5)
    ]
    made = client.items.bulk_create(new)
    ids = [each.id or "" for each in made.successes]
    assert len(ids) == 5
    assert made.results[0].item is None
    changed = client.items.bulk_update(
        [ItemChange(id=ids[0], revision=1, display_name="First")], return_entity=True
    )
    assert changed.results[0].item is not None
    assert changed.results[0].item.display_name == "First"
    assert len(client.items.bulk_delete(ids[:2]).successes) == 2
    job = client.items.bulk_delete_by_filter(
        namespace=gym.namespace, filter={"external_id": {"$startsWith": "ITEM"}}
    )
    assert client.async_jobs.wait(job.job_id).status == JobStatus.FINISHED
    assert [each.external_id for each in client.items.query({"namespace": gym.namespace})] == [
        "towel-1"
    ]


def test_items_of_benefits(client: BenefitPrograms, gym: Gym) -> None:
    """Items are added to a benefit and removed, and its pools show them at once."""
    program, pool = gym.provision()
    items = [BenefitItem(external_id="soap", category="wet")]
    added = client.pool_definition_items.add_items_to_benefit(
        gym.pool_definition.id, benefit_key="towel", items=items
    )
    assert added.results[0].success
    of_definition = client.pool_definition_items.query(
        {"pool_definition_id": gym.pool_definition.id, "external_id": "soap"},
        fields=[PoolDefinitionItemField.BENEFIT],
    ).first()
    assert of_definition is not None
    assert of_definition.benefit_info is not None
    assert of_definition.benefit_info.price == Decimal(10)
    assert of_definition.item_info is None
    member = program.beneficiary.id
    of_pool = client.pool_items.query(
        {"beneficiary.member_id": member, "external_id": "soap"},
        fields=[PoolItemField.BALANCE, PoolItemField.PROGRAM],
    ).first()
    assert of_pool is not None
    assert of_pool.pool_id == pool.id
    assert of_pool.balance is not None
    assert of_pool.balance.available == Decimal(100)
    assert of_pool.program is not None
    assert of_pool.program.external_id == program.external_id
    removed = client.pool_definition_items.remove_items_from_benefit(
        gym.pool_definition.id, benefit_key="towel", items=items
    )
    assert removed.bulk_action_metadata.total_successes == 1
    assert len(client.pool_items.query({"pool_id": pool.id}).to_list()) == 1


def test_balances_change(client: BenefitPrograms, gym: Gym) -> None:
    """A balance is adjusted, set and reverted; limits are kept."""
    program, pool = gym.provision()
    adjusted = client.balances.change(
        pool.id,
        AdjustBalance(value="0.5", upper_limit=1000, limit_rule=LimitRule.FAIL),
        transaction_details=ChangeDetails(reason="A visit"),
        instructing_party=program.beneficiary,
    )
    assert adjusted.balance.available == Decimal("100.5")
    assert adjusted.transaction_id is not None
    transaction = client.transactions.get(adjusted.transaction_id)
    assert transaction.details.reason == "A visit"
    assert transaction.instructing_party == program.beneficiary
    reverted = client.balances.revert_change(adjusted.transaction_id)
    with pytest.raises(ChangeAlreadyReverted) as caught:
        client.balances.revert_change(adjusted.transaction_id)
    assert caught.value.reverted_transaction_id == reverted.transaction_id
    same = client.balances.change(pool.id, SetBalance(value=Decimal(100)))
    assert same.transaction_id is None
    assert same.balance.available == Decimal(100)
    with pytest.raises(BalanceExceededLimits) as exceeded:
        client.balances.change(pool.id, AdjustBalance(value=-101))
    assert exceeded.value.available == Decimal(100)
    with pytest.raises(BenefitProgramsError):
        client.balances.change(pool.id, SetInitialBalance(value=1))
    assert [each.id for each in client.balances.list([pool.id])] == [pool.id]


def test_transactions_are_found(client: BenefitPrograms, gym: Gym) -> None:
    """The transactions of a pool come newest first, and unknown ones are told."""
    _, pool = gym.provision()
    redeemed = gym.redeem(pool)
    found = client.transactions.query({"pool.id": pool.id}).to_list()
    assert [each.details.reason for each in found] == ["Redemption", "Provisioning"]
    assert found[0].id == redeemed
    assert found[0].pool.id == pool.id
    with pytest.raises(TransactionNotFound):
        client.transactions.get(guid())


def test_settings_are_changed(client: BenefitPrograms) -> None:
    """Settings that are given change, None is the default, and the rest stays."""
    changed = client.settings.update(time_zone="Europe/Berlin", id_mode=IdMode.OPEN)
    assert (changed.time_zone, changed.id_mode) == ("Europe/Berlin", IdMode.OPEN)
    assert client.settings.get() == changed
    reset = client.settings.update(id_mode=None)
    assert (reset.time_zone, reset.id_mode) == ("Europe/Berlin", IdMode.DEFAULT)
    client.settings.update(time_zone=None)
    with pytest.raises(ValidationError):
        client.settings.update(time_zone="Nowhere/Land")


def test_jobs_tell_their_items(client: BenefitPrograms, gym: Gym) -> None:
    """A job and what it worked on can be read; an unknown job is told."""
    provisioned = client.programs.provision(
        program_definition_id=gym.program_definition.id,
        beneficiary=Member(guid()),
        namespace=gym.namespace,
        external_program_id=guid(),
    )
    job = client.async_jobs.get(provisioned.job_id)
    assert job.has_ended
    assert job.counts.success_count == 1
    statuses = {each.status for each in client.async_jobs.list_items(job.id).limit(10)}
    assert statuses <= {JobItemStatus.SUCCESS}
    with pytest.raises(JobNotFound) as caught:
        client.async_jobs.get(guid())
    assert caught.value.request_id


def test_person_is_erased(client: BenefitPrograms, gym: Gym) -> None:
    """A member's program ends, and belongs to the pseudonym from then on."""
    member = Member(guid())
    provisioned = client.programs.provision(
        program_definition_id=gym.program_definition.id,
        beneficiary=member,
        namespace=gym.namespace,
        external_program_id=guid(),
    )
    erased = client.beneficiaries.erase(member)
    client.async_jobs.wait(erased.job_id)
    program = client.programs.get(provisioned.program.id)
    assert (program.status, program.beneficiary) == (ProgramStatus.ENDED, erased.beneficiary)
    assert erased.beneficiary != member


def test_events_are_read_page_by_page(client: BenefitPrograms, gym: Gym) -> None:
    """Pages go on behind a cursor up to now, and a kept cursor leads to what came since."""
    before = client.events.page(start=FeedStart.NEWEST).cursor
    first = client.program_definitions.create(namespace=gym.namespace, external_id=guid())
    second = client.program_definitions.create(namespace=gym.namespace, external_id=guid())
    pages = list(client.events.pages(before, limit=1, namespace=gym.namespace))
    events = [event for page in pages for event in page.events]
    assert [each.entity_id for each in events] == [first.id, second.id]
    assert {each.type for each in events} == {"wix.benefit_programs.v1.program_definition_created"}
    assert events[0].body["externalId"] == first.external_id
    assert (events[0].entity_event_sequence, events[0].event_time) == (1, first.created_date)
    assert client.events.page(pages[-1].cursor).events == ()
    followed = next(iter(client.events.follow(before, entity_id=second.id)))
    assert [each.entity_id for each in followed.events] == [second.id]
    with pytest.raises(ValidationError):
        client.events.page("nonsense")


def test_what_is_kept_is_exported(client: BenefitPrograms, gym: Gym) -> None:
    """All that is kept of a member is read page by page, the program first."""
    member = Member(guid())
    provisioned = client.programs.provision(
        program_definition_id=gym.program_definition.id,
        beneficiary=member,
        namespace=gym.namespace,
        external_program_id=guid(),
    )
    records = client.beneficiaries.export(member).limit(2).to_list()
    assert records[0].program == client.programs.get(provisioned.program.id)
    pools = [(each.pool, each.balance) for each in records if each.pool and each.balance]
    assert [pool.id for pool, _ in pools] == [balance.id for _, balance in pools]
    assert {each.event.entity for each in records if each.event} >= {"program", "pool"}
    (job,) = [each for each in records if each.job]
    assert {item.id for item in job.job_items} == {pool.id for pool, _ in pools}


def test_visitor_becomes_a_member(client: BenefitPrograms, gym: Gym) -> None:
    """What a visitor had is the member's once the merge is done."""
    visitor, member = AnonymousVisitor(guid()), Member(guid())
    provisioned = client.programs.provision(
        program_definition_id=gym.program_definition.id,
        beneficiary=visitor,
        namespace=gym.namespace,
        external_program_id=guid(),
    )
    merged = client.beneficiaries.merge(visitor, member)
    assert client.async_jobs.wait(merged.job_id).counts.success_count == 1
    assert client.programs.get(provisioned.program.id).beneficiary == member
