"""The client asks for strict mode, and sends nothing that is refused in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from benefit_programs.client import (
    BenefitPrograms,
    Cascade,
    DetailsChange,
    PoolDefinitionChange,
    TimePeriod,
    ValidationError,
    policies,
)
from benefit_programs.client.core.wire import reads_nothing
from tests.support.gym import Gym

if TYPE_CHECKING:
    from tests.support.service import Server

STRANGE = {"query": {"limit": 1}}


def send_strange_field(client: BenefitPrograms) -> None:
    client._session.call("queryPrograms", reads_nothing, STRANGE)


def test_strange_fields_are_refused_unless_that_is_turned_off(server: Server) -> None:
    """A client is strict from the start; an option turns it off for it, or for single calls."""
    key = server.make_key()
    with BenefitPrograms(server.url, key) as client:
        with pytest.raises(ValidationError, match="belongs in cursorPaging"):
            send_strange_field(client)
        send_strange_field(client.with_options(strict=False))
    with BenefitPrograms(server.url, key, strict=False) as client:
        client.settings.update(strict_requests=True)
        assert client.settings.get().strict_requests
        send_strange_field(client)
        with pytest.raises(ValidationError):
            send_strange_field(client.with_options(strict=True))


def test_details_that_were_read_can_be_written_back(gym: Gym) -> None:
    """What the service has set in details isn't sent, so a change of what was read is taken."""
    client, definition = gym.client, gym.pool_definition
    expression = policies.at_most(1, TimePeriod.DAY)
    benefits = [
        msgspec.structs.replace(each, policy_expression=expression)
        for each in definition.details.benefits
    ]
    change = DetailsChange(benefits=benefits)
    limited = client.pool_definitions.update(
        definition.id,
        revision=definition.revision,
        cascade=Cascade.FUTURE_PROVISIONS,
        details=change,
    )
    again = client.pool_definitions.update(
        limited.id,
        revision=limited.revision,
        cascade=Cascade.FUTURE_PROVISIONS,
        details=limited.details,
    )
    assert again.details == limited.details
    entry = PoolDefinitionChange(
        id=again.id, revision=again.revision, details=DetailsChange(benefits=again.details.benefits)
    )
    answer = client.pool_definitions.bulk_update([entry], cascade=Cascade.FUTURE_PROVISIONS)
    assert not answer.failures
    copy = client.pool_definitions.create(namespace=gym.namespace, details=again.details)
    assert copy.details.item_set_id(benefits[0].benefit_key) != benefits[0].item_set_id
