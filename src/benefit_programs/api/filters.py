"""What is wrong with the filter of a request that is refused for something else already.

Filters are read by the store's query language, once a request has its shape. A request that hasn't
is refused before; its filter is read here, so that one answer names all violations.
"""

from __future__ import annotations

from benefit_programs.api.method import Method
from benefit_programs.domain.errors import Invalid
from benefit_programs.domain.settings import IdMode
from benefit_programs.storage.query import read_filter
from benefit_programs.storage.reader import GUIDS


def with_filter_problems(found: Invalid, method: Method, document: object, ids: IdMode) -> Invalid:
    """A refusal with what the filter in a method's document breaks too.

    A filter that is refused already, as too large or too deep, is not read.
    """
    for step in method.filter_path:
        document = document.get(step) if isinstance(document, dict) else None
    if not method.filter_path or not isinstance(document, dict):
        return found
    path = ".".join(method.filter_path)
    if any(each.field == path for each in found.violations):
        return found
    try:
        read_filter(method.fields, document, path=path, guids=GUIDS[ids])
    except Invalid as refusal:
        return found.beside(refusal)
    return found
