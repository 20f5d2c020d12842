"""The client's side of webhooks: endpoints, and what arrives at them."""

from __future__ import annotations

import hashlib
import hmac
import json
import subprocess
import sys
import time
from base64 import b64decode, b64encode
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from benefit_programs.client import (
    DeliveryLog,
    DeliveryOrigin,
    DeliveryStatus,
    InvalidRevision,
    Pool,
    ValidationError,
    Webhook,
    WebhookEndpointNotFound,
    WebhookFormat,
    WebhookNotVerified,
    WebhookStatus,
    WrongArgument,
)
from benefit_programs.delivery.keys import SigningKey
from benefit_programs.delivery.signing import sign_jwt, standard_headers
from benefit_programs.delivery.signing_secrets import make_signing_secret

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benefit_programs.client import BenefitPrograms, CreatedWebhookEndpoint, DomainEvent
    from tests.support.blocking import Portal
    from tests.support.gym import Gym
    from tests.support.receiver import Receiver

ENGINES = ["sqlite"]
"""What the client sends and reads doesn't depend on the store."""

REDEEMED = "wix.benefit_programs.v1.pool_benefit_redeemed"
PROVISIONED = "wix.benefit_programs.v1.pool_provisioned"


@contextmanager
def endpoint_at(receiver: Receiver, gym: Gym, **fields: Any) -> Iterator[CreatedWebhookEndpoint]:
    """An endpoint for the events of the gym's namespace."""
    webhooks = gym.client.webhooks
    created = webhooks.create(receiver.url, namespaces=[gym.namespace], **fields)
    yield created
    webhooks.delete(created.webhook_endpoint.id)


def wait_for(portal: Portal, receiver: Receiver, count: int) -> None:
    portal.run(receiver.until(lambda: len(receiver.taken) >= count))


def test_endpoint_lives(client: BenefitPrograms, gym: Gym) -> None:
    """An endpoint is made, found, changed, cleared and deleted."""
    url = f"https://example.com/{gym.namespace}"
    created = client.webhooks.create(url, event_types=[REDEEMED], description="Items", active=False)
    endpoint = created.webhook_endpoint
    assert created.secret.startswith("whsec_")
    assert (endpoint.status, endpoint.format) == (WebhookStatus.INACTIVE, WebhookFormat.STANDARD)
    assert client.webhooks.get(endpoint.id) == endpoint
    assert endpoint in client.webhooks.query({"status": WebhookStatus.INACTIVE}).to_list()
    changed = client.webhooks.update(
        endpoint.id,
        revision=endpoint.revision,
        active=True,
        description=None,
        namespaces=[gym.namespace],
        delivery_log=DeliveryLog.FAILURES,
    )
    assert (changed.active, changed.description, changed.event_types) == (True, None, (REDEEMED,))
    with pytest.raises(InvalidRevision):
        client.webhooks.update(endpoint.id, revision=endpoint.revision, active=False)
    cleared = client.webhooks.update(
        endpoint.id, revision=changed.revision, field_mask=["event_types"]
    )
    assert cleared.event_types == ()
    client.webhooks.delete(endpoint.id)
    with pytest.raises(WebhookEndpointNotFound):
        client.webhooks.get(endpoint.id)


def test_wrong_endpoint_is_refused(client: BenefitPrograms) -> None:
    """Every wrong field is told, a URL that stands for a function too."""
    with pytest.raises(ValidationError) as caught:
        client.webhooks.create("in-process:mine", event_types=["nothing"])
    assert [each.field for each in caught.value.violations] == [
        "webhookEndpoint.url",
        "webhookEndpoint.eventTypes[0]",
    ]


