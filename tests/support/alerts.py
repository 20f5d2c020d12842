"""Pools with alerts, and what was told of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benefit_programs.domain.calendars import ProgramTerms
from benefit_programs.domain.programs import ProvisionProgram
from benefit_programs.domain.values import Identity, IdentityType
from tests.support.calls import guid
from tests.support.lifecycle import do
from tests.support.wallet import Wallet, open_wallet

if TYPE_CHECKING:
    from tests.support.calls import Caller, Document
    from tests.support.inprocess import Service

ALERT_EVENT = "wix.benefit_programs.v1.pool_alert"


def below(key: str = "low", **options: str) -> Document:
    return {"alertKey": key, "type": "BALANCE_BELOW", "balanceBelowOptions": options}


def expiring(within: str, key: str = "expiring") -> Document:
    return {"alertKey": key, "creditsExpiringOptions": {"within": within}}


def lapsing(within: str, key: str = "lapsing") -> Document:
    return {"alertKey": key, "reservationLapsingOptions": {"within": within}}


def renewing(within: str, key: str = "renewing") -> Document:
    return {"alertKey": key, "renewalDueOptions": {"within": within}}


def ending(within: str, key: str = "ending") -> Document:
    return {"alertKey": key, "programEndingOptions": {"within": within}}


async def open_with_terms(
    service: Service, terms: ProgramTerms, *alerts: Document, **more: Any
) -> Wallet:
    """A wallet of a program that has terms, with alerts; ``more`` are details."""
    plan = await service.create_program_definition()
    place = {"programDefinitionIds": [plan["id"]]}
    first = await open_wallet(service, definition=place, alerts=list(alerts), **more)
    answer = await do(
        service,
        ProvisionProgram(
            beneficiary=Identity(IdentityType.MEMBER, guid()),
            namespace=plan["namespace"],
            external_id=guid(),
            program_definition_id=plan["id"],
            terms=terms,
        ),
    )
    (pool,) = await service.pools_of(answer.program.id)
    program = (await service.call("getProgram", {"programId": answer.program.id}))["program"]
    return Wallet(service, first.definition, program, pool["id"])


async def told(caller: Caller, pool_id: str) -> list[Document]:
    """What alerts of a pool have told, in the order of its events."""
    found = await caller.call("listEvents", {"entityId": pool_id, "paging": {"limit": 1_000}})
    return [
        each["actionEvent"]["body"]["alertDetails"]
        for each in found["events"]
        if each["slug"] == "alert"
    ]


async def keys_told(caller: Caller, pool_id: str) -> list[str]:
    return [each["alertKey"] for each in await told(caller, pool_id)]
