"""The console as an ASGI application: every request goes through one gate, then to its page."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from benefit_programs.api.errors import (
    Forbidden,
    MethodNotAllowed,
    NotFoundRoute,
    TooLarge,
    Unauthenticated,
    Unexpected,
    refusal_of,
)
from benefit_programs.api.messages import AsgiScope, Receive, Send, request_id_of
from benefit_programs.console.answering import (
    is_shown_already,
    origin_of,
    path_of,
    prefix_of,
    redirect,
    send_answer,
    static_answer,
    with_headers,
)
from benefit_programs.console.flashes import COOKIE as FLASH_COOKIE
from benefit_programs.console.flashes import COOKIE_SECONDS_MAX, Flashes
from benefit_programs.console.forms import read_form
from benefit_programs.console.gate import (
    Gate,
    NotInvited,
    cookie_of,
    is_plain_loopback,
    is_secure,
    require_from_here,
)
from benefit_programs.console.languages import LANGUAGE, chosen
from benefit_programs.console.page import Answer, Done, File, Page, SignedIn
from benefit_programs.console.receipts import Receipts
from benefit_programs.console.rendering import new_nonce, render
from benefit_programs.console.routes import MENU, PAGES
from benefit_programs.console.visit import ROOT, VISIT, CallMethod, Fields, Visit
from benefit_programs.console.words import refusal_words, status_of
from benefit_programs.domain.clocks import Clock
from benefit_programs.domain.errors import Refusal
from benefit_programs.storage.console import SESSION_MILLISECONDS_MAX
from benefit_programs.storage.console_forms import ConsoleForms

START = "/find"

_log = structlog.get_logger("benefit_programs.console")


class Console:
    """The pages, for those whom the gate lets in. ``clock_of`` is asked for those of sandboxes."""

    def __init__(
        self,
        call_method: CallMethod,
        gate: Gate,
        *,
        forms: ConsoleForms,
        clock_of: Callable[[int], Awaitable[Clock | None]],
        flash_secret: bytes,
        body_bytes_max: int,
        elapsed: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._call_method = call_method
        self._gate = gate
        self._clock_of = clock_of
        self._receipts = Receipts(forms)
        self._flashes = Flashes(flash_secret)
        self._body_bytes_max = body_bytes_max
        self._elapsed = elapsed

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        started, request = self._elapsed(), Request(scope, receive)
        path = path_of(request)
        if path in ("", "/"):
            await send_answer(redirect(prefix_of(request) + ROOT + START), scope, receive, send)
            return
        if path.startswith("/static/"):
            answer = static_answer(path.removeprefix("/static/"))
            await send_answer(answer, scope, receive, send)
            return
        record: dict[str, Any] = {"page": None, "tenant": None, "user": None}
        language = LANGUAGE.set(chosen(request.headers.get("accept-language")))
        try:
            response = await self._answer(request, path, record)
        except ClientDisconnect:
            return
        finally:
            LANGUAGE.reset(language)
        await send_answer(response, scope, receive, send)
        is_ours = response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR
        tell = _log.warning if is_ours else _log.info
        tell(
            "answered",
            request_id=response.headers["x-request-id"],
            status=response.status_code,
            milliseconds=round((self._elapsed() - started) * 1000, 3),
            **record,
        )

    async def _answer(self, request: Request, path: str, record: dict[str, Any]) -> Response:
        """The answer to a request, whatever happens; a refusal is a page too."""
        visit = self._visit(request)
        try:
            require_from_here(request)
            visit = await self._recognized(visit, request)
            if visit.visitor is not None:
                principal = visit.visitor.principal
                record |= {"tenant": principal.tenant_id, "user": principal.key_id}
            visit = _let_in(visit, request.method, path)
            page = visit.page
            if page is None:
                return self._to_sign_in(request, visit, path)
            record["page"] = page.path
            if page.verb == "POST":
                visit = replace(visit, form=Fields(await self._form(request)))
            return await self._serve(page, visit, request)
        except ClientDisconnect:
            raise
        except NotInvited as stranger:
            return self._problem(request, visit, Forbidden(), email=stranger.email)
        except Exception as error:  # noqa: BLE001 - every failure has a page
            refusal = refusal_of(error)
            if isinstance(refusal, Unexpected):
                _log.exception("failed", request_id=visit.request_id, **record)
            return self._problem(request, visit, refusal)

    async def _recognized(self, visit: Visit, request: Request) -> Visit:
        """The visit with its visitor, if anybody has signed in. Raises NotInvited."""
        visitor = await self._gate.visitor(request)
        if visitor is None:
            return replace(visit, choices=await self._gate.choices(request))
        said = self._flashes.read(request.cookies.get(FLASH_COOKIE), visitor.principal.key_id)
        visit = replace(visit, visitor=visitor, flash=said)
        if not visit.is_sandbox:
            return visit
        return replace(visit, clock=await self._clock_of(visitor.principal.tenant_id))

    async def _serve(self, page: Page, visit: Visit, request: Request) -> Response:
        current = VISIT.set(visit)
        try:
            answer = await self._handled(page, visit, path_of(request))
            if isinstance(answer, File):
                headers = {"content-disposition": f'attachment; filename="{answer.name}"'}
                response = Response(answer.body, 200, headers, answer.media_type)
            elif isinstance(answer, Done):
                return self._done(answer, visit, request)
            else:
                assert page.template is not None, f"{page.path} shows something: name a template"
                body = render(page.template, visit, MENU, dict(answer))
                response = Response(body, media_type="text/html")
        finally:
            VISIT.reset(current)
        if visit.flash:
            response.delete_cookie(FLASH_COOKIE, path="/")
        if request.headers.get("hx-request") and is_shown_already(request):
            response.headers["hx-replace-url"] = "true"
        return with_headers(response, visit)

    async def _handled(self, page: Page, visit: Visit, path: str) -> Answer:
        if page.verb == "GET" or page.is_public or page.repeats:
            return await page.handler(visit)
        return await self._receipts.once(visit, path, lambda: page.handler(visit))

    def _done(self, done: Done, visit: Visit, request: Request) -> Response:
        """The way to the page that shows what was done."""
        response = redirect(visit.to(done.path))
        how: dict[str, Any] = {
            "path": "/",
            "secure": not is_plain_loopback(request),
            "httponly": True,
            "samesite": "lax",
        }
        if isinstance(done, SignedIn):
            seconds = SESSION_MILLISECONDS_MAX // 1000 if done.session else 0
            response.set_cookie(cookie_of(request), done.session, max_age=seconds, **how)
        if done.said and visit.visitor is not None:
            said = self._flashes.write(done, visit.visitor.principal.key_id)
            response.set_cookie(FLASH_COOKIE, said, max_age=COOKIE_SECONDS_MAX, **how)
        return with_headers(response, visit)

    def _problem(
        self, request: Request, visit: Visit, refusal: Refusal, *, email: str | None = None
    ) -> Response:
        """A refusal in words. A form that htmx has sent shows it above its fields."""
        status, visit = status_of(refusal), replace(visit, flash={})
        current = VISIT.set(visit)
        try:
            shown = {"words": refusal_words(refusal), "status": status, "email": email}
            body = render("problem.html", visit, MENU, shown)
        finally:
            VISIT.reset(current)
        response = Response(body, status, media_type="text/html")
        form = visit.form.get("key", "")
        if request.headers.get("hx-request") and request.method == "POST" and form.isascii():
            response.headers["hx-push-url"] = "false"
            response.headers["hx-reselect"] = "#problem"
            response.headers["hx-reswap"] = "innerHTML"
            response.headers["hx-retarget"] = f"#problem-{form}"
        return with_headers(response, visit)

    def _to_sign_in(self, request: Request, visit: Visit, path: str) -> Response:
        if request.method not in ("GET", "HEAD"):
            return self._problem(request, visit, Unauthenticated())
        following = path + (f"?{request.url.query}" if request.url.query else "")
        to = visit.to("/sign-in", next=following if path != START else None)
        if request.headers.get("hx-request"):
            response = Response(status_code=HTTPStatus.OK, headers={"hx-redirect": to})
            return with_headers(response, visit)
        return with_headers(redirect(to), visit)

    async def _form(self, request: Request) -> dict[str, str]:
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > self._body_bytes_max:
                raise TooLarge(bytes_max=self._body_bytes_max)
        return read_form(request.headers.get("content-type"), body)

    def _visit(self, request: Request) -> Visit:
        return Visit(
            page=None,
            visitor=None,
            prefix=prefix_of(request),
            request_id=request_id_of(request.scope),
            nonce=new_nonce(),
            address=self._gate.address(request),
            origin=origin_of(request),
            is_secure=is_secure(request),
            query=Fields(request.query_params),
            call_method=self._call_method,
            gate=self._gate,
        )


def _let_in(visit: Visit, verb: str, path: str) -> Visit:
    """The visit with its page; with none if the visitor must sign in first.

    Raises Forbidden, NotFoundRoute or MethodNotAllowed, which strangers aren't told.
    """
    try:
        page, held = _page_at(verb, path)
    except Refusal:
        if visit.visitor is None:
            return visit
        raise
    if visit.visitor is None and not page.is_public:
        return visit
    if not visit.may(page):
        raise Forbidden
    return replace(visit, page=page, path=held)


def _page_at(verb: str, path: str) -> tuple[Page, Fields]:
    """The page at a path, with what the path holds. Raises NotFoundRoute or MethodNotAllowed."""
    found = [(each, at) for each in PAGES if (at := each.pattern.fullmatch(path))]
    if not found:
        raise NotFoundRoute
    for page, at in found:
        if page.verb == ("GET" if verb == "HEAD" else verb):
            return page, Fields({name: unquote(text) for name, text in at.groupdict().items()})
    raise MethodNotAllowed(allowed=tuple(page.verb for page, _ in found))


AGENTS = "/mcp"


_BELOW_ROOT = f"{ROOT}/"


class Front:
    """The whole service: the console at its path and at the root, everything else the API's.

    If there is a server for agents, it has a path of its own.
    """

    def __init__(
        self,
        console: Console,
        api: Callable[[Any, Any, Any], Awaitable[None]],
        agents: Callable[[Any, Any, Any], Awaitable[None]] | None = None,
    ) -> None:
        self._console = console
        self._api = api
        self._agents = agents

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] == "http" and (path == ROOT or path.startswith(_BELOW_ROOT)):
            await self._console(scope, receive, send)
        elif self._agents is not None and scope["type"] == "http" and path == AGENTS:
            await self._agents(scope, receive, send)
        elif scope["type"] == "http" and path == "/":
            # From where the caller sees it: a proxy may have put the service below a path.
            response = redirect(f"{ROOT[1:]}{START}")
            response.headers["x-request-id"] = request_id_of(scope)
            await response(scope, receive, send)
        else:
            await self._api(scope, receive, send)