def test_events_are_verified_and_typed(
    client: BenefitPrograms, gym: Gym, receiver: Receiver, portal: Portal
) -> None:
    """What arrives is verified with the secret, and tells of the entity in the client's types."""
    with endpoint_at(receiver, gym, event_types=[REDEEMED]) as created:
        _, pool = gym.provision()
        gym.redeem(pool)
        wait_for(portal, receiver, 1)
        progress = client.webhooks.progress(created.webhook_endpoint.id)
    (taken,) = receiver.taken
    event = Webhook.verify(taken.headers, taken.body, created.secret)
    assert (event.type, event.entity_id, event.namespace) == (REDEEMED, pool.id, gym.namespace)
    assert isinstance(event.entity, Pool)
    assert event.entity.beneficiary == pool.beneficiary
    assert event.body["redemptionDetails"]["itemCount"] == 1
    assert event.entity_event_sequence == 3
    assert progress.cursor


def test_every_entity_is_typed(client: BenefitPrograms, gym: Gym) -> None:
    """The entity of each event in the feed is read as its own type, with its namespace."""
    program, pool = gym.provision()
    client.lots.grant(pool.id, Decimal(1))
    gym.redeem(pool)
    client.items.delete(gym.item.id)
    client.programs.end(program.id)
    hook = client.webhooks.create("https://example.com/", namespaces=[gym.namespace], active=False)
    client.webhooks.delete(hook.webhook_endpoint.id)
    events = [each for page in client.events.pages() for each in page.events]
    kinds = {type(each.entity).__name__ for each in events}
    assert kinds == {
        *("ProgramDefinition", "PoolDefinition", "Item", "Program", "Pool", "Lot"),
        *("Balance", "Transaction", "WebhookEndpoint"),
    }
    mine = [each for each in events if each.namespace == gym.namespace]
    assert {each.entity_id for each in mine} >= {program.id, pool.id, gym.program_definition.id}
    assert all(each.entity is not None and each.entity.id == each.entity_id for each in mine)


def test_deliveries_are_seen_and_made_again(
    client: BenefitPrograms, gym: Gym, receiver: Receiver, portal: Portal
) -> None:
    """The log shows a delivery with its attempts; it is resent, replayed, and tried."""
    with endpoint_at(receiver, gym, event_types=[REDEEMED]) as created:
        endpoint_id = created.webhook_endpoint.id
        _, pool = gym.provision()
        gym.redeem(pool)
        wait_for(portal, receiver, 1)
        delivery = delivered(client, endpoint_id)
        assert (delivery.event_type, delivery.entity_id) == (REDEEMED, pool.id)
        assert [each.status_code for each in delivery.attempts] == [200]
        client.webhooks.resend(delivery.id)
        wait_for(portal, receiver, 2)
        since = delivery.created_date.replace(year=2020)
        assert client.webhooks.replay(endpoint_id, since=since, entity_id=pool.id) == 1
        wait_for(portal, receiver, 3)
        assert client.webhooks.replay(endpoint_id, since=since) == 0
        wait_for(portal, receiver, 4)
        tested = client.webhooks.test(endpoint_id)
        assert tested.success
        assert tested.attempt.status_code == 200
    taken = [Webhook.verify(each.headers, each.body, created.secret) for each in receiver.taken]
    (test,) = (each for each in taken if each.slug == "tested")
    assert {each.id for each in taken} == {delivery.event_id, test.id}
    assert (test.entity, test.entity_event_sequence) == (None, 0)


def delivered(client: BenefitPrograms, endpoint_id: str) -> Any:
    """The delivery in the log, once it is there as delivered."""
    wanted = {"webhook_endpoint_id": endpoint_id, "status": DeliveryStatus.DELIVERED}
    for _ in range(10_000):
        found = client.webhooks.query_deliveries(wanted).first()  # type: ignore[arg-type]
        if found is not None:
            assert found.origin == DeliveryOrigin.FEED
            return found
    raise AssertionError("the delivery isn't in the log")


