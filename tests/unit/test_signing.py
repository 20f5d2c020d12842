"""What signed events promise, verified as receivers do it."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from typing import TYPE_CHECKING

import jwt
import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from benefit_programs.delivery.keys import SigningKey, jwks
from benefit_programs.delivery.signing import (
    JWT_SECONDS_MAX,
    event_type,
    sign_jwt,
    standard_headers,
)
from benefit_programs.delivery.signing_secrets import (
    SIGNING_SECRET_BYTES_MAX,
    SIGNING_SECRET_BYTES_MIN,
    make_signing_secret,
    signing_secret_problem,
)

if TYPE_CHECKING:
    from collections.abc import Callable

BODY = '{"slug": "created", "name": "Zehn für Ünal ✓"}'.encode()


@pytest.fixture(scope="module")
def key() -> SigningKey:
    return SigningKey.make()


def now() -> int:
    return time.time_ns() // 1_000_000


def test_standard_webhook() -> None:
    """The reference library verifies the body with the secret, and refuses it with another."""
    secret = make_signing_secret()
    headers = standard_headers(BODY, event_id="event", secrets=[secret], now=now())
    assert headers["webhook-id"] == "event"
    assert Webhook(secret).verify(BODY, headers) == json.loads(BODY)
    with pytest.raises(WebhookVerificationError):
        Webhook(make_signing_secret()).verify(BODY, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(BODY + b" ", headers)


def test_known_signature() -> None:
    """The signature is that of the example in the scheme's specification."""
    headers = standard_headers(
        b'{"test": 2432232314}',
        event_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        secrets=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
        now=1_614_265_330_999,
    )
    assert headers["webhook-timestamp"] == "1614265330"
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_two_secrets_are_valid_at_once() -> None:
    """While a secret is replaced, receivers with the old and with the new one verify alike."""
    new, old = make_signing_secret(), make_signing_secret()
    headers = standard_headers(BODY, event_id="event", secrets=[new, old], now=now())
    assert len(headers["webhook-signature"].split(" ")) == 2
    for secret in (new, old):
        Webhook(secret).verify(BODY, headers)


def test_an_attempt_has_its_own_time() -> None:
    """A body that was caught can't be sent again later."""
    secret = make_signing_secret()
    headers = standard_headers(BODY, event_id="event", secrets=[secret], now=now() - 600_000)
    with pytest.raises(WebhookVerificationError, match="too old"):
        Webhook(secret).verify(BODY, headers)


def test_new_secrets() -> None:
    """Each new secret is another, and one that may be used."""
    first, second = make_signing_secret(), make_signing_secret()
    assert first != second
    assert signing_secret_problem(first) is None


@pytest.mark.parametrize(
    ("secret", "usable"),
    [
        ("whsec_" + b64encode(b"a" * SIGNING_SECRET_BYTES_MIN).decode(), True),
        ("whsec_" + b64encode(b"a" * SIGNING_SECRET_BYTES_MAX).decode(), True),
        ("whsec_" + b64encode(b"a" * (SIGNING_SECRET_BYTES_MIN - 1)).decode(), False),
        ("whsec_" + b64encode(b"a" * (SIGNING_SECRET_BYTES_MAX + 1)).decode(), False),
        (b64encode(b"a" * SIGNING_SECRET_BYTES_MIN).decode(), False),
        ("whsec_not base64 at all, and é", False),
        ("", False),
    ],
)
def test_secrets_of_callers(secret: str, *, usable: bool) -> None:
    """A secret has the scheme's form and length, and a refusal says which."""
    problem = signing_secret_problem(secret)
    assert problem == (None if usable else "is whsec_ and 24 to 64 bytes in base64")


def test_jwt(key: SigningKey) -> None:
    """The public key verifies a JWT, which holds the envelope as text in text."""
    at = now()
    identity = {"identityType": "APP", "appId": "app"}
    token = sign_jwt(
        BODY, type_="type", instance_id="tenant", key=key, now=at, identity=identity
    ).decode()
    claims = jwt.decode(token, key.public_pem, algorithms=["RS256"])
    assert (claims["iat"], claims["exp"]) == (at // 1000, at // 1000 + JWT_SECONDS_MAX)
    assert claims.keys() == {"data", "iat", "exp"}
    content = json.loads(claims["data"])
    assert content.keys() == {"data", "eventType", "instanceId", "identity"}
    assert content["data"].encode() == BODY
    assert json.loads(content["identity"]) == identity


def test_jwks(key: SigningKey) -> None:
    """While a key is replaced, the set verifies what either of them has signed."""
    other = SigningKey.make()
    keys = jwt.PyJWKSet.from_dict(jwks([other.public_pem, key.public_pem]))
    for each in (key, other):
        token = sign_jwt(BODY, type_="type", instance_id="tenant", key=each, now=now()).decode()
        kid = jwt.get_unverified_header(token)["kid"]
        assert kid == each.id
        assert "identity" not in jwt.decode(token, keys[kid], algorithms=["RS256"])["data"]
    assert key.id != other.id
    assert key.jwk.keys() == {"kty", "use", "alg", "kid", "n", "e"}


def test_another_key_is_refused(key: SigningKey) -> None:
    """Nobody else's signature passes."""
    token = sign_jwt(
        BODY, type_="type", instance_id="tenant", key=SigningKey.make(), now=now()
    ).decode()
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(token, key.public_pem, algorithms=["RS256"])


def test_a_key_is_stored_and_read(key: SigningKey) -> None:
    """A key that was stored and read is the same, and its text form shows nothing."""
    read = SigningKey.read(key.private_pem)
    assert (read.id, read.public_pem) == (key.id, key.public_pem)
    assert "PRIVATE" not in repr(read)


def test_a_key_is_read_at_once(key: SigningKey) -> None:
    """A key is read in the event loop, so twenty are read before one could be made."""
    pem = key.private_pem
    assert seconds_of(lambda: [SigningKey.read(pem) for _ in range(20)]) < seconds_of(
        SigningKey.make
    )


def seconds_of(work: Callable[[], object]) -> float:
    """How much of the processor it takes in this thread."""
    before = time.thread_time()
    work()
    return time.thread_time() - before


@pytest.mark.parametrize("pem", ["", "no key"])
def test_what_is_no_key(pem: str) -> None:
    """Any other text is refused as a value."""
    with pytest.raises(ValueError, match=r"key|PEM"):
        SigningKey.read(pem)


def test_event_type() -> None:
    """Receivers know an event by its entity and what happened."""
    assert event_type("wix.benefit_programs.v1.program", "provisioned") == (
        "wix.benefit_programs.v1.program_provisioned"
    )
