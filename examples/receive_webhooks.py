"""Receives webhooks: an ASGI application that needs no framework.

    pip install benefit-programs-client uvicorn
    WEBHOOK_SECRET=whsec_... uvicorn receive_webhooks:application --port 9000

An event that was taken is answered with 204. Anything else makes the service send it again later.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from typing import Any

from benefit_programs.client import DomainEvent, Pool, Webhook, WebhookNotVerified

BODY_BYTES_MAX = 1_048_576
SECRETS = os.environ["WEBHOOK_SECRET"].split(",")  # two while a secret is rotated
done: set[str] = set()  # keep it in a database, in one commit with what you do


async def application(scope: Any, receive: Any, send: Callable[[Any], Awaitable[None]]) -> None:
    """Take one event."""
    assert scope["type"] == "http"
    body, more = b"", True
    while more and len(body) <= BODY_BYTES_MAX:
        part = await receive()
        body, more = body + part.get("body", b""), part.get("more_body", False)
    try:
        event = Webhook.verify(scope["headers"], body, SECRETS)
    except WebhookNotVerified:
        status = 401
    else:
        status = 204
        if event.id not in done:  # the same event may come twice
            act_on(event)
            done.add(event.id)
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body"})


def act_on(event: DomainEvent) -> None:
    """Do what your system has to do. If it raises, the event comes again."""
    pool = event.entity
    if event.slug == "benefit_redeemed" and isinstance(pool, Pool):
        item = event.body["redemptionDetails"]["itemReference"]["externalId"]
        print(f"deliver {item} to {pool.beneficiary.id}", flush=True)  # noqa: T201 - an example