def test_secret_is_rotated(
    client: BenefitPrograms, gym: Gym, receiver: Receiver, portal: Portal
) -> None:
    """For a time both secrets verify; without it only the new one does."""
    with endpoint_at(receiver, gym) as created:
        endpoint_id = created.webhook_endpoint.id
        second = client.webhooks.rotate_secret(endpoint_id, keep_old_hours=1)
        client.webhooks.test(endpoint_id)
        third = client.webhooks.rotate_secret(endpoint_id, keep_old_hours=0)
        client.webhooks.test(endpoint_id)
    wait_for(portal, receiver, 2)
    both, one = receiver.taken[-2:]
    for secret in (created.secret, second, [third, second]):
        assert Webhook.verify(both.headers, both.body, secret).slug == "tested"
    assert Webhook.verify(one.headers, one.body, third).slug == "tested"
    with pytest.raises(WebhookNotVerified, match="signatures"):
        Webhook.verify(one.headers, one.body, [created.secret, second])


def test_jwt_is_verified(
    client: BenefitPrograms, gym: Gym, receiver: Receiver, portal: Portal
) -> None:
    """An endpoint of the format JWT is verified with the public keys; a rotated one signs."""
    with endpoint_at(receiver, gym, format=WebhookFormat.JWT) as created:
        endpoint_id = created.webhook_endpoint.id
        old = client.webhooks.keys()[0]
        client.webhooks.test(endpoint_id)
        new = client.webhooks.rotate_key()
        assert [each.id for each in client.webhooks.keys()[:2]] == [new.id, old.id]
        client.webhooks.test(endpoint_id)
    wait_for(portal, receiver, 2)
    before, after = receiver.taken[-2:]
    assert Webhook.verify_jwt(before.body, old.public_key).entity_id == endpoint_id
    assert Webhook.verify_jwt(after.body, [old.public_key, new.public_key]).slug == "tested"
    with pytest.raises(WebhookNotVerified, match="isn't signed"):
        Webhook.verify_jwt(after.body, old.public_key)


SECRET = make_signing_secret()
EVENT = {
    "id": "5e0c9a52-7a80-4d3b-9c6f-0d8f5b1f4a11",
    "entityFqdn": "wix.benefit_programs.v1.thing",
    "slug": "moved",
    "entityId": "5e0c9a52-7a80-4d3b-9c6f-0d8f5b1f4a12",
    "eventTime": "2026-11-28T10:00:00.000Z",
    "entityEventSequence": "7",
    "actionEvent": {"body": {"thing": {"id": "x"}}},
}
BODY = json.dumps(EVENT).encode()


def signed(*, body: bytes = BODY, seconds_ago: float = 0, secret: str = SECRET) -> dict[str, str]:
    now = round((time.time() - seconds_ago) * 1000)
    return standard_headers(body, event_id="event", secrets=[secret], now=now)


def verified(headers: Any, body: bytes = BODY) -> DomainEvent:
    return Webhook.verify(headers, body, SECRET)


def test_unknown_event_is_given_as_it_is() -> None:
    """An event of a newer service has no entity, but its body."""
    event = verified(signed())
    assert (event.type, event.entity, event.namespace) == (
        "wix.benefit_programs.v1.thing_moved",
        None,
        None,
    )
    assert (event.body, event.entity_event_sequence) == ({"thing": {"id": "x"}}, 7)


def test_headers_come_in_any_form() -> None:
    """Names in any case, and the pairs of bytes that ASGI has, are read."""
    assert verified({name.title(): value for name, value in signed().items()})
    assert verified([(name.encode(), value.encode()) for name, value in signed().items()])


@pytest.mark.parametrize("away", [-295, 295])
def test_clocks_may_differ(away: float) -> None:
    """Almost five minutes, either way, are allowed."""
    assert verified(signed(seconds_ago=away))


