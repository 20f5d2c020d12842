"""What a change said, for the next page to show: in a cookie that only the service can write."""

from __future__ import annotations

import binascii
import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import msgspec

from benefit_programs.console.page import Done

COOKIE = "benefits-console-said"

COOKIE_SECONDS_MAX = 60


class Flashes:
    """Writes and reads the cookie. Whoever reads it in another session finds nothing."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def write(self, done: Done, session: str) -> str:
        undo = {"path": done.undo.path, "fields": dict(done.undo.fields)} if done.undo else None
        text = msgspec.json.encode({"said": done.said, "undo": undo})
        return urlsafe_b64encode(self._mark(text, session) + text).decode()

    def read(self, cookie: str | None, session: str) -> dict[str, Any]:
        try:
            whole = urlsafe_b64decode(cookie or "")
        except (binascii.Error, ValueError):
            return {}
        mark, text = whole[:32], whole[32:]
        if not hmac.compare_digest(mark, self._mark(text, session)):
            return {}
        said: dict[str, Any] = msgspec.json.decode(text)
        return said

    def _mark(self, text: bytes, session: str) -> bytes:
        return hmac.digest(self._secret, session.encode() + b"\0" + text, hashlib.sha256)
