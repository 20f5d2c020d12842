"""Tells the service who people are: a provider that it asks, as an ASGI application.

    pip install uvicorn
    PROVIDER_SECRET=... uvicorn provide_people:application --port 9000

The service asks for those whom a text finds, or for who some beneficiaries are. Whoever isn't
known is left out of the answer. It needs nothing but Python's own library.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import time
from collections.abc import Awaitable, Callable
from typing import Any

SECRET = os.environ["PROVIDER_SECRET"].encode()
AGE_SECONDS_MAX = 300
BODY_BYTES_MAX = 65_536

# Look into your own database instead.
PEOPLE = {
    "5e6c2f1a-7b3d-4c8e-9f10-2a4b6c8d0e11": ("Ada Lovelace", "ada@example.com", "+49 30 1234567"),
    "6f7d3a2b-8c4e-4d9f-8a21-3b5c7d9e1f22": ("Zoë O'Brien", "zoe@example.com", None),
}


async def application(scope: Any, receive: Any, send: Callable[[Any], Awaitable[None]]) -> None:
    """Answer one question."""
    assert scope["type"] == "http"
    body, more = b"", True
    while more and len(body) <= BODY_BYTES_MAX:
        part = await receive()
        body, more = body + part.get("body", b""), part.get("more_body", False)
    status, answer = 401, b"{}"
    if is_signed(dict(scope["headers"]).get(b"x-benefits-signature", b"").decode("latin-1"), body):
        status, answer = 200, json.dumps({"people": found(json.loads(body))}).encode()
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": answer})


def is_signed(header: str, body: bytes) -> bool:
    """Whether the service has sent a body, and not long ago."""
    parts = dict(part.partition("=")[::2] for part in header.split(","))
    seconds = parts.get("t", "")
    text = seconds.encode() + b"." + body
    expected = hmac.new(SECRET, text, hashlib.sha256).hexdigest().encode()
    if not hmac.compare_digest(expected, parts.get("v1", "").encode()):
        return False
    return abs(time.time() - int(seconds)) < AGE_SECONDS_MAX


def found(question: dict[str, Any]) -> list[dict[str, Any]]:
    """Those whom a text finds; or without a text those of the beneficiaries who are known."""
    if "text" in question:
        words = question["text"].casefold().split()
        ids = [each for each, said in PEOPLE.items() if has_all(words, said)]
        return [person(each) for each in ids[: question["limit"]]]
    asked = [each.get("memberId") for each in question["beneficiaries"]]
    return [person(each) for each in asked if each in PEOPLE]


def has_all(words: list[str], said: tuple[str | None, ...]) -> bool:
    """Whether each word begins one of somebody's."""
    own = " ".join(filter(None, said)).casefold().split()
    return all(any(each.startswith(word) for each in own) for word in words)


def person(member_id: str) -> dict[str, Any]:
    """Somebody as the service reads it. E-mail address and telephone number may be missing."""
    name, email, phone = PEOPLE[member_id]
    whom = {"memberId": member_id}
    return {"beneficiary": whom, "displayName": name, "email": email, "phone": phone}
