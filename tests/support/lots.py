"""Lots and reservations, made on the account of a pool: what commands do, without their checks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from benefit_programs.domain.account import ask_for_lots
from benefit_programs.domain.command import Command
from benefit_programs.domain.context import Context
from benefit_programs.domain.entities import (
    BalanceType,
    IdempotencyKey,
    Lot,
    LotOrigin,
    LotStatus,
    Operation,
    Reservation,
    ReservationStatus,
)
from benefit_programs.domain.lookups import POOL, RESERVATION, RESERVING_TRANSACTION, TRANSACTION
from benefit_programs.domain.lots import Fate, first_of, last_of
from benefit_programs.domain.operations import RULES
from benefit_programs.domain.quotas import ask_for_quotas, of_count, of_fewer
from benefit_programs.domain.redemptions import CancelRedemption
from benefit_programs.domain.required import require
from benefit_programs.domain.settling import (
    ask_for_account,
    ask_to_release,
    open_account,
    release,
)
from benefit_programs.domain.state import Changes, Needs, State
from benefit_programs.domain.values import earliest
from tests.support.calls import benefit, guid
from tests.support.clock import HOUR
from tests.support.commands import submit
from tests.support.lifecycle import act
from tests.support.wallet import Wallet, open_wallet

if TYPE_CHECKING:
    from tests.support.clock import Clock
    from tests.support.inprocess import Service

DAILY = {
    "type": "POLICY",
    "policyOptions": {
        "type": "RATE_LIMITED",
        "rateLimitedOptions": {"times": 50, "timePeriod": "DAY"},
    },
}


class Put(Command[Lot], frozen=True, kw_only=True):
    """Put credits into a lot of their own; those of a later date come by themselves."""

    pool_id: str
    amount: int
    fate: Fate
    idempotency_key: str = msgspec.field(default_factory=guid)

    def ask(self, needs: Needs, state: State) -> None:
        if ask_for_account(needs, state, self.pool_id):
            ask_for_lots(needs, self.pool_id)

    def decide(self, state: State, context: Context) -> Changes[Lot]:
        """Settle first, as every change of credits does."""
        account = open_account(state, context, require(state, POOL, self.pool_id))
        changes: Changes[Lot] = Changes(None)  # type: ignore[arg-type]
        begin = self.fate.effective_date
        if begin is None or begin <= context.now:
            account.grant(
                Operation.GRANT, self.amount, self.fate, idempotency_key=self.idempotency_key
            )
            changes.answer = account.lot(account.transactions[-1].details.draws[0].lot_id)
        else:
            changes.answer = account.add_lot(self.fate, self.amount)
            changes.save(
                IdempotencyKey(
                    subject_id=self.pool_id,
                    operation=Operation.GRANT,
                    idempotency_key=self.idempotency_key,
                    created=context.now,
                )
            )
        assert changes.answer.status in (LotStatus.LIVE, LotStatus.FUTURE)
        account.save(changes)
        return changes


class Hold(Command[Reservation], frozen=True, kw_only=True):
    """Reserve as many items as are said, of what a redemption was for."""

    like: str
    count: int
    expiration_date: int
    external_reference: str | None = None

    def ask(self, needs: Needs, state: State) -> None:
        needs.read(TRANSACTION, self.like)
        like = state.loaded(TRANSACTION, self.like)
        if like is not None and ask_for_account(needs, state, like.pool_id):
            ask_for_lots(needs, like.pool_id)
            ask_for_quotas(needs, like.pool_id, like.details.quota_shares)

    def decide(self, state: State, context: Context) -> Changes[Reservation]:
        like = require(state, TRANSACTION, self.like)
        account = open_account(state, context, require(state, POOL, like.pool_id))
        assert like.operation is Operation.REDEEM
        price = like.amount // (like.details.item_count or 1)
        shares = tuple(replace(each, count=self.count) for each in like.details.quota_shares)
        transaction = account.reserve(
            Operation.RESERVE,
            price * self.count,
            idempotency_key=guid(),
            external_reference=self.external_reference,
            details=replace(
                like.details,
                reason=RULES[Operation.RESERVE].reason,
                item_count=self.count,
                quota_shares=shares,
                draws=(),
            ),
        )
        account.taken += shares
        reservation = Reservation(
            id=transaction.id,
            created=context.now,
            updated=context.now,
            pool_id=like.pool_id,
            status=ReservationStatus.OPEN,
            count=self.count,
            price=price,
            expiration_date=self.expiration_date,
            draws=transaction.details.draws,
            quota_shares=shares,
            external_reference=self.external_reference,
        )
        account.beside.append(reservation)
        account.pool = replace(account.pool, due=earliest(account.pool.due, self.expiration_date))
        changes = Changes(reservation)
        account.save(changes)
        return changes


class Capture(Command[str], frozen=True, kw_only=True):
    """Spend some items of a reservation; the rest stays reserved."""

    reservation_id: str
    count: int

    def ask(self, needs: Needs, state: State) -> None:
        _ask_for_reservation(needs, state, self.reservation_id)

    def decide(self, state: State, context: Context) -> Changes[str]:
        held = _open_reservation(state, context, self.reservation_id)
        assert self.count <= held.held
        account = open_account(state, context, require(state, POOL, held.pool_id))
        cost = held.price * self.count
        shares = of_count(held.quota_shares, self.count)
        transaction = account.put(
            Operation.CAPTURE,
            BalanceType.RESERVED,
            BalanceType.EXTERNAL,
            first_of(held.draws, cost),
            cost,
            details=replace(
                require(state, RESERVING_TRANSACTION, held.id).details,
                reason=RULES[Operation.CAPTURE].reason,
                item_count=self.count,
                quota_shares=shares,
                reservation_id=held.id,
                draws=(),
            ),
        )
        is_over = held.captured + self.count == held.count
        account.beside.append(
            replace(
                held,
                captured=held.captured + self.count,
                status=ReservationStatus.CAPTURED if is_over else held.status,
                draws=last_of(held.draws, held.price * held.held - cost),
                quota_shares=of_fewer(held.quota_shares, self.count),
            )
        )
        changes = Changes(transaction.id)
        account.save(changes)
        return changes


class LetGo(Command[None], frozen=True, kw_only=True):
    """Cancel a reservation."""

    reservation_id: str

    def ask(self, needs: Needs, state: State) -> None:
        _ask_for_reservation(needs, state, self.reservation_id)

    def decide(self, state: State, context: Context) -> Changes[None]:
        held = _open_reservation(state, context, self.reservation_id)
        account = open_account(state, context, require(state, POOL, held.pool_id))
        details = require(state, RESERVING_TRANSACTION, held.id).details
        release(state, account, held, ReservationStatus.CANCELED, reserved=details)
        changes = Changes(None)
        account.save(changes)
        return changes


def _open_reservation(state: State, context: Context, reservation_id: str) -> Reservation:
    held = require(state, RESERVATION, reservation_id)
    assert held.held
    assert held.expiration_date > context.now
    return held


def _ask_for_reservation(needs: Needs, state: State, reservation_id: str) -> None:
    needs.read(RESERVATION, reservation_id)
    held = state.loaded(RESERVATION, reservation_id)
    if held is not None and (pool := ask_for_account(needs, state, held.pool_id)):
        ask_to_release(needs, pool, held)


def granted(expiration_date: int | None = None, **more: Any) -> Fate:
    """The fate of a pack that renewals leave alone."""
    return Fate(
        origin=LotOrigin.GRANT,
        expiration_date=expiration_date,
        kept_at_renewal=True,
        **more,
    )


async def put(service: Service, pool_id: str, amount: int, fate: Fate) -> Lot:
    """Credits in a lot of their own; the amount is in whole credits."""
    return await submit(service, Put(pool_id=pool_id, amount=amount * 10_000, fate=fate))  # type: ignore[no-any-return]


async def fill_with_lots(service: Service, clock: Clock) -> Wallet:
    """Leave lots and reservations in every state, and transactions of every kind on them."""
    wallet = await open_wallet(
        service,
        benefit("towel", policyExpression=DAILY),
        creditConfiguration={
            "amount": "100",
            "expiresAfter": "P30D",
            "returnsLive": "P1D",
            "rolloverConfiguration": {"enabled": True, "percent": "50", "expiresAfter": "P7D"},
        },
    )
    pool_id, now = wallet.pool_id, clock()
    await put(service, pool_id, 15, granted(now + HOUR, display_name="Gift for Ada"))
    await put(service, pool_id, 20, granted(now + 2 * HOUR, priority=7))
    await put(service, pool_id, 5, granted(now + HOUR, priority=900))
    await put(service, pool_id, 30, granted(now + 48 * HOUR, effective_date=now + 2 * HOUR))
    await put(service, pool_id, 40, granted(now + 480 * HOUR, effective_date=now + 240 * HOUR))
    kept = await wallet.redeem(count=4)
    moved = await wallet.reallocate(await wallet.redeem(count=3), "2030-12-01T10:00:00Z")
    for total in (1, 2):
        await submit(
            service,
            CancelRedemption(transaction_id=moved, idempotency_key=guid(), total_count=total),
        )
    parted = await wallet.redeem(count=2)
    await submit(
        service, CancelRedemption(transaction_id=parted, idempotency_key=guid(), total_count=1)
    )
    await wallet.cancel(await wallet.reallocate(parted, "2030-12-01T11:00:00Z"))
    open_, captured, canceled, lapsing = [
        await submit(service, Hold(like=kept, count=2, expiration_date=now + hours * HOUR))
        for hours in (480, 480, 480, 3)
    ]
    await submit(service, Capture(reservation_id=open_.id, count=1))
    await submit(service, Capture(reservation_id=captured.id, count=1))
    last = await submit(service, Capture(reservation_id=captured.id, count=1))
    await wallet.cancel(last)
    clock.move(hours=4)
    await submit(service, LetGo(reservation_id=canceled.id))
    await wallet.redeem()
    await wallet.cancel(kept)
    await act(service, "renew", wallet.program["id"])
    assert lapsing.status is ReservationStatus.OPEN
    await _split_off(service, clock)
    return wallet


async def _split_off(service: Service, clock: Clock) -> None:
    """Let what is in no lot roll over into one, and what comes back late lapse."""
    rollover = {"enabled": True, "expiresAfter": "P7D"}
    wallet = await open_wallet(
        service, creditConfiguration={"amount": "100", "rolloverConfiguration": rollover}
    )
    await put(service, wallet.pool_id, 20, granted(clock() + HOUR))
    late = await wallet.redeem(count=3)
    clock.move(hours=2)
    await wallet.cancel(late)
    await act(service, "renew", wallet.program["id"])
    clock.move(hours=24 * 8)
    await wallet.redeem()
