"""Control totals: what a file and a database must agree on."""

from __future__ import annotations

import msgspec

from benefit_programs.domain.values import Credits


class PoolTotals(msgspec.Struct):
    """The pools of one definition, and the credits in them together."""

    pools: int = 0
    credits: Credits = 0


class Totals(msgspec.Struct):
    """Programs, and their pools by definition. Sums are as large as they are, without a limit."""

    programs: int = 0
    by_definition: dict[str, PoolTotals] = msgspec.field(default_factory=dict)

    @property
    def pools(self) -> int:
        return sum(each.pools for each in self.by_definition.values())

    @property
    def credits(self) -> Credits:
        return sum(each.credits for each in self.by_definition.values())

    def add(self, amounts: dict[str, Credits]) -> None:
        self.programs += 1
        for pool_definition_id, amount in amounts.items():
            totals = self.by_definition.setdefault(pool_definition_id, PoolTotals())
            totals.pools += 1
            totals.credits += amount
