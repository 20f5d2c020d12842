"""The account of a pool: the one place where its credits change.

It spends, grants, reserves and gives back, by the rules of ``operations``. Each of these is a
transaction with a source and a target, the lots that it draws on, and the pool right after it.
Invariants I1 to I3 and I20 (docs/invariants.md): a balance is the sum of its transactions, is never
negative, and its revision grows by one with each of them; lots add up to it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, TypedDict, Unpack

from msgspec.structs import replace

from benefit_programs.domain.context import Context
from benefit_programs.domain.entities import (
    BalanceType,
    Draw,
    Lot,
    LotStatus,
    Operation,
    Pool,
    Quota,
    QuotaShare,
    Transaction,
    TransactionDetails,
)
from benefit_programs.domain.errors import BalanceExceededLimits
from benefit_programs.domain.events import (
    ALERT,
    record,
    record_balance,
    record_created,
    record_updated,
)
from benefit_programs.domain.explanations import BalanceAmount
from benefit_programs.domain.indexes import Index
from benefit_programs.domain.lookups import (
    LOT,
    LOTS_OF_POOL,
    LOTS_TO_BURN,
    MORE_LOTS_TO_BURN,
    QUOTA,
    SNAPSHOT,
)
from benefit_programs.domain.lots import (
    OPEN_LOTS_MAX,
    Fate,
    draw,
    due_of,
    in_burn_order,
    is_standard,
    moved_on,
    new_lot,
    pays_for,
    ranked,
    standard_lot,
)
from benefit_programs.domain.operations import RULES
from benefit_programs.domain.rows import Row
from benefit_programs.domain.state import Changes, Mode, Needs, NotLoaded, State
from benefit_programs.domain.values import AMOUNT_MAX, Credits, Identity, Instant
from benefit_programs.domain.watching import Crossing, watch_changes

# Looked up once: an enum takes its time to find a member.
_AVAILABLE, _EXTERNAL = BalanceType.AVAILABLE, BalanceType.EXTERNAL
_RESERVED = BalanceType.RESERVED
_LIVE, _FUTURE = LotStatus.LIVE, LotStatus.FUTURE

FROM_THE_FIRST = ""
"""The rank before all others: where walks through the lots of a pool begin."""


def balance_of(pool: Pool) -> BalanceAmount:
    return BalanceAmount(available=pool.available, reserved=pool.reserved)


def ask_for_lots(needs: Needs, pool_id: str) -> None:
    """Ask for all lots of a pool that are live or still to come."""
    needs.read(LOTS_OF_POOL, pool_id, FROM_THE_FIRST)


def has_lots(pool: Pool) -> bool:
    """Whether a pool may have stored lots that are live or still to come."""
    return bool(pool.in_lots) or pool.due is not None or pool.stopped is not None


def ask_for_draws(needs: Needs, pool_id: str, draws: Iterable[Draw]) -> None:
    """Ask for the stored lots that some credits may go back to."""
    for each in draws:
        if each.lot_id != pool_id:
            needs.read(LOT, each.lot_id)


def ask_to_spend(needs: Needs, state: State, pool: Pool, amount: Credits) -> None:
    """Ask for the lots that pay an amount: the first few in the burn order, or more, or all."""
    if not pool.in_lots:
        return
    key = (pool.id, FROM_THE_FIRST)
    for index in (LOTS_TO_BURN, MORE_LOTS_TO_BURN):
        needs.read_enough(index, amount, *key)
        if index.has_enough(state.known(index, *key), amount):
            return
    ask_for_lots(needs, pool.id)


class More(TypedDict, total=False):
    """What a transaction may say besides its operation and its amount."""

    details: TransactionDetails
    idempotency_key: str | None
    correlation_id: str
    related_transaction_id: str
    superseded_transaction_id: str
    requested_amount: Credits | None
    request_hash: int | None
    external_reference: str | None


class Account:
    """A pool's credits in one decision.

    ``pool`` is the pool as it is now, after the ``transactions`` made so far. ``party`` gave the
    instruction; without one it was the caller. The ``state`` has the lots of the pool and its rate
    limits, unless all ``lots`` are given; a pool that was just opened needs neither. ``taken`` and
    ``freed`` are shares of rate limits, and ``beside`` what else is saved with the account. ``at``
    is the instant at which happens what is booked now: now, or earlier if it is booked late.
    ``crossings`` are the alerts that were raised.
    """

    __slots__ = (
        "_changed",
        "_had_lots",
        "_has_all",
        "_lots",
        "_new",
        "_state",
        "_told",
        "at",
        "beside",
        "context",
        "crossings",
        "freed",
        "party",
        "pool",
        "taken",
        "transactions",
    )

    def __init__(
        self,
        pool: Pool,
        context: Context,
        party: Identity | None = None,
        *,
        state: State | None = None,
        lots: Iterable[Lot] | None = None,
    ) -> None:
        self.pool = pool
        self.transactions: list[Transaction] = []
        self.context = context
        self.at = context.now
        self.party = party or context.caller
        self.taken: list[QuotaShare] = []
        self.freed: list[QuotaShare] = []
        self.beside: list[Row] = []
        self.crossings: list[Crossing] = []
        self._state = state
        self._lots: dict[str, Lot] = {} if lots is None else {lot.id: lot for lot in lots}
        self._has_all = state is None or lots is not None
        self._had_lots = has_lots(pool)
        self._changed: dict[str, None] = {}
        self._new: dict[str, None] = {}
        self._told: dict[str, None] = {}

    # What moves credits.

    def spend(
        self,
        operation: Operation,
        amount: Credits,
        *,
        lots: Iterable[Lot] | None = None,
        first: Collection[str] = (),
        **more: Unpack[More],
    ) -> Transaction:
        """Take credits out, in the burn order, or the ``first`` lots before all others.

        The caller has checked that the balance, or else the given ``lots``, have them.
        """
        if first and self.pool.in_lots:
            lots = sorted(self.live_lots(), key=lambda lot: lot.id not in first)
        return self._post(operation, _AVAILABLE, _EXTERNAL, amount, self._draw(amount, lots), more)

    def reserve(
        self,
        operation: Operation,
        amount: Credits,
        *,
        lots: Iterable[Lot] | None = None,
        **more: Unpack[More],
    ) -> Transaction:
        """Set credits aside, in the burn order. See ``spend``."""
        return self._post(operation, _AVAILABLE, _RESERVED, amount, self._draw(amount, lots), more)

    def grant(
        self, operation: Operation, amount: Credits, fate: Fate | None = None, **more: Unpack[More]
    ) -> Transaction:
        """Put credits in, into a lot of their own if they have a fate.

        Raises BalanceExceededLimits past the largest amount.
        """
        draws: Sequence[Draw] = ()
        if fate is not None and self.has_room:
            lot = self.add_lot(fate, amount)
            draws = (Draw(lot.id, amount),)
        return self._post(operation, _EXTERNAL, _AVAILABLE, amount, draws, more)

    def put(
        self,
        operation: Operation,
        source: BalanceType,
        target: BalanceType,
        draws: Sequence[Draw],
        amount: Credits,
        **more: Unpack[More],
    ) -> Transaction:
        """Move credits of known lots: into them, or what is reserved of them.

        Without ``draws`` they are the standard lot's. They add up to the amount.
        """
        return self._post(operation, source, target, amount, draws, more)

    # Lots.

    def clock_of(self, lot: Lot) -> Instant:
        """The instant at which a lot's dates are judged.

        Where a pause has stopped the clock, that is when it stopped, or when the lot came since.
        """
        pool = self.pool
        if pool.stopped is None or is_standard(lot):
            return self.at
        return pool.stopped + max(lot.shift - pool.shift, 0)

    @property
    def shift(self) -> int:
        """How far dates have been moved that are set now: a pause moves them by its rest alone."""
        pool = self.pool
        return pool.shift if pool.stopped is None else pool.shift + self.at - pool.stopped

    @property
    def is_whole(self) -> bool:
        """Whether all that the pool has is here, as of one that was just opened."""
        return self._has_all

    @property
    def has_room(self) -> bool:
        """Whether the pool may have one more open lot."""
        return len(self.open_lots()) < OPEN_LOTS_MAX

    def add_lot(self, fate: Fate, amount: Credits) -> Lot:
        """A new lot, whose credits are still to come."""
        lot = new_lot(
            fate,
            lot_id=self.context.new_id(),
            pool_id=self.pool.id,
            amount=amount,
            now=self.context.now,
            begin=self.at if fate.effective_date is None else fate.effective_date,
            shift=self.shift,
        )
        self._new[lot.id] = None
        if lot.effective_date <= self.at:
            lot = replace(lot, status=_LIVE)
        self.set_lot(lot)
        return lot

    def lot(self, lot_id: str) -> Lot:
        """A lot as it is now. NotLoaded if nobody asked for it."""
        if lot_id in self._lots:
            return self._lots[lot_id]
        if lot_id == self.pool.id:
            return standard_lot(self.pool)
        lot = None if self._state is None else self._state.one(LOT, lot_id)
        assert lot is not None, "a transaction's lot is never deleted"
        moved = moved_on(lot, self.pool.shift)
        if moved is not lot:
            # Pauses didn't move it while it had nothing.
            self._lots[lot_id] = moved
            self._told[lot_id] = None
        return moved

    def seen(self, stored: Lot) -> Lot:
        """A stored lot as it is now; one that nobody asked for is as it was stored."""
        return self._lots.get(stored.id, stored)

    def let_end(self, lot: Lot, end: Instant) -> None:
        """Let a lot live until then; what is in the standard lot moves into one of its own."""
        if not is_standard(lot):
            self.set_lot(ranked(replace(lot, expiration_date=end)))
        elif lot.available and self.has_room:
            fate = Fate(origin=lot.origin, expiration_date=end, effective_date=lot.effective_date)
            own = self.add_lot(fate, lot.available)
            self.pool = replace(self.pool, in_lots=self.pool.in_lots + lot.available)
            self.set_lot(replace(self.lot(own.id), available=lot.available))

    def set_lot(self, lot: Lot) -> None:
        """Let a lot be as given, and have the pool looked at when something happens to it.

        One that has expired already lapses in the same decision.
        """
        self._lots[lot.id] = lot
        self._changed[lot.id] = None
        due = due_of(lot)
        if due is not None and due > self.at:
            self.look_again_at(due)

    def look_again_at(self, due: Instant) -> None:
        """Have the pool looked at at an instant, or before; not while its clock stands."""
        pool = self.pool
        if pool.stopped is None and (pool.due is None or due < pool.due):
            self.pool = replace(pool, due=due)

    def change_lot(self, lot: Lot) -> None:
        """Let a lot have other terms, of which its next revision and an event tell."""
        self.set_lot(lot)
        self._told[lot.id] = None

    def first_lot(self, lots: Iterable[Lot] | None = None) -> Lot | None:
        """The lot that pays the first credit: of the given ``lots``, or else of all."""
        if lots is None:
            lots = self._lots_to_burn(1) if self.pool.in_lots else (standard_lot(self.pool),)
        return next((lot for lot in lots if lot.available), None)

    def open_lots(self) -> list[Lot]:
        """All stored lots that are live or still to come, in the burn order."""
        pool = self.pool
        stored: list[Lot] = []
        # Lots of a pool that had none before were all made here.
        if self._had_lots and not self._has_all and has_lots(pool):
            assert self._state is not None
            stored = self._state.many(LOTS_OF_POOL, pool.id, FROM_THE_FIRST)
        lots = self._as_now(stored)
        return in_burn_order(lot for lot in lots if lot.status in (_LIVE, _FUTURE))

    def seen_lots(self) -> list[Lot]:
        """All stored lots that it has looked at or made, as they are now, in the burn order."""
        return in_burn_order(self._lots.values())

    def live_lots(self) -> list[Lot]:
        """All lots that can be spent, the standard one among them, in the burn order."""
        lots = [lot for lot in self.open_lots() if lot.status is _LIVE]
        return in_burn_order([*lots, standard_lot(self.pool)])

    def _as_now(self, stored: Iterable[Lot]) -> Iterable[Lot]:
        """Stored lots and those that were seen before, as they are now."""
        for lot in stored:
            self._lots.setdefault(lot.id, lot)
        return self._lots.values()

    def _draw(self, amount: Credits, lots: Iterable[Lot] | None) -> tuple[Draw, ...]:
        if lots is not None:
            return draw(lots, amount)
        if not self.pool.in_lots or not amount:
            return ()
        return draw(self._lots_to_burn(amount), amount)

    def _lots_to_burn(self, amount: Credits) -> list[Lot]:
        """Lots in the burn order that have an amount, of which no other comes first."""
        key, state = (self.pool.id, FROM_THE_FIRST), self._state
        if self._has_all or state is None or state.has(LOTS_OF_POOL, key, Mode.READ):
            return self.live_lots()
        for index in (LOTS_TO_BURN, MORE_LOTS_TO_BURN):
            lots = self._first_lots(index, state.many(index, *key))
            if sum(lot.available for lot in lots) >= amount:
                return lots
        raise NotLoaded("the lots that pay")

    def _first_lots(self, index: Index[Lot], stored: list[Lot]) -> list[Lot]:
        """The live lots that surely come before all others, once a walk has found some."""
        lots = [lot for lot in self._as_now(stored) if lot.status is _LIVE]
        if self.pool.available > self.pool.in_lots:
            lots.append(standard_lot(self.pool))
        if index.is_full(stored):
            # There are more. What comes before the last of these is known.
            last = in_burn_order(stored)[: index.limit][-1].rank
            lots = [lot for lot in lots if lot.rank <= last]
        return in_burn_order(lots)

    # What is made of it.

    def save(self, changes: Changes[Any], **more: Any) -> Pool:
        """Save the pool, its lots and transactions with their events.

        ``more`` stands in the body of the pool's event of the last transaction.
        """
        if self.pool.alerts is not None:
            self.watch()
        self.save_beside(changes)
        event = None
        for number, transaction in enumerate(self.transactions):
            if self.crossings:
                self.pool = self.tell(changes, self.pool, before=number)
            event = RULES[transaction.operation].event
            if event is None:
                record_balance(changes, self.context, transaction)
                continue
            changes.save(transaction)
            told = more if transaction is self.transactions[-1] else {}
            self.pool = record(
                changes, self.context, self.pool, event, transaction_id=transaction.id, **told
            )
        if event is None:
            changes.save(self.pool)
        if self.crossings:
            self.pool = self.tell(changes, self.pool)
        return self.pool

    def watch(self) -> None:
        """Judge the alerts of what was changed so far."""
        snapshot = None if self._state is None else self._state.one(SNAPSHOT, self.pool.snapshot_id)
        assert snapshot is not None, "whoever changes a pool with alerts has what it gives"
        watch_changes(self, snapshot.details)

    def tell(self, changes: Changes[Any], pool: Pool, *, before: int | None = None) -> Pool:
        """Record the alerts that were raised before a transaction, or else all that are left."""
        while self.crossings and (before is None or self.crossings[0].after <= before):
            raised = self.crossings.pop(0).raised
            pool = record(changes, self.context, pool, ALERT, alert=raised)
        return pool

    def changed_rows(self) -> list[Row]:
        """What was changed beside the pool."""
        return [*(self._lots[each] for each in self._changed), *self.beside]

    def save_beside(self, changes: Changes[Any]) -> None:
        """Save the lots, the rate limits and what else changed with the credits."""
        for lot_id in self._changed:
            lot = self._lots[lot_id]
            if lot_id in self._new:
                self._lots[lot_id] = record_created(changes, self.context, lot)
            elif lot_id in self._told:
                self._lots[lot_id] = record_updated(changes, self.context, lot)
            else:
                changes.save(lot)
        if self.taken or self.freed:
            self._count_shares(changes)
        changes.save(*self.beside)

    def _count_shares(self, changes: Changes[Any]) -> None:
        """Count on rate limits what was taken, less what was freed, in one step."""
        assert self._state is not None
        used: dict[tuple[str, int, bool], int] = {}
        for sign, group in ((1, self.taken), (-1, self.freed)):
            for share in group:
                place = (share.quota_id, share.period_start, share.is_rolling)
                used[place] = used.get(place, 0) + sign * share.count
        for (quota_id, start, is_rolling), difference in used.items():
            if difference:
                before = self._state.one(QUOTA, self.pool.id, quota_id, start)
                quota = Quota(
                    pool_id=self.pool.id,
                    quota_id=quota_id,
                    period_start=start,
                    used=max((before.used if before else 0) + difference, 0),
                    is_rolling=is_rolling or None,
                )
                if quota.used or not is_rolling:
                    changes.save(quota)
                elif before:
                    changes.delete(before)

    def _post(
        self,
        operation: Operation,
        source: BalanceType,
        target: BalanceType,
        amount: Credits,
        draws: Sequence[Draw],
        more: More,
    ) -> Transaction:
        pool, context, rule = self.pool, self.context, RULES[operation]
        assert rule.allows(source, target, amount), "I9: a transaction says what its operation does"
        change, reserved = _change(source, target, amount, _AVAILABLE), pool.reserved
        if source is _RESERVED or target is _RESERVED:
            reserved += _change(source, target, amount, _RESERVED)
        available = pool.available + change
        assert available >= 0 <= reserved, "I2: a balance is never negative"
        if available + reserved > AMOUNT_MAX:
            raise BalanceExceededLimits(
                balance=balance_of(pool), requested=change, upper_limit=AMOUNT_MAX
            )
        if draws:
            draws = () if all(each.lot_id == pool.id for each in draws) else tuple(draws)
        transaction_id = context.new_id()
        details = more.get("details") or TransactionDetails(reason=rule.reason)
        if self.at < context.now and rule.comes_due:
            details = replace(details, due=self.at)
        if draws or reserved or details.draws or details.reserved_after:
            details = replace(details, draws=draws, reserved_after=reserved)
        more["details"] = details
        item = details.item
        more.setdefault("correlation_id", transaction_id)
        revision = pool.balance_revision if rule.opens else pool.balance_revision + 1
        transaction = Transaction(
            id=transaction_id,
            pool_id=pool.id,
            created=context.now,
            operation=operation,
            amount=amount,
            source=source,
            target=target,
            available_after=available,
            balance_revision=revision,
            snapshot_id=pool.snapshot_id,
            item_id=item.id if item else None,
            party_type=self.party.type,
            party_id=self.party.id,
            **more,
        )
        self.transactions.append(transaction)
        self.pool = replace(
            pool,
            available=available,
            reserved=reserved,
            balance_revision=revision,
            balance_updated=context.now,
            last_transaction_id=transaction_id,
        )
        for each in draws:
            self._move(each.lot_id, source, target if each.into is None else None, each.amount)
            if each.into is not None:
                self._move(each.into, None, target, each.amount)
        return transaction

    def _move(
        self, lot_id: str, source: BalanceType | None, target: BalanceType | None, amount: Credits
    ) -> None:
        """Book a part of a transaction on a lot, if it is a stored one."""
        if lot_id == self.pool.id:
            return
        lot = self.lot(lot_id)
        change = _change(source, target, amount, _AVAILABLE)
        available = lot.available + change
        reserved = lot.reserved + _change(source, target, amount, _RESERVED)
        assert available >= 0 <= reserved, "I20: a draw never takes more than its lot has"
        status = lot.status
        if status is not LotStatus.EXPIRED:
            status = _LIVE if available else LotStatus.SPENT
        self.pool = replace(self.pool, in_lots=self.pool.in_lots + change)
        self.set_lot(replace(lot, available=available, reserved=reserved, status=status))


def _change(
    source: BalanceType | None, target: BalanceType | None, amount: Credits, of: BalanceType
) -> Credits:
    """How much more there is of one kind after an amount went from one to another."""
    return amount * ((target is of) - (source is of))


def usable_for(lots: Iterable[Lot], at: Instant) -> list[Lot]:
    """The lots that pay for an instant, where credits are judged on the day of use."""
    return [lot for lot in lots if pays_for(lot, at)]
