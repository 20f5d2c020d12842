"""Amounts never drift, never overflow, and never take a form that nobody meant (I1, I2)."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from benefit_programs.domain.balances import Adjust, ChangeBalance, RevertBalanceChange, Set
from benefit_programs.domain.context import Context
from benefit_programs.domain.details import Benefit, CreditConfiguration, Details
from benefit_programs.domain.entities import (
    Item,
    Pool,
    PoolOrigin,
    PoolStatus,
    Snapshot,
    Transaction,
)
from benefit_programs.domain.errors import BalanceExceededLimits, NotEnoughBalance, Refusal
from benefit_programs.domain.redemptions import CancelRedemption, RedeemBenefit
from benefit_programs.domain.settings import TenantSettings
from benefit_programs.domain.state import Mode, Needs, State
from benefit_programs.domain.values import AMOUNT_MAX, Identity, IdentityType, ItemReference
from benefit_programs.engine.ids import new_ids
from benefit_programs.wire.codec import amount_text
from tests.support.calls import guid
from tests.support.wallet import open_wallet

if TYPE_CHECKING:
    from benefit_programs.domain.command import Command
    from tests.support.inprocess import Service

ENGINES = ["sqlite"]

OPERATIONS = 20_000
OPERATIONS_FULL = 100_000
NOW = 1_800_000_000_000
CALLER = Identity(IdentityType.WIX_USER, guid())
SETTINGS = TenantSettings()
ITEM_SET, APP = guid(), guid()
REFERENCE = ItemReference("item", APP)


class Books:
    """Rows in memory, and deciders that work on them one after the other."""

    def __init__(self, *, price: int, available: int) -> None:
        self.ids = new_ids()
        self.price = price
        self.pool = self._pool(available)
        self.rows: dict[type[Any], list[Any]] = {
            Pool: [self.pool],
            Snapshot: [self._snapshot()],
            Item: [self._item()],
        }
        self.transactions: dict[str, Transaction] = {}

    def do(self, command: Command[Any]) -> Any:
        """Load what a command asks for, decide it, and keep what it changed; its answer."""
        state, needs = State(), None
        for _ in range(8):
            needs = Needs(state, NOW, SETTINGS)
            command.ask(needs, state)
            if not needs.wanted:
                break
            for index, keys in needs.wanted.items():
                state.load(index, dict.fromkeys(keys, Mode.LOCK), self._found(index, keys))
        context = Context(now=NOW, new_id=self.ids.at(NOW), caller=CALLER, settings=SETTINGS)
        changes = command.decide(state, context)
        for row in changes.saved:
            if isinstance(row, Pool):
                self.pool = row
                self.rows[Pool] = [row]
            elif isinstance(row, Transaction):
                self.transactions[row.id] = row
        return changes.answer

    def _found(self, index: Any, keys: Any) -> list[Any]:
        """Rows by their keys; transactions by id alone, so that many of them cost nothing."""
        if index.entity is Transaction:
            if index.columns in {("id",), ("correlation_id",)}:
                return [self.transactions[key[0]] for key in keys if key[0] in self.transactions]
            return []
        rows = self.rows.get(index.entity, [])
        return [row for row in rows if index.key_of(row) in keys]

    def redemption(self, count: int = 1) -> RedeemBenefit:
        return RedeemBenefit(
            pool_id=self.pool.id,
            namespace="gym",
            benefit_key="towel",
            item=REFERENCE,
            idempotency_key=guid(),
            count=count,
        )

    def change(self, change: Adjust | Set) -> ChangeBalance:
        return ChangeBalance(pool_id=self.pool.id, idempotency_key=guid(), change=change)

    def _pool(self, available: int) -> Pool:
        return Pool(
            id=guid(),
            revision=1,
            created=NOW,
            updated=NOW,
            program_id=guid(),
            program_external_id="external",
            pool_definition_id=guid(),
            pool_definition_revision=1,
            snapshot_id="snapshot",
            status=PoolStatus.ACTIVE,
            origin=PoolOrigin.PROVISION,
            namespace="gym",
            available=available,
            balance_revision=1,
            balance_updated=NOW,
            member_id=guid(),
        )

    def _snapshot(self) -> Snapshot:
        towel = Benefit("towel", APP, ITEM_SET, self.price)
        details = Details(benefits=(towel,), credit_configuration=CreditConfiguration(amount=0))
        return Snapshot(id="snapshot", created=NOW, details=details)

    def _item(self) -> Item:
        return Item(
            id=guid(),
            revision=1,
            created=NOW,
            updated=NOW,
            item_set_id=ITEM_SET,
            provider_app_id=APP,
            category="",
            external_id="item",
            namespace="gym",
        )


def exact(amount: int) -> Decimal:
    """An amount as callers read it."""
    return Decimal(amount_text(amount))


@pytest.mark.parametrize(
    "operations", [OPERATIONS, pytest.param(OPERATIONS_FULL, marks=pytest.mark.full)]
)
def test_amounts_never_drift(operations: int) -> None:
    """After many operations with 4 fraction digits a balance is what decimals add up to."""
    chance = random.Random(7)
    books = Books(price=3_333, available=1_000_000)
    expected, price = Decimal(100), Decimal("0.3333")
    for _ in range(operations):
        count = chance.randint(1, 3)
        value = chance.randint(-9_999, 29_999)
        try:
            if chance.random() < 0.7:
                books.do(books.redemption(count))
                expected -= price * count
            else:
                books.do(books.change(Adjust(value=value)))
                expected += Decimal(value) / 10_000
        except (NotEnoughBalance, BalanceExceededLimits):
            books.do(books.change(Adjust(value=1_000_001)))
            expected += Decimal("100.0001")
        assert books.pool.available >= 0
    assert exact(books.pool.available) == expected
    sums = sum(
        each.amount if each.target == "AVAILABLE" else -each.amount
        for each in books.transactions.values()
    )
    assert books.pool.available == 1_000_000 + sums


def test_what_goes_and_comes_back_is_the_same() -> None:
    """Redeeming and canceling, adding and reverting leave a balance as it was."""
    books = Books(price=9_999, available=12_345_678)
    for _ in range(2_000):
        redeemed = books.do(books.redemption(3)).transaction
        key = guid()
        books.do(CancelRedemption(transaction_id=redeemed.id, idempotency_key=key))
        added = books.do(books.change(Adjust(value=1))).transaction
        books.do(RevertBalanceChange(transaction_id=added.id))
    assert books.pool.available == 12_345_678


EDGES: list[tuple[int, int, type[Refusal] | None]] = [
    (0, AMOUNT_MAX, None),
    (1, AMOUNT_MAX, BalanceExceededLimits),
    (AMOUNT_MAX, 1, BalanceExceededLimits),
    (AMOUNT_MAX, -AMOUNT_MAX, None),
    (AMOUNT_MAX - 1, -AMOUNT_MAX, BalanceExceededLimits),
    (AMOUNT_MAX, 0, None),
]


@pytest.mark.parametrize(("available", "value", "refusal"), EDGES)
def test_sums_end_at_the_largest_amount(
    available: int, value: int, refusal: type[Refusal] | None
) -> None:
    """The largest amount can be reached and left; past it is a refusal, never an overflow."""
    books = Books(price=0, available=available)
    if refusal is None:
        books.do(books.change(Adjust(value=value)))
        assert books.pool.available == available + value
    else:
        with pytest.raises(refusal):
            books.do(books.change(Adjust(value=value)))
        assert books.pool.available == available


@pytest.mark.parametrize("count", [2, 2**31 - 1])
def test_costs_past_the_largest_amount_are_never_paid(count: int) -> None:
    """The largest price times any count is compared whole."""
    books = Books(price=AMOUNT_MAX, available=AMOUNT_MAX)
    with pytest.raises(NotEnoughBalance) as refused:
        books.do(books.redemption(count))
    assert refused.value.requested_balance == AMOUNT_MAX * count
    books.do(books.redemption())
    assert books.pool.available == 0


# Over the wire

WRONG_PRICES = [
    ("0.00001", "DECIMAL_MAX_SCALE"),
    ("1.00000", "DECIMAL_MAX_SCALE"),
    ("-1", "DECIMAL_GTE"),
    ("-0.0001", "DECIMAL_GTE"),
    ("1e3", "FORMAT"),
    ("1E-4", "FORMAT"),
    ("NaN", "FORMAT"),
    ("Infinity", "FORMAT"),
    ("0x10", "FORMAT"),
    ("1,5", "FORMAT"),
    ("", "FORMAT"),
    (1.5, "FORMAT"),
    ("9" * 30, "DECIMAL_LTE"),
    ("922337203685477.5808", "DECIMAL_LTE"),
]


@pytest.mark.anyio
@pytest.mark.parametrize(("price", "rule"), WRONG_PRICES)
async def test_odd_prices_are_refused_by_their_rule(
    service: Service, price: object, rule: str
) -> None:
    """A price or amount in another form is 400 with the rule, and nothing is made of it."""
    benefits = [{"benefitKey": "towel", "providerAppId": guid(), "price": price}]
    details = {"benefits": benefits, "creditConfiguration": {"amount": price}}
    request = {
        "poolDefinition": {"namespace": "gym", "details": details},
        "cascade": "FUTURE_PROVISIONS",
    }
    refused = await service.refusal("createPoolDefinition", request)
    assert (refused.status, refused.fields) == (
        400,
        {
            "poolDefinition.details.benefits[0].price": rule,
            "poolDefinition.details.creditConfiguration.amount": rule,
        },
    )


@pytest.mark.anyio
async def test_amounts_never_drift_over_the_wire(service: Service) -> None:
    """Some hundreds of calls with odd fractions leave just what decimals say."""
    price = {"benefitKey": "towel", "providerAppId": APP, "price": "0.3333"}
    wallet = await open_wallet(service, price, amount="33.3333")
    expected = Decimal("33.3333")
    for number in range(1, 101):
        first = await wallet.redeem(count=number % 3 + 1)
        expected -= Decimal("0.3333") * (number % 3 + 1)
        await wallet.adjust("0.7001")
        expected += Decimal("0.7001")
        if number % 4 == 0:
            await wallet.cancel(first)
            expected += Decimal("0.3333") * (number % 3 + 1)
        assert Decimal(await wallet.available()) == expected


@pytest.mark.anyio
async def test_the_largest_amount_survives_the_stores(service: Service) -> None:
    """The largest price and balance are stored, paid and given back to the last unit."""
    largest = "922337203685477.5807"
    price = {"benefitKey": "towel", "providerAppId": APP, "price": largest}
    wallet = await open_wallet(service, price, amount=largest)
    first = await wallet.redeem()
    assert await wallet.available() == "0"
    await wallet.cancel(first)
    balance = await wallet.balance()
    assert balance["amount"]["available"] == largest
    refused = await wallet.redeem_refused(count=2)
    assert refused.code == "NOT_ENOUGH_BALANCE"
    assert refused.data["requestedBalance"] == "1844674407370955.1614"
