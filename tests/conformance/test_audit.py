"""Every method that changes something leaves an audit entry, which names what it has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from benefit_programs.api.methods import METHODS
from benefit_programs.domain.audit_rows import AuditEntry
from tests.conformance.world import REQUESTS, UNLIKE, World, prepare, settle

if TYPE_CHECKING:
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

NEW = "new"

NAMED: dict[str, tuple[str, str]] = {
    "createProgramDefinition": ("PROGRAM_DEFINITION", NEW),
    "updateProgramDefinition": ("PROGRAM_DEFINITION", "program_definition"),
    "deleteProgramDefinition": ("PROGRAM_DEFINITION", "program_definition"),
    "createPoolDefinition": ("POOL_DEFINITION", NEW),
    "bulkCreatePoolDefinitions": ("POOL_DEFINITION", NEW),
    "updatePoolDefinition": ("POOL_DEFINITION", "pool_definition"),
    "bulkUpdatePoolDefinitions": ("POOL_DEFINITION", "pool_definition"),
    "deletePoolDefinition": ("POOL_DEFINITION", "pool_definition"),
    "bulkDeletePoolDefinitions": ("POOL_DEFINITION", "pool_definition"),
    "addPoolDefinitionToProgramDefinition": ("POOL_DEFINITION", "other_pool_definition"),
    "removePoolDefinitionFromProgramDefinition": ("POOL_DEFINITION", "other_pool_definition"),
    "provisionProgram": ("PROGRAM", NEW),
    "renewProgram": ("PROGRAM", "program"),
    "pauseProgram": ("PROGRAM", "program"),
    "resumeProgram": ("PROGRAM", "program"),
    "endProgram": ("PROGRAM", "program"),
    "updateProgram": ("PROGRAM", "program"),
    "scheduleProgramChange": ("SCHEDULED_CHANGE", NEW),
    "withdrawScheduledChange": ("SCHEDULED_CHANGE", "scheduled_change"),
    "updatePool": ("POOL", "pool"),
    "bulkUpdatePools": ("POOL", "pool"),
    "redeemBenefit": ("TRANSACTION", NEW),
    "redeemEligible": ("TRANSACTION", NEW),
    "reallocateBenefit": ("TRANSACTION", NEW),
    "cancelRedemption": ("TRANSACTION", NEW),
    "cancelByReference": ("TRANSACTION", NEW),
    "moveRedemption": ("TRANSACTION", NEW),
    "reserveBenefit": ("TRANSACTION", NEW),
    "captureBenefitReservation": ("TRANSACTION", NEW),
    "cancelBenefitReservation": ("TRANSACTION", NEW),
    "bulkRedeemBenefits": ("TRANSACTION", NEW),
    "bulkReserveBenefits": ("TRANSACTION", NEW),
    "bulkCaptureBenefitReservations": ("TRANSACTION", NEW),
    "bulkCancelBenefitReservations": ("TRANSACTION", NEW),
    "changeBalance": ("TRANSACTION", NEW),
    "revertBalanceChange": ("TRANSACTION", NEW),
    "grantCredits": ("TRANSACTION", NEW),
    "updateLot": ("LOT", "lot"),
    "expireLot": ("LOT", "lot"),
    "createItem": ("ITEM", NEW),
    "bulkCreateItems": ("ITEM", NEW),
    "updateItem": ("ITEM", "item"),
    "bulkUpdateItems": ("ITEM", "item"),
    "deleteItem": ("ITEM", "item"),
    "bulkDeleteItems": ("ITEM", "item"),
    "bulkDeleteItemsByFilter": ("JOB", NEW),
    "addItemsToBenefit": ("ITEM", NEW),
    "removeItemsFromBenefit": ("ITEM", NEW),
    "updateSettings": ("TENANT", NEW),
    "eraseBeneficiary": ("JOB", NEW),
    "mergeBeneficiary": ("JOB", NEW),
    "createWebhookEndpoint": ("WEBHOOK_ENDPOINT", NEW),
    "updateWebhookEndpoint": ("WEBHOOK_ENDPOINT", "endpoint"),
    "deleteWebhookEndpoint": ("WEBHOOK_ENDPOINT", "endpoint"),
    "rotateWebhookSecret": ("WEBHOOK_ENDPOINT", "endpoint"),
    "replayWebhookEndpoint": ("WEBHOOK_ENDPOINT", "endpoint"),
    "resendWebhookDelivery": ("WEBHOOK_ENDPOINT", "endpoint"),
    "rotateWebhookKey": ("WEBHOOK_KEY", NEW),
    "setPerson": ("PERSON", NEW),
    "bulkSetPeople": ("PERSON", NEW),
    "updatePerson": ("PERSON", "person"),
    "deletePerson": ("PERSON", "person"),
    "createApiKey": ("API_KEY", NEW),
    "revokeApiKey": ("API_KEY", "api_key"),
    "inviteConsoleUser": ("CONSOLE_USER", "console_user"),
    "revokeConsoleUser": ("CONSOLE_USER", "console_user"),
}
"""What the entry of each method names: the kind of entity, and which one of the world it is."""

READING = (
    *("get", "list", "query", "find", "lookUp", "search"),
    *("count", "check", "bulkCheck", "preview", "export"),
)
"""How the names of methods begin that change nothing."""

ELSEWHERE = {"setClock", "testWebhookEndpoint", "createTenant", "retryAsyncJob", "cancelAsyncJob"}
"""A test changes nothing; contract/test_audit.py has a sandbox, another tenant and failed jobs."""

NOBODY_S = {"PROGRAM_DEFINITION", "POOL_DEFINITION", "TENANT"}
"""What reasons may be about that is no person's."""


def test_every_method_is_told_of() -> None:
    """No method that changes something is left out."""
    changing = {name for name in METHODS if not name.startswith(READING)}
    assert changing == NAMED.keys() | ELSEWHERE


async def test_entries_name_what_was_changed(service: Service) -> None:
    """Each method leaves one entry of its own, with its name, its entity and its request id."""
    world, found = await settle(service), {}
    for method in NAMED:
        response, told = await _try(service, world, method)
        if response.status_code != httpx.codes.OK or not told:
            world = await settle(service)
            await prepare(service, world, method)
            response, told = await _try(service, world, method)
        assert response.status_code == httpx.codes.OK, response.text
        (entry,) = told
        kind = "TRANSACTION" if entry.entity is None else str(entry.entity)
        names = {value: name for name, value in zip(world._fields, world, strict=True)}
        found[method] = (kind, names.get(entry.entity_id or entry.id, NEW))
        assert _may_be_erased(entry) or not _takes_reason(method) or kind in NOBODY_S, method
    assert found == NAMED


def _takes_reason(method: str) -> bool:
    return "reason" in METHODS[method].request.__struct_fields__


def _may_be_erased(entry: AuditEntry) -> bool:
    """Whether an erasure can tell whom the reason of an entry is about."""
    return entry.entity is None or any((entry.program_id, entry.pool_id, entry.subject_id))


async def _try(
    service: Service, world: World, method: str
) -> tuple[httpx.Response, list[AuditEntry]]:
    """Call a method, and find the entries that its request has left."""
    request = REQUESTS[method](world) | UNLIKE.get(method, {})
    response = await service.send(method, request, x_request_id=f"{method}.{world.pool}")
    return response, [
        row
        for row in await service.rows(AuditEntry)
        if (row.method, row.request_id) == (method, f"{method}.{world.pool}")
    ]
