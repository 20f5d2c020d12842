"""Events as their receivers get them: signed, in one of two formats.

**Standard Webhooks** (standardwebhooks.com). The body is the envelope as JSON; three headers carry
the event's id, the time, and a signature with each secret that is valid.

**The JWT of Wix webhooks.** The body is the text of a JWT (RS256) and nothing else. What receivers
expect of it is what ``webhooks.process`` and ``processRequest`` of @wix/sdk 1.21.16 do with it:

- ``AppStrategy`` verifies the signature and ``exp``, with the clock of the receiver and without
  leeway. Its ``publicKey`` is the key as PEM, or that PEM in base64. Issuer and audience are not
  looked at, and ``kid`` neither. There is no ``aud`` here, for other libraries refuse one that
  they weren't told of.
- The claim ``data`` is a text of JSON: an object with ``eventType``, ``instanceId``, and as texts
  of JSON ``identity`` (may be missing) and ``data``, the envelope.
- ``eventType`` is ``<entityFqdn>_<slug>``, such as ``wix.benefit_programs.v1.program_provisioned``.
- If the client has handlers, and none for this type, ``process`` raises an error: a receiver with
  handlers for some types should subscribe to these types alone, or name the others in
  ``expectedEvents``. Without any handlers it only returns what it has parsed.
- A handler gets ``{entity, metadata}`` from ``createdEvent.entity``, ``updatedEvent.currentEntity``
  or ``deletedEvent.deletedEntity``, and ``{data, metadata}`` from ``actionEvent.body``. All of them
  are objects in the envelope; a text would reach the handler as a text.
- ``metadata`` is the rest of the envelope, with ``instanceId`` and ``identity``. All of it is
  passed on as it is, ``entityEventSequence`` as the text that it is on the wire. Only the
  handler's own definition changes something: those that are generated for other modules make
  ``_id`` of ``id``, ``_createdDate`` of ``createdDate`` and so on, and Dates of ``eventTime`` and
  of the entity's dates.

@wix/benefit-programs 1.0.263 has no definition of any event: there is no ``onProgramProvisioned``,
nor any other handler for any type of docs/reference/events.md, though its types describe the
envelope and some bodies (``ProgramProvisioned``). A receiver that wants handlers defines them as
the generated ones of other modules are defined, one for each type:

    import { AppStrategy, createClient, EventDefinition } from "@wix/sdk";

    const type = "wix.benefit_programs.v1.program_provisioned";
    const modules = { onProgramProvisioned: EventDefinition(type, true)() };
    const client = createClient({ auth: AppStrategy({ appId, publicKey }), modules });
    client.onProgramProvisioned(({ data, metadata }) => ...);
    await client.webhooks.process(body);
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache

import jwt
from standardwebhooks import Webhook

from benefit_programs.delivery.keys import ALGORITHM, SigningKey
from benefit_programs.domain.values import Instant

JWT_SECONDS_MAX = 3_600
"""How long a JWT is valid: receivers may put it in a queue first, and their clocks may be off."""

SIGNERS_MAX = 1_000
"""How many secrets a process keeps ready to sign with."""


def standard_headers(
    body: bytes, *, event_id: str, secrets: Sequence[str], now: Instant
) -> dict[str, str]:
    """The headers that sign a body with each of the secrets, the newest first.

    ``event_id`` is the same in each attempt, ``now`` is the attempt's.
    """
    at, text = datetime.fromtimestamp(now // 1000, UTC), body.decode()
    signatures = (_webhook(secret).sign(event_id, at, text) for secret in secrets)
    return {
        "content-type": "application/json",
        "webhook-id": event_id,
        "webhook-timestamp": str(now // 1000),
        "webhook-signature": " ".join(signatures),
    }


_webhook = lru_cache(SIGNERS_MAX)(Webhook)


def event_type(entity_fqdn: str, slug: str) -> str:
    """What receivers call an event: ``eventType``."""
    return f"{entity_fqdn}_{slug}"


def sign_jwt(
    envelope: bytes,
    *,
    type_: str,
    instance_id: str,
    key: SigningKey,
    now: Instant,
    identity: Mapping[str, str] | None = None,
) -> bytes:
    """The body of a request: the envelope, which is JSON, in a JWT of the moment.

    ``instance_id`` says whose the event is. ``identity`` is as the contract writes those of
    webhooks: ``identityType`` and one of ``memberId``, ``wixUserId`` and so on.
    """
    content = {"data": envelope.decode(), "instanceId": instance_id, "eventType": type_}
    if identity is not None:
        content["identity"] = json.dumps(identity)
    seconds = now // 1000
    claims = {"data": json.dumps(content), "iat": seconds, "exp": seconds + JWT_SECONDS_MAX}
    return jwt.encode(claims, key.private, ALGORITHM, headers={"kid": key.id}).encode()
