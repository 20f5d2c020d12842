"""What stands around the methods: health, readiness, metrics, and answers to stray requests."""

from __future__ import annotations

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benefit_programs.api.errors import (
    MethodNotAllowed,
    NotFoundRoute,
    Unexpected,
    error_body,
    error_headers,
)
from benefit_programs.api.messages import request_id_of
from benefit_programs.api.metrics import Metrics
from benefit_programs.api.services import Services
from benefit_programs.domain.errors import Refusal


def surroundings(services: Services, metrics: Metrics) -> Starlette:
    """The application of everything that isn't a method of the contract."""

    async def tell_health(_: Request) -> Response:
        return _json({"status": "ok"})

    async def tell_readiness(_: Request) -> Response:
        await services.reader.ping()
        return _json({"status": "ready"})

    async def tell_metrics(_: Request) -> Response:
        return Response(metrics.page(), media_type="text/plain; version=0.0.4")

    return Starlette(
        routes=[
            Route("/healthz", tell_health),
            Route("/readyz", tell_readiness),
            Route("/metrics", tell_metrics),
        ],
        exception_handlers={HTTPException: _answer_stray, Exception: _answer_failure},
    )


def _json(content: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(content), status, media_type="application/json")


async def _answer_stray(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 405:  # noqa: PLR2004 - the status that Starlette raises
        allowed = (error.headers or {}).get("Allow", "")
        return _refusal(request, MethodNotAllowed(allowed=tuple(allowed.split(", "))))
    return _refusal(request, NotFoundRoute())


async def _answer_failure(request: Request, _: Exception) -> Response:
    return _refusal(request, Unexpected())


def _refusal(request: Request, refusal: Refusal) -> Response:
    status, content = error_body(refusal)
    response = _json(content, status)
    request_id = request_id_of(request.scope)
    response.headers.update({"x-request-id": request_id, "x-wix-request-id": request_id})
    response.headers.update(error_headers(refusal))
    return response
