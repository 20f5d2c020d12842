"""What arrives at a webhook endpoint: verified first, then read.

    event = Webhook.verify(request.headers, body, secret)
    if isinstance(event.entity, Pool): ...

An event may come again, with the same id; the events of an entity come in their order.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Iterable, Mapping, Sequence
from types import ModuleType
from typing import Any, TypeAlias

import msgspec

from benefit_programs.client.core.wire import reads
from benefit_programs.client.errors import JwtNotInstalled, WebhookNotVerified, WrongArgument
from benefit_programs.client.types.events import DomainEvent

_TOLERANCE_SECONDS = 300
_SECRET_PREFIX = "whsec_"  # noqa: S105 - tells what the secret is for, and is none
_JWT_ALGORITHM = "RS256"
_JWT_NEEDS = (
    "verifying JWTs needs PyJWT and cryptography: pip install 'benefit-programs-client[webhooks]'"
)

WebhookHeaders: TypeAlias = Mapping[str, str] | Iterable[tuple[bytes | str, bytes | str]]
"""The headers of a request: as a mapping, or as the pairs that ASGI has."""

_read = reads(DomainEvent)


class Webhook:
    """Verifies what arrives at an endpoint, and reads it."""

    @staticmethod
    def verify(headers: WebhookHeaders, body: bytes, secrets: str | Sequence[str]) -> DomainEvent:
        """The event of a request to an endpoint of the format STANDARD.

        The body must be as it came, byte for byte. One of the secrets must have signed it within
        the last five minutes; while a secret is rotated, give both.

        Raises:
            WebhookNotVerified: The request isn't from the service, or is too old.
            WrongArgument: A secret can't be one.
        """
        keys = [_key_of(each) for each in _several(secrets)]
        found = _lower(headers)
        event_id, timestamp, signatures = (
            _header(found, name) for name in ("id", "timestamp", "signature")
        )
        _require_recent(timestamp)
        signed = b".".join((event_id.encode(), timestamp.encode(), body))
        expected = [base64.b64encode(hmac.digest(key, signed, hashlib.sha256)) for key in keys]
        given = [each[3:].encode() for each in signatures.split() if each.startswith("v1,")]
        if not any(hmac.compare_digest(one, other) for one in given for other in expected):
            raise WebhookNotVerified("none of the signatures is one of these secrets'")
        return _event(body)

    @staticmethod
    def verify_jwt(body: bytes | str, public_keys: str | Sequence[str]) -> DomainEvent:
        """The event of a request to an endpoint of the format JWT.

        One of the keys, each as PEM, must have signed it, and it must not have expired.

        Raises:
            WebhookNotVerified: The request isn't from the service, or is too old.
            JwtNotInstalled: The extra ``webhooks`` of the client isn't installed.
        """
        claims = _claims(body, _several(public_keys))
        try:
            return _event(json.loads(claims["data"])["data"].encode())
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise WebhookNotVerified("the JWT holds no event") from error


def _several(one_or_more: str | Sequence[str]) -> list[str]:
    """At least one. Raises WrongArgument for none."""
    found = [one_or_more] if isinstance(one_or_more, str) else list(one_or_more)
    if not found:
        raise WrongArgument("there is nothing to verify with: give a secret, or a public key")
    return found


def _key_of(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.strip().removeprefix(_SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not key:
        raise WrongArgument(f"a secret is {_SECRET_PREFIX} and base64")
    return key


def _lower(headers: WebhookHeaders) -> dict[str, str]:
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    return {_text(name).lower(): _text(value) for name, value in pairs}


def _text(value: bytes | str) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _header(headers: dict[str, str], name: str) -> str:
    value = headers.get(f"webhook-{name}")
    if not value:
        raise WebhookNotVerified(f"the header webhook-{name} is missing")
    return value


def _require_recent(timestamp: str) -> None:
    if not (timestamp.isascii() and timestamp.isdigit()):
        raise WebhookNotVerified("the header webhook-timestamp is no number of seconds")
    away = abs(time.time() - int(timestamp[:20]))
    if away > _TOLERANCE_SECONDS:
        raise WebhookNotVerified(
            f"it was signed {away:.0f} seconds from now, and {_TOLERANCE_SECONDS} are allowed"
        )


def _jwt_library() -> ModuleType:
    try:
        import jwt  # noqa: PLC0415 - not every receiver has it
    except ModuleNotFoundError:
        raise JwtNotInstalled(_JWT_NEEDS) from None
    if not jwt.algorithms.has_crypto:
        raise JwtNotInstalled(_JWT_NEEDS)
    return jwt


def _claims(token: bytes | str, public_keys: Sequence[str]) -> dict[str, Any]:
    jwt = _jwt_library()
    options = {"require": ["exp"]}
    for key in public_keys:
        try:
            found: dict[str, Any] = jwt.decode(token, key, [_JWT_ALGORITHM], options=options)
        except jwt.InvalidSignatureError:
            continue
        except jwt.InvalidKeyError as error:
            raise WrongArgument(f"a public key can't be read: {error}") from None
        except jwt.PyJWTError as error:
            raise WebhookNotVerified(f"the JWT can't be used: {error}") from None
        return found
    raise WebhookNotVerified("the JWT isn't signed by one of these keys")


def _event(body: bytes) -> DomainEvent:
    try:
        return _read(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise WebhookNotVerified(f"the body is no event: {error}") from error
