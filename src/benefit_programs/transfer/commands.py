"""The one command of an import: a program with its balances, in one commit or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Self

import msgspec
from msgspec.structs import replace

from benefit_programs.domain.account import Account
from benefit_programs.domain.balances import set_balance
from benefit_programs.domain.calendars import Calendar
from benefit_programs.domain.command import Command
from benefit_programs.domain.context import Context
from benefit_programs.domain.durations import put_off
from benefit_programs.domain.entities import (
    BalanceType,
    Draw,
    IdempotencyKey,
    Lot,
    LotOrigin,
    Operation,
    Pool,
    Program,
    ProgramDefinition,
    ProgramStatus,
    TransactionDetails,
)
from benefit_programs.domain.errors import Invalid
from benefit_programs.domain.lots import is_standard, own_fate, total
from benefit_programs.domain.programs import PROVISION_IN_REQUEST_MAX, Provisioned, ProvisionProgram
from benefit_programs.domain.required import snapshot_of
from benefit_programs.domain.rows import Row
from benefit_programs.domain.scheduled_changes import ScheduledChange
from benefit_programs.domain.state import Changes, Needs, State
from benefit_programs.domain.values import Credits, Identity, IdentityType, Instant
from benefit_programs.domain.watching import watch_anew
from benefit_programs.transfer.dates import with_next_renewal, with_stated_dates
from benefit_programs.transfer.records import Named, StatedLot, settle_amounts, settle_lots

IMPORT_REASON = "Import"
IMPORT_DETAILS = TransactionDetails(reason=IMPORT_REASON)

IMPORTER = Identity(IdentityType.APP, "00000000-0000-4000-8000-000000000002")
"""Who imports: the transactions of an import name it as the party that gave the instruction."""


def import_key(key: tuple[str, str]) -> str:
    """The idempotency key of an import's changes of balances, by namespace and external id."""
    namespace, external_id = key
    return f"import:{namespace}:{external_id}"


def too_many_pools() -> Invalid:
    """The refusal of a program whose pools are opened in the background."""
    return Invalid.because(
        "programDefinitionId",
        f"has more than {PROVISION_IN_REQUEST_MAX} pools, which are not opened at once",
        rule_name="pools_at_once",
    )


class Imported(msgspec.Struct, frozen=True):
    """A program that was made, with its pools as they are now."""

    provisioned: Provisioned
    pools: tuple[Pool, ...]


class ProvisionStated(ProvisionProgram, frozen=True, kw_only=True):
    """Provision a program with the dates that a row states."""

    named: Named

    def _begun(
        self, program: Program, program_definition: ProgramDefinition | None, context: Context
    ) -> tuple[Program, list[ScheduledChange]]:
        dates, at = self.named.dates, self.named.next_renewal_date
        zone = context.settings.time_zone
        if dates is not None:
            after = with_stated_dates(program, dates, context.now, zone)
            return after, dates.waiting(after, context)
        terms = self._terms(program_definition, context)
        if at is not None:
            return with_next_renewal(program, terms, at, context.now, zone), []
        return super()._begun(program, program_definition, context)


class ImportProgram(Command[Imported], frozen=True, kw_only=True):
    """Provision a program, and set its balances as a change by hand would.

    Both are one decision: a program that is there has the balances that its row states, so an
    import that was killed leaves nothing half done.
    """

    about = Program

    provision: ProvisionStated
    named: Named

    def ask(self, needs: Needs, state: State) -> None:
        """Ask for what the provisioning reads; the pools are new."""
        self.provision.ask(needs, state)

    def decide(self, state: State, context: Context) -> Changes[Imported]:
        provisioned = self.provision.decide(state, context)
        if provisioned.answer.program.status is ProgramStatus.PROVISIONING:
            raise too_many_pools()
        opened = _Opened.of(provisioned.saved)
        pools = opened.stopped(provisioned.answer.program.calendar, context.now)
        amounts = settle_amounts(self.named, [pool.pool_definition_id for pool in pools])
        as_of = self.named.as_of(context.now)
        lots = settle_lots(self.named, amounts, as_of)
        changes = Changes(Imported(provisioned.answer, ()))
        changes.save(*opened.others)
        changes.events.extend(provisioned.events)
        key = import_key((self.provision.namespace, self.provision.external_id))
        after = []
        for pool in pools:
            amount = amounts.get(pool.pool_definition_id)
            if amount is None:
                changes.save(pool)
                after.append(pool)
                continue
            account = Account(pool, context, state=state, lots=opened.lots.get(pool.id, ()))
            if lots is None:
                after.append(_set(state, changes, account, amount, key))
            else:
                arrange(account, amount, lots.get(pool.pool_definition_id, ()), key, as_of)
                after.append(_saved(changes, account, key))
        changes.answer = Imported(provisioned.answer, tuple(after))
        return changes


