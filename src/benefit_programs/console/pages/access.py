"""Access: who may use the console, and which keys open the API."""

from __future__ import annotations

from typing import Any

from benefit_programs.api.roles import ROLES
from benefit_programs.console.languages import gettext as _
from benefit_programs.console.languages import later
from benefit_programs.console.page import GET, OPERATORS, POST, Answer, Done, Menu, Undo, page
from benefit_programs.console.visit import Visit
from benefit_programs.domain.directory import Role

_STILL = {"revokedDate": None}


@page(
    GET,
    "/access",
    roles=OPERATORS,
    template="access.html",
    menu=Menu(text=later("Access"), order=150, key="c"),
)
async def people(visit: Visit) -> Answer:
    return await _people(visit)


@page(POST, "/access", roles=OPERATORS, template="access.html")
async def invite(visit: Visit) -> Answer:
    """The link is shown once: on this page, which nothing keeps."""
    email = visit.form.get("email", "").strip()
    fields = {"name": visit.form["name"].strip(), "role": visit.form["role"]}
    made = await visit.call("inviteConsoleUser", fields | ({"email": email} if email else {}))
    link = visit.origin + visit.prefix + made["signInPath"]
    return await _people(visit, link=link, invited=made["consoleUser"]["name"])


@page(POST, "/access/revoke", roles=OPERATORS)
async def revoke(visit: Visit) -> Answer:
    found = await visit.call("revokeConsoleUser", {"consoleUserId": visit.form["id"]})
    user = found["consoleUser"]
    fields = {"name": user["name"], "role": user["role"], "email": user.get("email") or ""}
    said = _("%(name)s has no access any more.", name=user["name"])
    return Done("/access", said, Undo(path="/access", fields=fields))


@page(GET, "/access/keys", roles=OPERATORS, template="keys.html")
async def keys(visit: Visit) -> Answer:
    return await _keys(visit)


@page(POST, "/access/keys", roles=OPERATORS, template="keys.html")
async def create_key(visit: Visit) -> Answer:
    """The secret is shown once: on this page, which nothing keeps."""
    fields = {"name": visit.form["name"].strip(), "role": visit.form["role"]}
    made = await visit.call("createApiKey", fields)
    return await _keys(visit, secret=made["secret"], made=made["apiKey"]["name"])


@page(POST, "/access/keys/revoke", roles=OPERATORS)
async def revoke_key(visit: Visit) -> Answer:
    found = await visit.call("revokeApiKey", {"apiKeyId": visit.form["id"]})
    said = _("The key %(name)s opens nothing any more.", name=found["apiKey"]["name"])
    return Done("/access/keys", said)


async def _people(visit: Visit, *, link: str = "", invited: str = "") -> Answer:
    found = await _found(visit, "queryConsoleUsers")
    return {
        "users": found.get("consoleUsers", []),
        "metadata": found.get("metadata"),
        "is_past": _is_past(visit),
        "roles": list(Role),
        "own_id": visit.principal.who.id,
        "link": link,
        "invited": invited,
    }


async def _keys(visit: Visit, *, secret: str = "", made: str = "") -> Answer:
    found = await _found(visit, "queryApiKeys")
    shown = [{**each, "role": _role_of(each)} for each in found.get("apiKeys", ())]
    return {
        "keys": shown,
        "metadata": found.get("metadata"),
        "is_past": _is_past(visit),
        "roles": list(Role),
        "own_id": visit.principal.who.id,
        "secret": secret,
        "made": made,
    }


async def _found(visit: Visit, method: str) -> Any:
    """Those that are there, or those that were revoked, the newest first."""
    chosen = {"revokedDate": {"$exists": True}} if _is_past(visit) else _STILL
    return await visit.call(method, {"query": {"filter": chosen, "cursorPaging": visit.paging()}})


def _is_past(visit: Visit) -> bool:
    return visit.query.get("show") == "past"


def _role_of(key: dict[str, Any]) -> Role | None:
    """The role that a key was made for, if it allows just what that allows."""
    has = frozenset(key.get("scopes", ())), frozenset(key.get("permissionIds", ()))
    fitting = (
        role for role, (scopes, ids) in ROLES.items() if has == (frozenset(scopes), frozenset(ids))
    )
    return next(fitting, None)
