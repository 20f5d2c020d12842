"""The one command of an import: a program with its balances, in one commit or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeGuard

import msgspec

from benefit_programs.domain.account import Account
from benefit_programs.domain.balances import set_balance
from benefit_programs.domain.command import Command
from benefit_programs.domain.context import Context
from benefit_programs.domain.entities import (
    BalanceType,
    Draw,
    IdempotencyKey,
    Lot,
    LotOrigin,
    Operation,
    Pool,
    ProgramStatus,
    TransactionDetails,
)
from benefit_programs.domain.errors import Invalid
from benefit_programs.domain.lots import is_standard, own_fate, total
from benefit_programs.domain.programs import PROVISION_IN_REQUEST_MAX, Provisioned, ProvisionProgram
from benefit_programs.domain.required import snapshot_of
from benefit_programs.domain.rows import Row
from benefit_programs.domain.state import Changes, Needs, State
from benefit_programs.domain.values import Credits, Identity, IdentityType
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


class ImportProgram(Command[Imported], frozen=True, kw_only=True):
    """Provision a program, and set its balances as a change by hand would.

    Both are one decision: a program that is there has the balances that its row states, so an
    import that was killed leaves nothing half done.
    """

    provision: ProvisionProgram
    named: Named

    def ask(self, needs: Needs, state: State) -> None:
        """Ask for what the provisioning reads; the pools are new."""
        self.provision.ask(needs, state)

    def decide(self, state: State, context: Context) -> Changes[Imported]:
        provisioned = self.provision.decide(state, context)
        if provisioned.answer.program.status is ProgramStatus.PROVISIONING:
            raise too_many_pools()
        # One with an alert that holds already was saved once more.
        pools = [*{row.id: row for row in provisioned.saved if isinstance(row, Pool)}.values()]
        amounts = settle_amounts(self.named, [pool.pool_definition_id for pool in pools])
        lots = settle_lots(self.named, amounts, context.now)
        changes = Changes(Imported(provisioned.answer, ()))
        changes.save(*provisioned.saved)
        changes.events.extend(provisioned.events)
        key = import_key((self.provision.namespace, self.provision.external_id))
        opened = []
        for pool in pools:
            amount = amounts.get(pool.pool_definition_id)
            if amount is None:
                opened.append(pool)
                continue
            own = [row for row in provisioned.saved if _is_lot_of(row, pool)]
            account = Account(pool, context, state=state, lots=own)
            if lots is None:
                opened.append(_set(state, changes, account, amount, key))
            else:
                arrange(account, amount, lots.get(pool.pool_definition_id, ()), key)
                opened.append(_saved(changes, account, key))
        changes.answer = Imported(provisioned.answer, tuple(opened))
        return changes


def _is_lot_of(row: Row, pool: Pool) -> TypeGuard[Lot]:
    return isinstance(row, Lot) and row.pool_id == pool.id


def _set(
    state: State, changes: Changes[Imported], account: Account, amount: Credits, key: str
) -> Pool:
    """Set a balance as a change by hand would."""
    context = account.context
    configuration = snapshot_of(state, account.pool).details.credit_configuration
    fate = own_fate(configuration, LotOrigin.ADJUSTMENT, context.now, context.settings.time_zone)
    return set_balance(
        changes, account, amount, fate, idempotency_key=key, details=IMPORT_DETAILS
    ).pool


def arrange(account: Account, amount: Credits, lots: Sequence[StatedLot], key: str) -> None:
    """Bring a pool that was just opened to a balance and its lots; the rest is in no lot.

    The last transaction has the key.
    """
    now, pool = account.context.now, account.pool
    live = [lot for lot in lots if not lot.is_to_come(now)]
    rest = amount - sum(lot.amount for lot in live)
    more = rest - (pool.available - pool.in_lots)
    gone = [
        Draw(lot.id, -more if is_standard(lot) else lot.available)
        for lot in account.live_lots()
        if lot.available and (more < 0 or not is_standard(lot))
    ]
    added = [Draw(pool.id, more)] if more > 0 else []
    added += [Draw(account.add_lot(lot.fate, lot.amount).id, lot.amount) for lot in live]
    for lot in lots:
        if lot.is_to_come(now):
            account.add_lot(lot.fate, lot.amount)
    if gone:
        _change(account, BalanceType.AVAILABLE, gone, None if added else key)
    if added:
        _change(account, BalanceType.EXTERNAL, added, key)


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
