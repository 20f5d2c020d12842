"""A small world that tests of the client live in."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import uuid4

from benefit_programs.client import (
    Benefit,
    BenefitPrograms,
    Cascade,
    CreditConfiguration,
    Details,
    ItemReference,
    Member,
    Pool,
    Program,
)


class Gym:
    """A namespace with a program definition, a pool definition with one benefit, and an item."""

    def __init__(self, client: BenefitPrograms) -> None:
        self.client = client
        self.namespace = uuid4().hex[:20]
        self.app_id = str(uuid4())
        self.program_definition = client.program_definitions.create(
            namespace=self.namespace, external_id=str(uuid4()), display_name="Gym"
        )
        self.pool_definition = client.pool_definitions.create(
            namespace=self.namespace,
            details=self.details(),
            display_name="Tokens",
            program_definition_ids=[self.program_definition.id],
            cascade=Cascade.FUTURE_PROVISIONS,
        )
        self.item_set_id = self.pool_definition.details.item_set_id("towel")
        self.item = client.items.create(
            external_id="towel-1",
            item_set_id=self.item_set_id,
            provider_app_id=self.app_id,
            namespace=self.namespace,
        )

    @property
    def reference(self) -> ItemReference:
        return ItemReference(external_id="towel-1", provider_app_id=self.app_id)

    def details(self, *, price: str = "10", amount: str = "100") -> Details:
        """Details with one benefit."""
        return Details(
            benefits=[
                Benefit(benefit_key="towel", provider_app_id=self.app_id, price=Decimal(price))
            ],
            credit_configuration=CreditConfiguration(amount=Decimal(amount)),
        )

    def provision(self, member_id: str | None = None) -> tuple[Program, Pool]:
        program = self.client.programs.provision(
            program_definition_id=self.program_definition.id,
            beneficiary=Member(member_id or str(uuid4())),
            namespace=self.namespace,
            external_program_id=str(uuid4()),
        ).program
        return program, self.client.pools.query({"program_id": program.id}).one()

    def redeem(self, pool: Pool, **more: Any) -> str:
        """Redeem the item once, and name the transaction."""
        return self.client.pools.redeem(
            pool.id,
            benefit_key="towel",
            item_reference=self.reference,
            namespace=self.namespace,
            **more,
        ).transaction_id
