"""Settings of a tenant, changed at one server and gone by at another."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest

from benefit_programs.storage.schema import migrate
from tests.support.calls import Caller, benefit
from tests.support.inprocess import new_tenant, open_application
from tests.support.wallet import open_wallet

if TYPE_CHECKING:
    from tests.support.calls import Document

pytestmark = pytest.mark.anyio

MORNING = {"fromHour": 6, "toHour": 9}
# Six in Berlin, four in Greenwich.
SIX = "2030-07-01T04:00:00Z"


def open_at(interval: Document) -> Document:
    options = {"type": "FIXED_INTERVAL", "fixedIntervalOptions": interval}
    return {"type": "POLICY", "policyOptions": options}


async def test_a_change_that_was_answered_holds_everywhere(postgres_url: str) -> None:
    """Once a change of settings is answered no server judges by the old ones, however soon."""
    await migrate(postgres_url)
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(open_application(postgres_url))
        _, client = await stack.enter_async_context(open_application(postgres_url))
        service = await new_tenant(*first)
        wallet = await open_wallet(service, benefit("towel", policyExpression=open_at(MORNING)))
        other = Caller(client, service.key)
        for zone, result in (
            ("Europe/Berlin", "ELIGIBLE_BENEFIT"),
            ("UTC", "POLICY_EXPRESSION_EVALUATED_TO_FALSE"),
            ("Europe/Berlin", "ELIGIBLE_BENEFIT"),
        ):
            question = wallet.question(targetDate=SIX)
            await other.call("checkBenefitEligibility", question)
            await service.call("updateSettings", {"settings": {"timeZone": zone}})
            answer = await other.call("checkBenefitEligibility", question)
            assert [each["type"] for each in answer["result"]["benefitResults"]] == [result]