@pytest.mark.parametrize("away", [-305, 305])
def test_old_and_early_requests_are_refused(away: float) -> None:
    """More than five minutes are not, however well they are signed."""
    with pytest.raises(WebhookNotVerified, match="300 are allowed"):
        verified(signed(seconds_ago=away))


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_each_header_is_needed_and_signed(name: str) -> None:
    """A header that is missing or changed is refused."""
    headers = signed()
    without = {each: value for each, value in headers.items() if each != name}
    with pytest.raises(WebhookNotVerified, match=f"{name} is missing"):
        verified(without)
    for changed in ("x", headers[name][:-1], "v1a,x v2,x", "\N{SNOWMAN}"):
        with pytest.raises(WebhookNotVerified):
            verified({**headers, name: changed})


def test_changed_body_is_refused() -> None:
    """A single byte more is no longer what was signed."""
    with pytest.raises(WebhookNotVerified, match="signatures"):
        verified(signed(), BODY + b" ")


def test_one_of_several_signatures_is_enough() -> None:
    """Signatures of unknown versions and with other secrets are passed over."""
    headers = signed()
    other = signed(secret=make_signing_secret())["webhook-signature"]
    found = {**headers, "webhook-signature": f"v9,abc {other} {headers['webhook-signature']}"}
    assert verified(found).id == EVENT["id"]


def test_signed_nonsense_is_refused() -> None:
    """A body that is no event is refused, though it is signed."""
    for body in (b"[]", b"{}", b"\xff", b'{"id": 1}'):
        with pytest.raises(WebhookNotVerified, match="no event"):
            verified(signed(body=body), body) if body != b"\xff" else verify_bytes(body)


def verify_bytes(body: bytes) -> DomainEvent:
    """What a signer of bytes would have sent."""
    token = signed(body=b"{}")
    key = SECRET.removeprefix("whsec_")
    content = b".".join((b"event", token["webhook-timestamp"].encode(), body))
    signature = b64encode(hmac.digest(b64decode(key), content, hashlib.sha256)).decode()
    return verified({**token, "webhook-signature": f"v1,{signature}"}, body)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_???", []])
def test_wrong_secret_is_told(secret: Any) -> None:
    """A secret that can't be one is the caller's mistake, not the sender's."""
    with pytest.raises(WrongArgument):
        Webhook.verify(signed(), BODY, secret)


KEY = SigningKey.make()


def jwt_of(**changes: Any) -> bytes:
    given = {"type_": "x", "instance_id": "site", "key": KEY, "now": round(time.time() * 1000)}
    return sign_jwt(BODY, **{**given, **changes})


def test_jwt_gives_the_same_event() -> None:
    """The event in a JWT is that of the other format, however the token and the key come."""
    assert Webhook.verify_jwt(jwt_of(), KEY.public_pem) == verified(signed())
    assert Webhook.verify_jwt(jwt_of().decode(), [KEY.public_pem]).id == EVENT["id"]


def test_jwt_must_be_signed_and_young() -> None:
    """One that has expired, is cut, or has no signature is refused."""
    an_hour_ago = round(time.time() * 1000) - 3_601_000
    unsigned = b"eyJhbGciOiJub25lIn0.e30."
    for token in (jwt_of(now=an_hour_ago), jwt_of()[:-4], unsigned, b"", b"\xff"):
        with pytest.raises(WebhookNotVerified):
            Webhook.verify_jwt(token, KEY.public_pem)
    with pytest.raises(WrongArgument):
        Webhook.verify_jwt(jwt_of(), "no key")


@pytest.mark.parametrize("missing", ["jwt", "cryptography"])
def test_missing_extra_is_told(missing: str) -> None:
    """Without the extra, JWTs end with what to install; the other format needs nothing more."""
    headers, token = signed(), jwt_of()
    code = f"""
import sys
sys.modules["{missing}"] = None
from benefit_programs.client import JwtNotInstalled, Webhook
assert Webhook.verify({headers!r}, {BODY!r}, {SECRET!r}).slug == "moved"
try:
    Webhook.verify_jwt({token!r}, {KEY.public_pem!r})
except JwtNotInstalled as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "benefit-programs-client[webhooks]" in done.stdout, done.stderr
