"""The one command of an import: a program with its balances, in one commit or not at all."""

from __future__ import annotations

import msgspec

from benefit_programs.domain.account import Account
from benefit_programs.domain.balances import set_balance
from benefit_programs.domain.command import Command
from benefit_programs.domain.context import Context
from benefit_programs.domain.entities import Pool, ProgramStatus, TransactionDetails
from benefit_programs.domain.errors import Invalid
from benefit_programs.domain.programs import PROVISION_IN_REQUEST_MAX, Provisioned, ProvisionProgram
from benefit_programs.domain.state import Changes, Needs, State
from benefit_programs.domain.values import Identity, IdentityType
from benefit_programs.transfer.records import Named, settle_amounts

IMPORT_REASON = "Import"

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
        pools = [row for row in provisioned.saved if isinstance(row, Pool)]
        amounts = settle_amounts(self.named, [pool.pool_definition_id for pool in pools])
        changes = Changes(Imported(provisioned.answer, ()))
        changes.save(*provisioned.saved)
        changes.events.extend(provisioned.events)
        key = import_key((self.provision.namespace, self.provision.external_id))
        details = TransactionDetails(reason=IMPORT_REASON)
        opened = [
            set_balance(
                changes, Account(pool, context), amount, idempotency_key=key, details=details
            ).pool
            if (amount := amounts.get(pool.pool_definition_id)) is not None
            else pool
            for pool in pools
        ]
        changes.answer = Imported(provisioned.answer, tuple(opened))
        return changes
