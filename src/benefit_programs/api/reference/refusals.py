"""Which errors the service answers with: any method, and each. Contract: Errors."""

from __future__ import annotations

from itertools import chain

from benefit_programs.api import errors as edge
from benefit_programs.api.errors import STATUS_BY_ERROR
from benefit_programs.api.method import Method, Refusals
from benefit_programs.api.methods import METHODS
from benefit_programs.domain import errors
from benefit_programs.domain.errors import Refusal

BY_EVERY_METHOD: Refusals = (
    errors.Invalid,
    edge.Unauthenticated,
    edge.Forbidden,
    edge.TooLarge,
    edge.UnsupportedMediaType,
    edge.TooManyRequests,
    edge.Unexpected,
    edge.Unavailable,
    edge.StatementTimeout,
)

BY_ANY_ADDRESS: Refusals = (
    edge.NotFoundRoute,
    edge.MethodNotAllowed,
    edge.RequestTimeout,
    edge.HeadTooLarge,
)
"""What answers a request that reaches no method."""

RESERVED: Refusals = (
    errors.ChainOperationInProgress,
    errors.TransactionNotSupersedable,
    errors.TransactionAlreadySuperseded,
)
"""Known to clients, and never sent while every write is one commit."""


def answered() -> list[type[Refusal]]:
    """All errors that the service answers with, by their status; others only commands tell."""
    of_methods = chain.from_iterable(method.refuses for method in METHODS.values())
    known = {*BY_EVERY_METHOD, *BY_ANY_ADDRESS, *of_methods}
    return [refusal for refusal in STATUS_BY_ERROR if refusal in known]


def refusals_of(method: Method) -> dict[int, list[type[Refusal]]]:
    """The errors of a method by their status, both in order."""
    found: dict[int, list[type[Refusal]]] = {}
    for refusal in (*BY_EVERY_METHOD, *method.refuses):
        found.setdefault(STATUS_BY_ERROR[refusal], []).append(refusal)
    return dict(sorted(found.items()))


def description_of(refusal: type[Refusal]) -> str:
    return refusal.description.fget(refusal.__new__(refusal))  # type: ignore[attr-defined, no-any-return]
