"""Webhooks: who is told of events, what became of it, and telling them again."""

from __future__ import annotations

import asyncio
from typing import Any

from benefit_programs.console.languages import gettext as _
from benefit_programs.console.languages import later
from benefit_programs.console.page import GET, OPERATORS, POST, Answer, Done, Menu, Undo, page
from benefit_programs.console.queries import SCAN_LIMIT
from benefit_programs.console.visit import Visit, segment

_VIEWS = {
    "": {},
    "waiting": {"status": "PENDING"},
    "failed": {"status": "PARKED"},
}


@page(
    GET,
    "/webhooks",
    roles=OPERATORS,
    template="webhooks.html",
    menu=Menu(text=later("Webhooks"), order=140, key="w"),
)
async def show(visit: Visit) -> Answer:
    return await _endpoints(visit)


@page(POST, "/webhooks", roles=OPERATORS, template="webhooks.html")
async def create(visit: Visit) -> Answer:
    """The secret is shown once: on this page, which nothing keeps."""
    made = await visit.call(
        "createWebhookEndpoint",
        {
            "webhookEndpoint": {
                "url": visit.form["url"].strip(),
                "description": visit.form.get("description", "").strip() or None,
            }
        },
    )
    return await _endpoints(visit, secret=made["secret"], url=made["webhookEndpoint"]["url"])


@page(GET, "/webhooks/{id}", roles=OPERATORS, template="webhook.html")
async def one(visit: Visit) -> Answer:
    view, endpoint_id = visit.query.get("show", ""), visit.path["id"]
    found = await visit.call("getWebhookEndpoint", {"webhookEndpointId": endpoint_id})
    filter_ = {"webhookEndpointId": endpoint_id, **_VIEWS.get(view, {})}
    query: dict[str, Any] = {"filter": filter_, "cursorPaging": visit.paging()}
    if view == "waiting":
        query["scanLimit"] = SCAN_LIMIT  # the others are in an index in this order
    deliveries = await visit.call("queryWebhookDeliveries", {"query": query})
    return {
        "view": view,
        "endpoint": found["webhookEndpoint"],
        "progress": found.get("progress", {}),
        "deliveries": deliveries.get("webhookDeliveries", []),
        "metadata": deliveries.get("metadata"),
    }


@page(POST, "/webhooks/{id}/switch", roles=OPERATORS)
async def switch(visit: Visit) -> Answer:
    path = f"/webhooks/{segment(visit.path['id'])}"
    found = await visit.call("getWebhookEndpoint", {"webhookEndpointId": visit.path["id"]})
    is_on = visit.form["active"] == "yes"
    change = {
        "id": visit.path["id"],
        "revision": found["webhookEndpoint"]["revision"],
        "active": is_on,
    }
    await visit.call("updateWebhookEndpoint", {"webhookEndpoint": change})
    said = _("It is told of events again.") if is_on else _("It is told of nothing more.")
    return Done(
        path, said, Undo(path=f"{path}/switch", fields={"active": "no" if is_on else "yes"})
    )


@page(POST, "/webhooks/{id}/test", roles=OPERATORS)
async def test(visit: Visit) -> Answer:
    sent = await visit.call("testWebhookEndpoint", {"webhookEndpointId": visit.path["id"]})
    attempt: dict[str, Any] = sent.get("attempt", {})
    if sent.get("success"):
        said = _("The test was taken: status %(status)s.", status=attempt.get("statusCode"))
    else:
        why = attempt.get("error") or attempt.get("statusCode")
        said = _("The test was not taken: %(why)s.", why=why)
    return Done(f"/webhooks/{segment(visit.path['id'])}", said)


@page(POST, "/webhooks/{id}/resend", roles=OPERATORS)
async def resend(visit: Visit) -> Answer:
    await visit.call("resendWebhookDelivery", {"webhookDeliveryId": visit.form["delivery"]})
    return Done(f"/webhooks/{segment(visit.path['id'])}", _("It is sent again."))


async def _endpoints(visit: Visit, *, secret: str = "", url: str = "") -> Answer:
    query = {"cursorPaging": visit.paging()}
    found = await visit.call("queryWebhookEndpoints", {"query": query})
    endpoints = found.get("webhookEndpoints", [])
    progress = await asyncio.gather(
        *(visit.call("getWebhookEndpoint", {"webhookEndpointId": each["id"]}) for each in endpoints)
    )
    shown = [{**each["webhookEndpoint"], **each.get("progress", {})} for each in progress]
    return {"endpoints": shown, "metadata": found.get("metadata"), "secret": secret, "url": url}
