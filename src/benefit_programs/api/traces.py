"""What the spans of requests tell: methods, tenants and statuses, nothing that callers wrote."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from benefit_programs.api.methods import METHODS
from benefit_programs.tracing import Span


def describe(span: Span, record: dict[str, Any], verb: str | None = None) -> None:
    """Say which method was called, for which tenant, as far as a request came.

    ``verb`` is that of HTTP, if it came so.
    """
    name, tenant_id = record["method"], record["tenant"]
    if name is not None:
        span.attributes["benefits.method"] = name
    if tenant_id is not None:
        span.attributes["benefits.tenant_id"] = tenant_id
    if verb is None:
        return
    # Whatever a caller wrote there is no name of a span.
    known = verb if verb in _VERBS else "_OTHER"
    span.attributes["http.request.method"] = known
    span.name = known if name is None else name
    if name is not None:
        span.attributes["http.route"] = METHODS[name].path


def describe_answer(span: Span, status: int) -> None:
    """Say how a request was answered."""
    span.attributes["http.response.status_code"] = int(status)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        span.error = f"{status:d}"


_VERBS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
