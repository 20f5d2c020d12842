"""What the official SDK makes of the events that are signed for it."""

from __future__ import annotations

import base64
import json
import subprocess
import time
from typing import Any

import pytest

from benefit_programs.delivery.keys import SigningKey
from benefit_programs.delivery.signing import JWT_SECONDS_MAX, event_type, sign_jwt
from tests.support.node import PACKAGES, ensure_js_packages, node_executable

SCRIPT_SECONDS_MAX = 60
PROGRAM = "wix.benefit_programs.v1.program"
PROVISIONED = f"{PROGRAM}_provisioned"
CREATED = f"{PROGRAM}_created"
IDENTITY = {"identityType": "MEMBER", "memberId": "5b2a0b26-8b5e-4e54-a9f1-5ea9a9a9f7d4"}
ENVELOPE: dict[str, Any] = {
    "id": "01932f5e-7f0a-7000-8000-000000000001",
    "entityFqdn": PROGRAM,
    "slug": "provisioned",
    "entityId": "01932f5e-7f0a-7000-8000-000000000002",
    "eventTime": "2026-11-28T09:00:00.000Z",
    "entityEventSequence": "2",
    "actionEvent": {"body": {"program": {"id": "p", "displayName": "Zehn für Ünal ✓"}}},
}
PROGRAM_CREATED: dict[str, Any] = {
    **{name: value for name, value in ENVELOPE.items() if name != "actionEvent"},
    "slug": "created",
    "entityEventSequence": "1",
    "createdEvent": {"entity": {"id": "p", "createdDate": "2026-11-28T09:00:00.000Z"}},
}


@pytest.fixture(scope="module", autouse=True)
def packages() -> None:
    """See to it that the packages are there."""
    ensure_js_packages()


@pytest.fixture(scope="module")
def key() -> SigningKey:
    return SigningKey.make()


def sign(key: SigningKey, envelope: dict[str, Any] = ENVELOPE, *, age: int = 0) -> str:
    return sign_jwt(
        json.dumps(envelope).encode(),
        type_=event_type(envelope["entityFqdn"], envelope["slug"]),
        instance_id="tenant",
        identity=IDENTITY,
        key=key,
        now=(int(time.time()) - age) * 1000,
    ).decode()


def receive(body: str, public_key: str, *handled: str) -> dict[str, Any]:
    done = subprocess.run(
        [node_executable(), "receive_webhooks.mjs"],
        cwd=PACKAGES,
        input=json.dumps({"body": body, "publicKey": public_key, "handled": handled}),
        capture_output=True,
        text=True,
        timeout=SCRIPT_SECONDS_MAX,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.mark.parametrize("encoded", [False, True])
def test_the_sdk_accepts_ours(key: SigningKey, *, encoded: bool) -> None:
    """``process`` and ``processRequest`` verify and parse a JWT, with the key in either form."""
    pem = base64.b64encode(key.public_pem.encode()).decode() if encoded else key.public_pem
    answer = receive(sign(key), pem)
    assert answer["processed"] == answer["requested"]
    assert answer["processed"] == {
        "eventType": PROVISIONED,
        "instanceId": "tenant",
        "identity": IDENTITY,
        "payload": ENVELOPE,
    }


def test_handler_of_an_action(key: SigningKey) -> None:
    """A handler for an action gets its body as data, and the rest of the envelope as metadata."""
    answer = receive(sign(key), key.public_pem, PROVISIONED, CREATED)
    assert [call["type"] for call in answer["calls"]] == [PROVISIONED, PROVISIONED]
    event = answer["calls"][0]["event"]
    assert event["data"] == {"program": {"_id": "p", "displayName": "Zehn für Ünal ✓"}}
    assert event["metadata"] == {
        "_id": ENVELOPE["id"],
        "entityFqdn": PROGRAM,
        "slug": "provisioned",
        "entityId": ENVELOPE["entityId"],
        "eventTime": "2026-11-28T09:00:00.000Z",
        "entityEventSequence": "2",
        "instanceId": "tenant",
        "identity": IDENTITY,
    }


def test_handler_of_a_creation(key: SigningKey) -> None:
    """A handler for a creation gets the entity."""
    answer = receive(sign(key, PROGRAM_CREATED), key.public_pem, CREATED)
    event = answer["calls"][0]["event"]
    assert event["entity"] == {"_id": "p", "_createdDate": "2026-11-28T09:00:00.000Z"}
    assert event["metadata"]["entityEventSequence"] == "1"


def test_a_type_without_a_handler_is_refused(key: SigningKey) -> None:
    """A client with handlers for other types alone doesn't take an event: known from its code."""
    answer = receive(sign(key), key.public_pem, CREATED)
    assert answer["processed"]["error"].startswith(f"Unexpected event type: {PROVISIONED}.")
    assert answer["calls"] == []


def test_the_package_has_no_handlers_of_its_own(key: SigningKey) -> None:
    """If a later package defines events, this test says so, and what we say of it must change."""
    assert receive(sign(key), key.public_pem)["definitions"] == []


def test_another_key_is_refused(key: SigningKey) -> None:
    """The SDK refuses an event that another key has signed, and calls no handler."""
    answer = receive(sign(SigningKey.make()), key.public_pem, PROVISIONED)
    assert answer["processed"] == answer["requested"]
    assert answer["processed"] == {"error": "signature verification failed"}
    assert answer["calls"] == []


def test_a_changed_event_is_refused(key: SigningKey) -> None:
    """Nobody can change what was signed."""
    head, claims, signature = sign(key).split(".")
    content = base64.urlsafe_b64decode(claims + "==").replace(b"tenant", b"thieve")
    changed = base64.urlsafe_b64encode(content).decode().rstrip("=")
    answer = receive(f"{head}.{changed}.{signature}", key.public_pem)
    assert answer["processed"] == {"error": "signature verification failed"}


def test_an_old_event_is_refused(key: SigningKey) -> None:
    """A JWT of long ago can't be sent again by who has caught it."""
    answer = receive(sign(key, age=JWT_SECONDS_MAX + 5), key.public_pem)
    assert "exp" in answer["processed"]["error"]
