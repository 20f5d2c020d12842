"""The lives of programs and pools in a few lines: what was answered happens in that order.

Each pool has a list of orders that were answered and haven't reached it yet. Jobs, and whoever
changes a pool, take it through some of them or all; never past one, and never through one twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NamedTuple

from tests.support import ledger_model


class Terms(NamedTuple):
    """What a pool gives: the credits of a cycle, what rolls over (None: nothing), and a price."""

    revision: int
    amount: int
    rollover: int | None
    price: int


@dataclass(frozen=True)
class Life:
    """How a pool stands, besides its balance; ``action`` is what its renewal brings."""

    terms: Terms
    status: str = "ACTIVE"
    action: str = ""
    pending: Terms | None = None
    renewals: int = 0


class ModelOrder(NamedTuple):
    """Something that happens to a pool; ``ends`` says that its program is to end by a renewal."""

    kind: str
    terms: Terms | None = None
    status: str = ""
    ends: bool = False


def live_on(life: Life, order: ModelOrder) -> Life:  # noqa: PLR0911 - a table of rules
    """A life after one more order."""
    if order.kind == "PRICE":
        assert order.terms is not None
        return replace(life, terms=life.terms._replace(price=order.terms.price))
    if life.status == "ENDED":
        return life
    match order.kind:
        case "UPDATE":
            assert order.terms is not None
            action = "END" if order.ends else ""
            return replace(life, terms=order.terms, action=action, pending=None)
        case "UPDATE LATER":
            if life.action == "END":
                return life
            return replace(life, action="UPDATE", pending=order.terms)
        case "END LATER":
            return replace(life, action="END", pending=None)
        case "KEEP":
            return replace(life, action="") if life.action == "END" else life
        case "RENEW":
            return _renewed(life, order)
    action = "" if order.status == "ENDED" else life.action
    pending = None if order.status == "ENDED" else life.pending
    return replace(life, status=order.status, action=action, pending=pending)


def _renewed(life: Life, order: ModelOrder) -> Life:
    if order.ends or life.action == "END":
        return replace(life, status="ENDED", action="", pending=None)
    terms = life.pending or life.terms
    return replace(life, terms=terms, action="", pending=None, renewals=life.renewals + 1)


def booked(before: Life, after: Life, available: int) -> list[tuple[str, int]]:
    """What a order books: what lapses with a renewal, and what it grants."""
    if after.renewals == before.renewals:
        return []
    room = after.terms.rollover
    kept = 0 if room is None else min(available, room)
    entries = [("EXPIRY", kept - available), ("RENEWAL", after.terms.amount)]
    return [entry for entry in entries if entry[1]]


@dataclass
class Pass:
    """A pool definition."""

    id: str
    document: dict[str, object]
    terms: Terms
    plans: list[Plan] = field(default_factory=list)

    @property
    def revision(self) -> int:
        """It counts every change, also those that concern no pool."""
        return self.terms.revision

    def change(self, **terms: object) -> Terms:
        """Its terms after one more change."""
        self.terms = self.terms._replace(revision=self.revision + 1, **terms)  # type: ignore[arg-type]
        return self.terms


@dataclass
class Plan:
    """A program definition; ``pending`` are the passes that programs get when they renew."""

    id: str
    document: dict[str, object]
    pending: dict[str, tuple[Pass, Terms]] = field(default_factory=dict)
    ends: bool = False
    is_there: bool = True


@dataclass
class Program:
    """A program: its status as answered, its pools, those to be opened too, and its used keys."""

    id: str
    document: dict[str, object]
    plan: Plan
    status: str
    pools: list[LivingPool] = field(default_factory=list)
    keys: dict[tuple[str, str], str] = field(default_factory=dict)

    def has(self, pass_: Pass) -> bool:
        """Whether it has a living pool of a pass, once all is done."""
        return any(pool.pass_ is pass_ and pool.future.status != "ENDED" for pool in self.pools)

    def open(self, pass_: Pass, terms: Terms, *, is_provisioned: bool = False) -> None:
        """Give it a pool, which may come to life later."""
        if self.status != "ENDED" and not self.has(pass_):
            pool = LivingPool(self, pass_, Life(terms, self.status))
            pool.is_provisioned = is_provisioned
            self.pools.append(pool)

    def arrive_no_more(self) -> None:
        """Ended while it was provisioned: it gets none of the pools that are still to come."""
        self.pools = [pool for pool in self.pools if pool.id or not pool.is_provisioned]


class LivingPool(ledger_model.Pool):
    """A pool with the orders that are ahead of it. It has no id until it was seen."""

    def __init__(self, program: Program, pass_: Pass, life: Life) -> None:
        super().__init__("", {"limited": 3_333, "free": 0, "towel": life.terms.price})
        self.program = program
        self.pass_ = pass_
        self.life = life
        self.ahead: list[ModelOrder] = []
        self.is_provisioned = False

    @property
    def future(self) -> Life:
        """Its life once it has gone through all that was answered."""
        life = self.life
        for order in self.ahead:
            life = live_on(life, order)
        return life

    def futures(self) -> list[tuple[Life, list[tuple[str, int]]]]:
        """Its life after no order, after one, after two, with what they book."""
        life, entries = self.life, list[tuple[str, int]]()
        found = [(life, entries)]
        for order in self.ahead:
            after = live_on(life, order)
            available = self.available + sum(change for _, change in entries)
            entries = entries + booked(life, after, available)
            life = after
            found.append((life, entries))
        return found

    def take(self, orders: int, life: Life) -> None:
        """Go through orders."""
        self.ahead = self.ahead[orders:]
        self.life = life
        self.status = life.status
        self.prices["towel"] = life.terms.price
