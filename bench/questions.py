"""The queries whose time must not grow with the tables: equality on a field that has an index."""

from dataclasses import dataclass
from typing import Any

from bench.client import Request
from bench.scenarios import PREFIX, State

PAGE_FAR = 1_000
"""The page far along, counted from 1."""


@dataclass(frozen=True, slots=True)
class Question:
    """An equality, the rows of a page, and whether there are enough rows for the page far along."""

    path: str
    field: str
    value: Any
    limit: int = 5
    goes_far: bool = False

    @property
    def name(self) -> str:
        """Method and field, as the table shows them."""
        return f"{self.path}: {self.field}{', many rows' if self.goes_far else ''}"

    def ask(self, cursor: str | None = None) -> Request:
        """Write the request for the first page, or for the one that a cursor leads to."""
        paging = {"limit": self.limit} | ({"cursor": cursor} if cursor else {})
        query = {"cursorPaging": paging} | ({} if cursor else {"filter": {self.field: self.value}})
        return Request("POST", f"{PREFIX}/{self.path}/query", {"query": query})


def make_questions(state: State) -> list[Question]:
    """Ask for the rows of one program, and for many.

    Many are those of a definition, which grow with the store and are 5,000 at least, and those of
    a busy member and of a busy pool, which are some 1,000 in every store.
    """
    one, busy = state["one"], state["busy"]
    definition_id, pool_definition_id = state["programDefinitionId"], state["poolDefinitionId"]
    return [
        Question("programs", "id", one["id"]),
        Question("programs", "externalId", one["externalId"]),
        Question("programs", "programDefinitionId", definition_id, goes_far=True),
        Question("pools", "id", one["poolId"]),
        Question("pools", "programId", one["id"]),
        Question("pools", "beneficiary", {"memberId": one["memberId"]}),
        Question("pools", "beneficiary.memberId", one["memberId"]),
        _ask_far_by_one("pools", "beneficiary", {"memberId": busy["memberId"]}),
        _ask_far_by_one("pools", "beneficiary.memberId", busy["memberId"]),
        Question("pools", "programDefinitionId", definition_id, goes_far=True),
        Question("pools", "poolDefinitionId", pool_definition_id, goes_far=True),
        Question("balances", "id", one["poolId"]),
        Question("balances", "beneficiary.memberId", one["memberId"]),
        _ask_far_by_one("balances", "beneficiary.memberId", busy["memberId"]),
        Question("transactions", "id", one["transactionId"]),
        Question("transactions", "correlationId", one["transactionId"]),
        Question("transactions", "pool.id", one["poolId"]),
        _ask_far_by_one("transactions", "pool.id", busy["poolId"]),
        Question("transactions", "beneficiary.memberId", one["memberId"]),
        Question("pool-items", "poolId", one["poolId"]),
        Question("pool-items", "programId", one["id"]),
        Question("pool-items", "beneficiary.memberId", one["memberId"]),
        Question("pool-definition-items", "poolDefinitionId", pool_definition_id),
        Question("items", "externalId", state["itemExternalId"]),
        Question("items", "itemSetId", state["itemSetId"]),
    ]


def _ask_far_by_one(path: str, field: str, value: Any) -> Question:
    return Question(path, field, value, limit=1, goes_far=True)
