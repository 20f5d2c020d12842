"""The secrets with which events are signed by the Standard Webhooks scheme."""

from __future__ import annotations

import binascii
import secrets
from base64 import b64decode, b64encode

SIGNING_SECRET_PREFIX = "whsec_"  # noqa: S105 - tells what the secret is for, and is none
SIGNING_SECRET_BYTES = 32
SIGNING_SECRET_BYTES_MIN = 24
SIGNING_SECRET_BYTES_MAX = 64


def make_signing_secret() -> str:
    """A new secret for the Standard Webhooks scheme."""
    return SIGNING_SECRET_PREFIX + b64encode(secrets.token_bytes(SIGNING_SECRET_BYTES)).decode()


def signing_secret_problem(secret: str) -> str | None:
    """What keeps a secret of the caller's choice from being used; None if nothing."""
    wanted = (
        f"is {SIGNING_SECRET_PREFIX} and {SIGNING_SECRET_BYTES_MIN} to "
        f"{SIGNING_SECRET_BYTES_MAX} bytes in base64"
    )
    if not secret.startswith(SIGNING_SECRET_PREFIX):
        return wanted
    try:
        key = b64decode(secret.removeprefix(SIGNING_SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return wanted
    return None if SIGNING_SECRET_BYTES_MIN <= len(key) <= SIGNING_SECRET_BYTES_MAX else wanted
