"""The pages beside the methods: health, metrics, the reference, and answers to stray requests."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps

import msgspec
import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from benefit_programs.api.compression import COMPRESSED_BYTES_MIN
from benefit_programs.api.errors import (
    MethodNotAllowed,
    NotFoundRoute,
    Unexpected,
    error_body,
    error_headers,
    refusal_of,
)
from benefit_programs.api.messages import request_id_of
from benefit_programs.api.metrics import Metrics
from benefit_programs.api.openapi import openapi_json
from benefit_programs.api.probing import Probe
from benefit_programs.api.reference.page import reference_page
from benefit_programs.api.services import Services
from benefit_programs.domain.errors import Refusal
from benefit_programs.domain.lookups import BEFORE_ALL_IDS, WALK_WEBHOOK_KEYS

Endpoint = Callable[[Request], Awaitable[Response]]

JWKS_PATH = "/.well-known/jwks/{site_id}.json"
"""Where the public keys are that verify the JWTs of a tenant's events."""

JWKS_SECONDS_MAX = 300
"""How long receivers may keep them."""

_log = structlog.get_logger("benefit_programs.request")


def create_pages(services: Services) -> Starlette:
    """The application of everything that isn't a method of the contract."""

    async def openapi(_: Request) -> Response:
        return Response(openapi_json(), media_type="application/json")

    async def reference(_: Request) -> Response:
        return Response(reference_page(), media_type="text/html")

    async def start(_: Request) -> Response:
        # From where the caller sees it: a proxy may have put the service below a path.
        return RedirectResponse("docs")

    async def jwks_page(request: Request) -> Response:
        """The public keys of a tenant, which anybody may read who verifies its events."""
        tenant = await services.directory.tenant_of_site(request.path_params["site_id"])
        if tenant is None:
            raise NotFoundRoute
        keys = await services.reader.many(tenant.id, WALK_WEBHOOK_KEYS, [(BEFORE_ALL_IDS,)])
        from benefit_programs.delivery.keys import jwks  # noqa: PLC0415 - few are ever asked for it

        response = _json(jwks(key.public_key for key in reversed(keys)))
        response.headers["cache-control"] = f"public, max-age={JWKS_SECONDS_MAX}"
        return response

    return _application(
        {
            "/": start,
            JWKS_PATH: jwks_page,
            "/openapi.json": openapi,
            "/docs": reference,
            **_watched(services.metrics, services.readiness),
        }
    )


def create_watched_pages(metrics: Metrics, readiness: Probe[None]) -> Starlette:
    """The application of a process that only tells how it is."""
    return _application(_watched(metrics, readiness))


def _watched(metrics: Metrics, readiness: Probe[None]) -> dict[str, Endpoint]:
    """What those ask who watch a process."""

    async def health(_: Request) -> Response:
        return _json({"status": "ok"})

    async def ready(_: Request) -> Response:
        await readiness.answer()
        return _json({"status": "ready"})

    async def metrics_page(_: Request) -> Response:
        return Response(await metrics.page(), media_type="text/plain; version=0.0.4")

    return {"/healthz": health, "/readyz": ready, "/metrics": metrics_page}


def _application(endpoints: dict[str, Endpoint]) -> Starlette:
    application = Starlette(
        routes=[Route(path, _answering(endpoint)) for path, endpoint in endpoints.items()],
        exception_handlers={HTTPException: _answer_stray},
        middleware=[Middleware(GZipMiddleware, minimum_size=COMPRESSED_BYTES_MIN)],
    )
    # An address with a slash too many is another one; a redirection has no body of ours.
    application.router.redirect_slashes = False
    return application


def _answering(endpoint: Endpoint) -> Endpoint:
    """The endpoint with the headers of every answer, and with an error's body if it fails."""

    @wraps(endpoint)
    async def answer(request: Request) -> Response:
        try:
            response = await endpoint(request)
        except Exception as error:  # noqa: BLE001 - every answer has the contract's shape
            refusal = refusal_of(error)
            if isinstance(refusal, Unexpected):
                _log.exception("failed", path=request.url.path)
            return _refusal(request, refusal)
        return _named(request, response)

    return answer


def _json(content: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(content), status, media_type="application/json")


async def _answer_stray(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 405:  # noqa: PLR2004 - the status that Starlette raises
        allowed = (error.headers or {}).get("Allow", "")
        return _refusal(request, MethodNotAllowed(allowed=tuple(allowed.split(", "))))
    return _refusal(request, NotFoundRoute())


def _refusal(request: Request, refusal: Refusal) -> Response:
    status, content = error_body(refusal)
    response = _json(content, status)
    response.headers.update(error_headers(refusal))
    return _named(request, response)


def _named(request: Request, response: Response) -> Response:
    request_id = request_id_of(request.scope)
    response.headers.update({"x-request-id": request_id, "x-wix-request-id": request_id})
    return response
