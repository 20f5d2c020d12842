"""The page about events names every event that is stored, and none that isn't."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx

from tests.docs.markdown import script_of

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = DOCS / "reference" / "events.md"
NAMESPACE = "studio"
APP = "0f7a4c1e-52b8-4f0b-9a55-3c6d1e8b7a90"
MEMBER = "3f1b6a52-9c84-4a7e-8e1d-60b7a9d2c415"
SECONDS_MAX = 60

BY_ITSELF = {
    ("program", "created"),
    ("pool", "updated+renewed+ended"),
    ("webhook_endpoint", "updated+paused"),
}
"""What happens only to programs that are too large for one request, or to failing endpoints."""


def documented_slugs() -> set[tuple[str, str]]:
    return set(re.findall(r"^\| `(\w+)` \| `([\w+]+)` \|", PAGE.read_text("utf-8"), re.MULTILINE))


class Studio:
    """Somebody who uses the whole API once."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def call(self, verb: str, path: str, body: Any = None, **parameters: str) -> Any:
        response = self._client.request(verb, path, json=body, params=parameters)
        assert response.status_code == httpx.codes.OK, response.text
        return response.json()

    def define(self, external_id: str) -> tuple[str, dict[str, Any]]:
        new = {"namespace": NAMESPACE, "externalId": external_id}
        program_definition = self.call("POST", "/program-definitions", {"programDefinition": new})
        benefit = {"benefitKey": "class", "price": "1", "providerAppId": APP}
        alert = {"alertKey": "nearly-empty", "balanceBelowOptions": {"amount": "5"}}
        details = {
            "benefits": [benefit],
            "creditConfiguration": {"amount": "5"},
            "alerts": [alert],
        }
        answer = self.call(
            "POST",
            "/pool-definitions",
            {"poolDefinition": {"namespace": NAMESPACE, "details": details}},
        )
        return program_definition["programDefinition"]["id"], answer["poolDefinition"]

    def change_definitions(self, program_definition: str, pool_definition: dict[str, Any]) -> None:
        body = {"programDefinition": {"id": program_definition, "revision": "1"}}
        self.call("PATCH", f"/program-definitions/{program_definition}", body)
        place = {"programDefinitionId": program_definition, "cascade": "FUTURE_PROVISIONS"}
        place["poolDefinitionId"] = pool_definition["id"]
        for action in ("assign", "remove", "assign"):
            self.call("POST", f"/pool-definitions/program-definition/{action}", place)
        body = {
            "poolDefinition": {"id": pool_definition["id"], "revision": "4", "displayName": "New"},
            "cascade": "IMMEDIATELY",
        }
        self.call("PATCH", f"/pool-definitions/{pool_definition['id']}", body)

    def change_items(self, pool_definition: dict[str, Any]) -> None:
        new = {
            "itemSetId": pool_definition["details"]["benefits"][0]["itemSetId"],
            "providerAppId": APP,
            "namespace": NAMESPACE,
        }
        self.call("POST", "/items", {"item": new | {"externalId": "yoga"}})
        item = self.call("POST", "/items", {"item": new | {"externalId": "box"}})["item"]["id"]
        self.call("PATCH", f"/items/{item}", {"item": {"id": item, "revision": "1"}})
        self.call("POST", f"/items/{item}/delete", {})

    def provision(self, program_definition: str, external_id: str) -> str:
        body = {
            "poolDefinitionLookupId": {"programDefinitionId": program_definition},
            "beneficiary": {"memberId": MEMBER},
            "namespace": NAMESPACE,
            "externalProgramId": external_id,
        }
        answer = self.call("POST", "/programs/provision", body)
        return answer["program"]["id"]  # type: ignore[no-any-return]

    def live(self, program: str) -> None:
        body = {"program": {"id": program, "revision": "2", "displayName": "New"}}
        self.call("PATCH", f"/programs/{program}", body)
        query = {"query": {"filter": {"programId": program}}}
        pool = self.call("POST", "/pools/query", query)["pools"][0]["id"]
        body = {"pool": {"id": pool, "revision": "1", "displayName": "New"}}
        self.call("PATCH", f"/pools/{pool}", body)
        common = {"namespace": NAMESPACE, "beneficiary": {"memberId": MEMBER}}
        redemption = common | {
            "poolId": pool,
            "benefitKey": "class",
            "itemReference": {"externalId": "yoga", "providerAppId": APP},
            "idempotencyKey": "1",
        }
        transaction = self.call("POST", "/benefits/redeem", redemption)["transactionId"]
        later = common | {
            "transactionId": transaction,
            "targetDate": "2027-01-31T12:00:00.000Z",
            "idempotencyKey": "1",
        }
        transaction = self.call("POST", "/benefits/reallocate", later)["transactionId"]
        body = {"transactionId": transaction, "idempotencyKey": "1"}
        self.call("POST", "/benefits/cancel-redemption", body)
        self.hold(redemption)
        grant = {"amount": "1", "expiresAfter": "P1D", "idempotencyKey": "1"}
        lot = self.call("POST", f"/balances/{pool}/grant", grant)["lot"]
        body = {"lot": {"id": lot["id"], "revision": "1", "priority": 1}}
        self.call("PATCH", f"/lots/{lot['id']}", body)
        for action in ("pause", "resume"):
            body = {"programId": program, "idempotencyKey": "1"}
            self.call("POST", f"/programs/{action}", body)

    def hold(self, redemption: dict[str, Any]) -> None:
        for key, end in (("2", "capture"), ("3", "cancel")):
            request = redemption | {"idempotencyKey": key}
            held = self.call("POST", "/benefits/reserve", request)["transactionId"]
            body = {"transactionId": held, "idempotencyKey": key}
            self.call("POST", f"/benefits/{end}-reservation", body)

    def clear_away(self, program_definition: str, pool_definition: str, program: str) -> None:
        path = f"/program-definitions/{program_definition}"
        self.call("DELETE", path, cascadeType="NEXT_RENEWAL")
        body = {"programId": program, "idempotencyKey": "1"}
        self.call("POST", "/programs/renew", body)
        path = f"/pool-definitions/{pool_definition}"
        self.call("DELETE", path, cascade="IMMEDIATELY")

    def tell(self) -> None:
        new = {"webhookEndpoint": {"url": "https://receiver.test/hooks", "active": False}}
        endpoint = self.call("POST", "/webhook-endpoints", new)["webhookEndpoint"]
        path = f"/webhook-endpoints/{endpoint['id']}"
        change = {"webhookEndpoint": {"id": endpoint["id"], "revision": "1", "description": "New"}}
        self.call("PATCH", path, change)
        self.call("DELETE", path)


