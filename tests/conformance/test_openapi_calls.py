"""What the OpenAPI document promises, tried with requests that are made up from it."""

from __future__ import annotations

import schemathesis

from tests.conformance.made_up import Known, schema, short, try_out

ENGINES = ["sqlite"]
"""The shape of answers doesn't depend on the store."""


@schema.parametrize()
@short
def test_made_up_requests(case: schemathesis.Case, known: Known) -> None:
    """Whatever is sent, the answer is one that the document names, and no failure of ours."""
    try_out(case, known)
