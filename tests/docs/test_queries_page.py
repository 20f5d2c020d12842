"""The page about queries has every operator, and its examples find what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from benefit_programs.cli.queries_page import OPERATORS, ROWS, Example, Row
from benefit_programs.storage.query.language import READERS
from tests.support.calls import benefit, details, page_of

if TYPE_CHECKING:
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

NAMESPACE = "studio"
EXAMPLES = [example for operator in OPERATORS.values() for example in operator.examples]


async def add(service: Service, row: Row, program_definitions: dict[str, str]) -> None:
    """A pool definition with the item of one row, in the program definitions that it names."""
    definition = await service.create_pool_definition(
        namespace=NAMESPACE,
        details=details(benefit("entry")),
        programDefinitionIds=[program_definitions[name] for name in row.program_definitions],
    )
    (made,) = definition["details"]["benefits"]
    item = {
        "namespace": NAMESPACE,
        "itemSetId": made["itemSetId"],
        "providerAppId": made["providerAppId"],
        "externalId": row.external_id,
        "category": row.category,
    }
    await service.call("createItem", {"item": item})


@pytest.fixture
async def studio(service: Service) -> Service:
    """A tenant with the rows of the page."""
    names = sorted({name for row in ROWS for name in row.program_definitions})
    ids = {
        name: (await service.create_program_definition(namespace=NAMESPACE, externalId=name))["id"]
        for name in names
    }
    for row in ROWS:
        await add(service, row, ids)
    return service


async def found_by(service: Service, filter_: dict[str, Any]) -> list[str]:
    query = {"filter": filter_}
    rows, _ = page_of(await service.call("queryPoolDefinitionItems", {"query": query}))
    return sorted(row["externalId"] for row in rows)


async def test_examples_find_what_the_page_says(studio: Service) -> None:
    """Each filter of the page finds the rows that stand beside it, on both stores."""
    wrong: list[tuple[Example, list[str]]] = []
    for example in EXAMPLES:
        found = await found_by(studio, example.filter)
        if found != sorted(example.finds):
            wrong.append((example, found))
    assert wrong == []


def test_page_has_every_operator() -> None:
    """Each operator of the language has a section with an example that uses it."""
    assert OPERATORS.keys() == READERS.keys() | {"$and", "$or", "$not"}
    for name, operator in OPERATORS.items():
        assert any(f"'{name}'" in str(each.filter) for each in operator.examples), name
