"""What the OpenAPI document promises, tried with many requests and with histories of them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
import schemathesis

from tests.conformance.made_up import Known, checks_of, long, schema, stateful, try_out
from tests.support.calls import NAMESPACE, guid

if TYPE_CHECKING:
    from schemathesis.core.transport import Response


@pytest.mark.full
@pytest.mark.timeout(1200)
@schema.parametrize()
@long
def test_many_made_up_requests(case: schemathesis.Case, known: Known) -> None:
    """The same with many more requests."""
    try_out(case, known)


LINKED = {"createPoolDefinition", "provisionProgram", "createItem", "queryPools", "changeBalance"}
"""What hardly succeeds unless it follows a link: a sign that histories go somewhere."""


@pytest.mark.full
@pytest.mark.timeout(1200)
def test_made_up_histories(lasting: Known) -> None:
    """Requests that follow the links of earlier answers are answered as the document says."""
    answered: Counter[tuple[str, int]] = Counter()

    class Histories(schema.as_state_machine()):  # type: ignore[misc]
        def step(self, taken: Any) -> Any:
            if taken.transition is None:
                lasting.put_into(taken.case)
            name_anew(taken.case.body)
            return super().step(taken)

        def get_call_kwargs(self, _: schemathesis.Case) -> dict[str, Any]:
            return {"base_url": lasting.url, "headers": {"authorization": lasting.key}}

        def validate_response(self, response: Response, case: Any, **kwargs: Any) -> None:
            answered[case.operation.definition.raw["operationId"], response.status_code] += 1
            case.validate_response(
                response, checks_of(case), transport_kwargs=kwargs, recorder=self.recorder
            )

    Histories.run(settings=stateful)
    assert {name for name, status in answered if status == 200} >= LINKED


def name_anew(value: Any) -> None:
    """Give what is created names that nothing has, and keep it in one namespace."""
    for name, inner in value.items() if isinstance(value, dict) else ():
        if name in {"externalId", "externalProgramId"}:
            value[name] = guid()
        elif name == "namespace" and isinstance(inner, str):
            value[name] = NAMESPACE
        name_anew(inner)
