"""The account of a pool, and the table of what operations do."""

from __future__ import annotations

from itertools import count, product
from typing import Any

import pytest

from benefit_programs.domain.account import Account
from benefit_programs.domain.context import Context
from benefit_programs.domain.entities import (
    BalanceType,
    Operation,
    Pool,
    PoolOrigin,
    PoolStatus,
    TransactionDetails,
)
from benefit_programs.domain.errors import BalanceExceededLimits
from benefit_programs.domain.events import CATALOG
from benefit_programs.domain.operations import RULES
from benefit_programs.domain.settings import TenantSettings
from benefit_programs.domain.settling import give_back
from benefit_programs.domain.state import Changes, State
from benefit_programs.domain.values import AMOUNT_MAX, Identity, IdentityType

CALLER = Identity(IdentityType.APP, "app")
MEMBER = Identity(IdentityType.MEMBER, "member")
AVAILABLE, EXTERNAL = BalanceType.AVAILABLE, BalanceType.EXTERNAL


def context() -> Context:
    numbers = count(1)
    return Context(7, lambda: f"id {next(numbers)}", CALLER, TenantSettings())


def pool(available: int = 100, **more: Any) -> Pool:
    return Pool(
        id="pool",
        revision=3,
        created=1,
        updated=1,
        program_id="program",
        program_external_id="program",
        pool_definition_id="definition",
        pool_definition_revision=1,
        snapshot_id="snapshot",
        status=PoolStatus.ACTIVE,
        origin=PoolOrigin.PROVISION,
        namespace="gym",
        available=available,
        balance_revision=5,
        balance_updated=1,
        sequence=9,
        member_id="member",
        **more,
    )


def test_every_operation_has_its_rule() -> None:
    """Each goes one way or, by the caller's choice, either; its events are in the catalog."""
    assert RULES.keys() == set(Operation)
    assert all((rule.source is None) is (rule.target is None) for rule in RULES.values())
    known = {each.slug for each in CATALOG if each.entity == "pool"}
    assert {rule.event for rule in RULES.values() if rule.event} <= known


def test_each_transaction_follows_the_one_before() -> None:
    """Amounts, revisions and the last transaction are carried on, and nothing else changes."""
    account = Account(pool(), context(), MEMBER)
    account.spend(Operation.EXPIRY, 100)
    account.grant(Operation.RENEWAL, 30)
    first, second = account.transactions
    assert (first.amount, first.source, first.target) == (100, AVAILABLE, EXTERNAL)
    assert (second.amount, second.source, second.target) == (30, EXTERNAL, AVAILABLE)
    assert [each.available_after for each in account.transactions] == [0, 30]
    assert [each.balance_revision for each in account.transactions] == [6, 7]
    assert [each.details.reason for each in account.transactions] == ["Expiry", "Renewal"]
    assert {(each.party_type, each.party_id) for each in account.transactions} == {
        (IdentityType.MEMBER, "member")
    }
    after = account.pool
    assert (after.available, after.balance_revision, after.balance_updated) == (30, 7, 7)
    assert (after.last_transaction_id, after.revision, after.sequence) == (second.id, 3, 9)


def test_a_balance_opens_with_its_first_transaction() -> None:
    """Provisioning has the revision that the new balance has already."""
    account = Account(pool(0), context())
    assert account.grant(Operation.PROVISION, 5).balance_revision == 5


def test_what_is_given_back_is_the_opposite() -> None:
    """Of the same amount, in the same chain, in its own words, without shares of rate limits."""
    account = Account(pool(), context())
    details = TransactionDetails(reason="Redemption", item_count=2)
    root = account.spend(Operation.REDEEM, 40, details=details)
    back = give_back(
        State(),
        account,
        Operation.CANCEL,
        root,
        40,
        (),
        details=details,
        idempotency_key="key",
        related_transaction_id=root.id,
    )
    assert (back.amount, back.source, back.target) == (40, EXTERNAL, AVAILABLE)
    assert (back.related_transaction_id, back.correlation_id) == (root.id, root.id)
    assert back.details == TransactionDetails(reason="Cancellation", item_count=2)
    assert account.pool.available == 100


def test_the_largest_amount_is_the_end() -> None:
    """A grant up to it is fine; one past it is refused, and leaves the account as it was."""
    account = Account(pool(AMOUNT_MAX - 1), context())
    with pytest.raises(BalanceExceededLimits) as refused:
        account.grant(Operation.CHANGE, 2)
    assert (refused.value.requested, refused.value.upper_limit) == (2, AMOUNT_MAX)
    assert (account.pool, account.transactions) == (pool(AMOUNT_MAX - 1), [])
    account.grant(Operation.CHANGE, 1)
    assert account.pool.available == AMOUNT_MAX


@pytest.mark.parametrize(
    ("operation", "way", "amount"),
    list(product(Operation, [(AVAILABLE, EXTERNAL), (EXTERNAL, AVAILABLE)], [0, 1])),
)
def test_an_operation_does_what_its_rule_says(
    operation: Operation, way: tuple[BalanceType, BalanceType], amount: int
) -> None:
    """Another way or another amount is our own mistake."""
    rule, account = RULES[operation], Account(pool(), context())
    post = account.spend if way[0] is AVAILABLE else account.grant
    fits = (rule.source, rule.target) in ((None, None), way) and (
        not rule.is_zero if amount else rule.is_zero or rule.may_be_zero
    )
    if fits:
        assert post(operation, amount).amount == amount
    else:
        with pytest.raises(AssertionError, match="I9"):
            post(operation, amount)


def test_what_is_not_there_cannot_be_spent() -> None:
    """The last credit can; one more is our own mistake."""
    Account(pool(), context()).spend(Operation.REDEEM, 100)
    with pytest.raises(AssertionError, match="I2"):
        Account(pool(), context()).spend(Operation.REDEEM, 101)


def test_a_transaction_is_saved_with_its_event() -> None:
    """That of the pool if its operation has one, which counts; else that of the balance."""
    redeeming, changing = Account(pool(), context()), Account(pool(), context())
    redeeming.spend(Operation.REDEEM, 1)
    changing.grant(Operation.CHANGE, 1)
    changes = Changes(None)
    assert redeeming.save(changes, more=1).sequence == 10
    assert changing.save(changes).sequence == 9
    first, second = changes.events
    assert (first.entity, first.slug, first.sequence) == ("pool", "benefit_redeemed", 10)
    assert (first.body["more"], first.transaction_id) == (1, redeeming.transactions[0].id)
    assert (second.entity, second.slug, second.sequence) == ("balance", "updated", 6)
    assert changes.saved.count(redeeming.transactions[0]) == 1
