"""Pools with alerts, and what was told of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benefit_programs.domain.calendars import ProgramTerms
from benefit_programs.domain.values import Identity, IdentityType
from benefit_programs.transfer.commands import ImportProgram, ProvisionStated
from benefit_programs.transfer.records import Named
from benefit_programs.wire.codec import instant_text
from tests.support.calls import guid
from tests.support.dated import join
from tests.support.lifecycle import do, run_jobs
from tests.support.wallet import Wallet, open_wallet

if TYPE_CHECKING:
    from tests.support.calls import Caller, Document
    from tests.support.clock import Clock
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
    return await join(service, (plan, first.definition), terms)


async def import_with(service: Service, *alerts: Document, **stated: Any) -> str:
    """A program that is imported, of which so much is stated; the id of its pool with alerts."""
    plan = await service.create_program_definition()
    place = {"programDefinitionIds": [plan["id"]]}
    await open_wallet(service, definition=place, alerts=list(alerts))
    named = Named(external_program_id="imported", namespace=plan["namespace"], **stated)
    provision = ProvisionStated(
        beneficiary=Identity(IdentityType.MEMBER, guid()),
        namespace=plan["namespace"],
        external_id="imported",
        program_definition_id=plan["id"],
        named=named,
    )
    (pool,) = (await do(service, ImportProgram(provision=provision, named=named))).pools
    return pool.id


async def grant(wallet: Wallet, amount: str, expires: int, **more: Any) -> str:
    """Grant credits that expire at an instant; the id of their lot."""
    request = {
        "poolId": wallet.pool_id,
        "amount": amount,
        "idempotencyKey": guid(),
        "expirationDate": instant_text(expires),
        **more,
    }
    return (await wallet.caller.call("grantCredits", request))["lot"]["id"]  # type: ignore[no-any-return]


async def change_alerts(wallet: Wallet, *alerts: Document, cascade: str = "IMMEDIATELY") -> None:
    """Give the pool definition, as it is now, other alerts."""
    current = wallet.definition
    read = await wallet.caller.call("getPoolDefinition", {"poolDefinitionId": current["id"]})
    change = {
        "id": current["id"],
        "revision": read["poolDefinition"]["revision"],
        "details": {"alerts": list(alerts)},
    }
    await wallet.caller.call("updatePoolDefinition", {"poolDefinition": change, "cascade": cascade})


async def pass_time(service: Service, clock: Clock, milliseconds: int) -> None:
    """Let time pass, and what is due then happen."""
    clock.now += milliseconds
    await run_jobs(service)


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
