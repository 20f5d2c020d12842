"""What is wrong with the filter of a request that is refused for something else already.

Filters are read by the store's query language, once a request has its shape. A request that hasn't
is refused before; it is told of its filter here, so that one answer tells of everything.
"""

from __future__ import annotations

from benefit_programs.api.reference.queries import QUERY_METHODS, spec_of
from benefit_programs.domain.errors import FieldViolation, Invalid
from benefit_programs.domain.settings import IdMode
from benefit_programs.storage.query import read_filter
from benefit_programs.storage.reader import GUIDS


def filter_problems(name: str, document: object, ids: IdMode) -> tuple[FieldViolation, ...]:
    """The violations of the filter in a method's document; none where there is no filter."""
    if name not in QUERY_METHODS:
        return ()
    steps = ("query", "filter") if name.startswith("query") else ("filter",)
    for step in steps:
        document = document.get(step) if isinstance(document, dict) else None
    if not isinstance(document, dict):
        return ()
    try:
        read_filter(spec_of(name).fields, document, path=".".join(steps), guids=GUIDS[ids])
    except Invalid as refusal:
        return refusal.violations
    return ()
