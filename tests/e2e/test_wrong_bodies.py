"""Bodies that are wrong in every place: one caller can't take the memory or time of all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from benefit_programs.domain.errors import VIOLATIONS_MAX
from benefit_programs.domain.violations import DESCRIPTION_LENGTH_MAX, PATH_LENGTH_MAX
from tests.support.answers import require_error
from tests.support.serving import ServerProcess

if TYPE_CHECKING:
    from collections.abc import Iterator

ANSWER_BYTES_MAX = VIOLATIONS_MAX * (2 * (PATH_LENGTH_MAX + DESCRIPTION_LENGTH_MAX) + 200)
GROWTH_BYTES_MAX = 64 << 20
"""How much larger the process may be afterwards; half a megabyte once left it with gigabytes."""

QUERY = "/benefit-programs/v1/pools/query"
DEFINITIONS = "/benefit-programs/v1/pool-definitions"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("server")
    server = ServerProcess(["--data-dir", str(folder / "data")], folder / "log")
    yield server
    server.stop()


def memory_of(server: ServerProcess) -> int:
    """The bytes of memory that the process has now."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    (line,) = (each for each in status.splitlines() if each.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024


def filtered(filter_: Any) -> dict[str, Any]:
    return {"query": {"filter": filter_}}


def tree(depth: int) -> dict[str, Any]:
    """A policy expression whose leaves are none."""
    expression: dict[str, Any] = {}
    for _ in range(depth):
        expression = {
            "type": "OPERATOR_AND",
            "operatorAndOptions": {"expressions": [expression] * 10},
        }
    return expression


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (QUERY, filtered({"$or": [{"id": {"$in": [1] * 500}}] * 499})),
        (QUERY, filtered({"$or": [{"id": {"$in": [1] * 500}}] * 95})),
        (QUERY, filtered({"$or": [{"no field": 1}] * 50_000})),
        (QUERY, filtered({"x" * 100_000: 1})),
        (DEFINITIONS, {"poolDefinition": {"details": {"policyExpression": tree(5)}}}),
        (DEFINITIONS, {"poolDefinition": {"programDefinitionIds": [1] * 200_000}}),
    ],
    ids=["half a megabyte", "members", "conditions", "name", "tree", "list"],
)
def test_wrong_in_every_place(server: ServerProcess, path: str, body: Any) -> None:
    """The answer is small whatever it is about, and the process isn't larger afterwards."""
    headers = {"authorization": server.first_key or ""}
    before = memory_of(server)
    answer = httpx.post(server.url + path, headers=headers, json=body, trust_env=False)
    assert answer.status_code == 400
    require_error(answer.json())
    assert len(answer.content) <= ANSWER_BYTES_MAX
    assert memory_of(server) - before <= GROWTH_BYTES_MAX