def use_all(studio: Studio) -> None:
    program_definition, pool_definition = studio.define("membership")
    studio.provision(program_definition, "card")
    studio.change_items(pool_definition)
    studio.change_definitions(program_definition, pool_definition)
    # The first time there was nothing to make pools from.
    program = studio.provision(program_definition, "card")
    studio.live(program)
    studio.clear_away(program_definition, pool_definition["id"], program)
    studio.tell()


def test_page_names_all_events(environment: dict[str, str], tmp_path: Path) -> None:
    """Whatever is done through the API stores events that the page names, and no others."""
    script = tmp_path / "tour.py"
    script.write_text(script_of(DOCS / "tour" / "gym.md", "python"), "utf-8")
    subprocess.run(
        [sys.executable, str(script)], env=os.environ | environment, check=True, timeout=SECONDS_MAX
    )
    with httpx.Client(
        base_url=environment["BENEFITS_URL"] + "/benefit-programs/v1",
        headers={"authorization": environment["BENEFITS_API_KEY"]},
        trust_env=False,
    ) as client:
        use_all(Studio(client))
    file = Path(environment["BENEFITS_DATA_DIR"]) / "benefits.sqlite3"
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        stored = set(connection.execute("select distinct entity, slug from events"))
    assert documented_slugs() - BY_ITSELF == stored
