"""Signing in and out: a link that is used once, or an API key, is exchanged for a session.

Whom a proxy names, and several tenants know, chooses one of them.
"""

from __future__ import annotations

from benefit_programs.console.languages import gettext as _
from benefit_programs.console.languages import later
from benefit_programs.console.page import EVERYBODY, GET, POST, PUBLIC, Answer, SignedIn, page
from benefit_programs.console.visit import Visit

AFTERWARDS = "/find"

USED_UP = later("This link was used before, or is older than 15 minutes. Ask for a new one.")


@page(GET, "/sign-in", roles=PUBLIC, template="sign_in.html")
async def show(visit: Visit) -> Answer:
    token = visit.query.get("token", "")
    user = await visit.gate.invited(token) if token else None
    if token and user is None:
        return _shown(visit, problem=_(USED_UP))
    return _shown(visit, token=token, name=user.name if user else "")


@page(POST, "/sign-in", roles=PUBLIC, template="sign_in.html")
async def sign_in(visit: Visit) -> Answer:
    token, key = visit.form.get("token", ""), visit.form.get("api_key", "").strip()
    if not visit.is_secure:
        return _shown(visit, problem=_("The console needs https, except on this very machine."))
    if chosen := visit.form.get("user", ""):
        session = await visit.gate.choose(chosen) if chosen in visit.choices else None
        problem = _("You have no access there any more.")
    elif token:
        session = await visit.gate.accept(token, visit.address)
        problem = _(USED_UP)
    else:
        session = await visit.gate.take_key(key, visit.address)
        problem = _("This is no API key that opens the console.")
    if session is None:
        return _shown(visit, problem=problem)
    return SignedIn(_following(visit.form.get("next", "")), session=session)


@page(POST, "/sign-out", roles=EVERYBODY, repeats=True)
async def sign_out(visit: Visit) -> Answer:
    if visit.visitor is not None and visit.visitor.session is not None:
        await visit.gate.close(visit.visitor.session)
    return SignedIn("/sign-in")


def _shown(visit: Visit, *, problem: str = "", token: str = "", name: str = "") -> Answer:
    following = _following((visit.form or visit.query).get("next", ""))
    return {
        "problem": problem,
        "token": token,
        "name": name,
        "next": following,
        "choices": visit.choices,
    }


def _following(path: str) -> str:
    """Where to go on: a page of the console, never another address."""
    is_ours = path.startswith("/") and not path.startswith("//") and "\\" not in path
    return path if is_ours and path.isprintable() else AFTERWARDS