class _Opened(msgspec.Struct):
    """What a provisioning has saved: the pools, their lots by their ids, and all but the pools."""

    pools: dict[str, Pool]
    lots: dict[str, list[Lot]]
    others: list[Row]
    has_changes: bool
    """Whether something waits for its date."""

    @classmethod
    def of(cls, saved: Iterable[Row]) -> Self:
        opened = cls({}, {}, [], has_changes=False)
        for row in saved:
            if type(row) is Pool:
                # One with an alert that holds already was saved once more: the newest counts.
                opened.pools[row.id] = row
                continue
            opened.others.append(row)
            if type(row) is Lot:
                opened.lots.setdefault(row.pool_id, []).append(row)
            elif type(row) is ScheduledChange:
                opened.has_changes = True
        return opened

    def stopped(self, calendar: Calendar | None, now: Instant) -> list[Pool]:
        """The pools; their dates stand still since their program was paused."""
        pools = [_stopped(pool, calendar) for pool in self.pools.values()]
        if self.has_changes:
            # Alerts may tell of what waits for its date, too.
            return [pool if pool.alerts is None else watch_anew(pool, now) for pool in pools]
        return pools


def _set(
    state: State, changes: Changes[Imported], account: Account, amount: Credits, key: str
) -> Pool:
    """Set a balance as a change by hand would."""
    context = account.context
    configuration = snapshot_of(state, account.pool).details.credit_configuration
    fate = own_fate(configuration, LotOrigin.ADJUSTMENT, context.now, context.settings.time_zone)
    changed = set_balance(
        changes, account, amount, fate, idempotency_key=key, details=IMPORT_DETAILS
    )
    if changed.transaction is None:
        changes.save(changed.pool)
    return changed.pool


def arrange(
    account: Account, amount: Credits, lots: Sequence[StatedLot], key: str, as_of: Instant
) -> None:
    """Bring a pool that was just opened to a balance and its lots; the rest is in no lot.

    It has them at an instant ``as_of`` which that is so. The last transaction has the key.
    """
    pool = account.pool
    live = [lot for lot in lots if not lot.is_to_come(as_of)]
    rest = amount - sum(lot.amount for lot in live)
    more = rest - (pool.available - pool.in_lots)
    gone = [
        Draw(lot.id, -more if is_standard(lot) else lot.available)
        for lot in account.live_lots()
        if lot.available and (more < 0 or not is_standard(lot))
    ]
    added = [Draw(pool.id, more)] if more > 0 else []
    added += [Draw(_add(account, lot, as_of).id, lot.amount) for lot in live]
    for lot in lots:
        if lot.is_to_come(as_of):
            _add(account, lot, as_of)
    if gone:
        _change(account, BalanceType.AVAILABLE, gone, None if added else key)
    if added:
        _change(account, BalanceType.EXTERNAL, added, key)


def _add(account: Account, stated: StatedLot, as_of: Instant) -> Lot:
    """Add a lot that was there at an instant. In a pool whose clock stands it keeps what is left.

    Dates are stated as of the begin of the pause; those of a new lot go on from now.
    """
    now, stopped, fate = account.context.now, account.pool.stopped, stated.fate
    by = 0 if stopped is None else now - stopped
    if fate.expiration_date is not None:
        fate = replace(fate, expiration_date=put_off(fate.expiration_date, by))
    if fate.effective_date is not None and stated.is_to_come(as_of):
        fate = replace(fate, effective_date=put_off(fate.effective_date, by))
    account.at = as_of + by
    lot = account.add_lot(fate, stated.amount)
    account.at = now
    return lot


def _stopped(pool: Pool, calendar: Calendar | None) -> Pool:
    """A pool whose dates stand still since its program was paused."""
    if pool.stopped is None or calendar is None:
        return pool
    return replace(pool, stopped=calendar.paused_since)


def _change(account: Account, source: BalanceType, draws: Sequence[Draw], key: str | None) -> None:
    target = BalanceType.EXTERNAL if source is BalanceType.AVAILABLE else BalanceType.AVAILABLE
    account.put(
        Operation.CHANGE,
        source,
        target,
        draws,
        total(draws),
        idempotency_key=key,
        details=IMPORT_DETAILS,
    )


def _saved(changes: Changes[Imported], account: Account, key: str) -> Pool:
    if not account.transactions:
        changes.save(
            IdempotencyKey(
                subject_id=account.pool.id,
                operation=Operation.CHANGE,
                idempotency_key=key,
                created=account.context.now,
            )
        )
    return account.save(changes)
