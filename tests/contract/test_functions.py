"""Endpoints that stand for functions of a process."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from benefit_programs.domain.settings import TenantSettings
from benefit_programs.domain.values import Identity, IdentityType
from benefit_programs.domain.webhooks.deliveries import ClaimEndpoint, RecordDeliveries
from benefit_programs.domain.webhooks.endpoints import RegisterFunction
from benefit_programs.domain.webhooks.rows import WebhookStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

REGISTER = RegisterFunction(url="in-process:mail", position=0, event_types=("x",))


def executing(service: Service) -> Callable[..., Any]:
    """What runs commands for the service's tenant."""
    return partial(
        service.engine.execute,
        tenant_id=service.tenant.id,
        caller=Identity(IdentityType.UNKNOWN, "test"),
        settings=TenantSettings(),
    )


async def test_paused_function_goes_on_once_it_is_registered(service: Service) -> None:
    """Its endpoint is the same, active again, and its progress where it was."""
    execute = executing(service)
    first = await execute(REGISTER)
    assert await execute(REGISTER) == first
    claim = await execute(ClaimEndpoint(owner="us", endpoint_id=first.id))
    assert (claim.progress.position, claim.receiver.secrets) == (0, ())
    await execute(
        RecordDeliveries(owner="us", endpoint_id=first.id, position=7, pause_reason="it failed")
    )
    paused = await service.call("getWebhookEndpoint", {"webhookEndpointId": first.id})
    assert paused["webhookEndpoint"]["status"] == "PAUSED"
    again = await execute(REGISTER)
    assert (again.id, again.status, again.pause_reason) == (first.id, WebhookStatus.ACTIVE, None)
    claim = await execute(ClaimEndpoint(owner="us", endpoint_id=first.id))
    assert claim.progress.position == 7


async def test_function_may_be_given_a_secret(service: Service) -> None:
    """A rotation makes the first secret where there is none; both ways of keeping the old work."""
    endpoint = await executing(service)(REGISTER)
    for hours in (0, 24):
        answer = await service.call(
            "rotateWebhookSecret", {"webhookEndpointId": endpoint.id, "keepOldHours": hours}
        )
        assert answer["secret"].startswith("whsec_")


async def test_function_of_another_process_is_told(service: Service) -> None:
    """A server that has no such function says so when it is asked for a test."""
    endpoint = await executing(service)(REGISTER)
    answer = await service.call("testWebhookEndpoint", {"webhookEndpointId": endpoint.id})
    assert not answer["success"]
    assert answer["attempt"]["error"] == "this process has no function of that name"
