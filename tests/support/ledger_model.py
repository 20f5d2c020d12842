"""A ledger in a few lines: what the service must answer, worked out in another way.

It knows no rows, revisions or statements: a pool is what it has and a list of entries, and whether
something may happen is asked of that list each time.
"""

from __future__ import annotations

from dataclasses import dataclass, field

LIMIT_TIMES = 3
"""How many items a day the benefit ``limited`` gives."""

OK = "OK"


@dataclass
class Entry:
    """One transaction: ``change`` is what it did to the balance."""

    id: str
    pool: Pool
    operation: str
    change: int
    root: Entry | None = None
    benefit: str = ""
    count: int = 0
    day: str = ""

    @property
    def first(self) -> Entry:
        """The entry that its chain began with."""
        return self.root or self


@dataclass
class Pool:
    """A pool: its entries, its prices, and the keys that were used."""

    id: str
    prices: dict[str, int]
    entries: list[Entry] = field(default_factory=list)
    keys: dict[tuple[str, str], str | None] = field(default_factory=dict)
    status: str = "ACTIVE"

    @property
    def balance_revision(self) -> int:
        """A new balance has revision 1, with the entry that opened it or without."""
        opened = any(entry.operation == "PROVISION" for entry in self.entries[:1])
        return len(self.entries) + (0 if opened else 1)

    @property
    def available(self) -> int:
        """The sum of all entries."""
        return sum(entry.change for entry in self.entries)

    def chain(self, first: Entry) -> list[Entry]:
        """A first entry and all that go back to it."""
        return [entry for entry in self.entries if entry.first is first]

    def newest(self, first: Entry) -> Entry:
        """The redemption, or the last move of it."""
        moves = [each for each in self.chain(first) if each.operation in {"REDEEM", "REALLOCATE"}]
        return moves[-1] if moves else first

    def given_back(self, first: Entry) -> bool:
        """Whether it was canceled or reverted."""
        return any(each.operation in {"CANCEL", "REVERT"} for each in self.chain(first))

    def counted(self, day: str, *, without: Entry | None = None) -> int:
        """The items of the limited benefit that stand on a day."""
        return sum(
            entry.count
            for entry in self.entries
            if entry.operation == "REDEEM"
            and entry.benefit == "limited"
            and entry is not without
            and not self.given_back(entry)
            and self.newest(entry).day == day
        )

    def allows(self, benefit: str, count: int, day: str, *, without: Entry | None = None) -> bool:
        """Whether the limit leaves room on a day."""
        return benefit != "limited" or self.counted(day, without=without) + count <= LIMIT_TIMES

    def redeem(self, benefit: str, count: int, key: str, day: str) -> str:
        """What redeeming must answer."""
        if ("REDEEM", key) in self.keys:
            return "BENEFIT_ALREADY_REDEEMED"
        if self.status != "ACTIVE":
            return "POOL_NOT_ACTIVE"
        if not self.allows(benefit, count, day):
            return "POLICY_EXPRESSION_EVALUATED_TO_FALSE"
        if self.prices[benefit] * count > self.available:
            return "NOT_ENOUGH_BALANCE"
        return OK

    def adjusted(self, value: int, lower: int, upper: int | None, rule: str) -> int | None:
        """What an adjustment must leave; None if it must be refused."""
        now, target = self.available, self.available + value
        top = 10**18 if upper is None else upper
        inside = lower <= now <= top
        clamped = sorted((lower, target, top))[1]
        if rule == "HARD_ENFORCE":
            return clamped
        if rule == "SOFT_ENFORCE":
            return clamped if inside else now
        return target if value == 0 or lower <= target <= top else None


def reallocate(entry: Entry, key: str, day: str) -> str:  # noqa: PLR0911 - a table of rules
    """What moving an entry must answer."""
    pool, first = entry.pool, entry.first
    if ("REALLOCATE", key) in pool.keys:
        return "ALREADY_EXECUTED"
    if first.operation != "REDEEM" or entry.operation not in {"REDEEM", "REALLOCATE"}:
        return "TRANSACTION_NOT_REALLOCATABLE"
    if pool.given_back(first):
        return "REDEMPTION_ALREADY_CANCELED"
    if pool.newest(first) is not entry:
        return "NOT_LATEST_TRANSACTION"
    if pool.status != "ACTIVE":
        return "POOL_NOT_ACTIVE"
    if not pool.allows(first.benefit, first.count, day, without=first):
        return "POLICY_EXPRESSION_EVALUATED_TO_FALSE"
    return OK


def cancel(entry: Entry, key: str) -> str:
    """What canceling an entry must answer."""
    pool, first = entry.pool, entry.first
    if ("CANCEL", key) in pool.keys:
        return "ALREADY_EXECUTED"
    if first.operation != "REDEEM" or entry.operation not in {"REDEEM", "REALLOCATE"}:
        return "TRANSACTION_NOT_CANCELABLE"
    if pool.given_back(first):
        return "REDEMPTION_ALREADY_CANCELED"
    return OK if pool.newest(first) is entry else "NOT_LATEST_TRANSACTION"


def revert(entry: Entry) -> str:
    """What reverting an entry must answer; INVALID stands for a 400."""
    pool = entry.pool
    if entry.root is None and pool.given_back(entry):
        return "CHANGE_ALREADY_REVERTED"
    if entry.operation not in {"REDEEM", "CHANGE"}:
        return "INVALID"
    return OK if pool.available - entry.change >= 0 else "NOT_ENOUGH_BALANCE"
