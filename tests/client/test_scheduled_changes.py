"""Changes with a date through the client: sync and async, over HTTP and in process."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from benefit_programs.client import (
    AlreadyExecuted,
    Cascade,
    ChangeKind,
    ChangeStatus,
    ScheduledChangeNotFound,
    ScheduledChangeOver,
)

if TYPE_CHECKING:
    from benefit_programs.client import BenefitPrograms
    from tests.support.gym import Gym

ENGINES = ["sqlite"]

SUMMER, AUTUMN = datetime(2090, 7, 1, tzinfo=UTC), datetime(2090, 9, 1, tzinfo=UTC)


def test_changes_are_scheduled_found_and_withdrawn(client: BenefitPrograms, gym: Gym) -> None:
    """A pause, its end by hand and the end of a program wait, in the order of their dates."""
    program = gym.provision()[0].id
    end = client.programs.schedule_end(program, date=AUTUMN)
    pause = client.programs.schedule_pause(program, date=SUMMER, until_date=AUTUMN)
    resume = client.programs.schedule_resume(program, date=AUTUMN)
    assert (pause.kind, pause.date, pause.until_date) == (ChangeKind.PAUSE, SUMMER, AUTUMN)
    found = client.scheduled_changes.query({"program_id": program})
    assert [each.id for each in found] == [pause.id, end.id, resume.id]
    latest = client.scheduled_changes.query({"program_id": program}, sort=["-date"])
    assert [each.date for each in latest] == [AUTUMN, AUTUMN, SUMMER]
    withdrawn = client.scheduled_changes.withdraw(pause.id)
    assert withdrawn.status == ChangeStatus.WITHDRAWN
    assert client.scheduled_changes.get(pause.id) == withdrawn
    with pytest.raises(ScheduledChangeOver) as caught:
        client.scheduled_changes.withdraw(pause.id)
    assert caught.value.change_status == "WITHDRAWN"
    with pytest.raises(ScheduledChangeNotFound):
        client.scheduled_changes.get(str(uuid4()))


def test_a_key_schedules_once(client: BenefitPrograms, gym: Gym) -> None:
    """The same request gives the same change, another one with its key is refused."""
    program, key = gym.provision()[0].id, str(uuid4())
    first = client.programs.schedule_end(program, date=SUMMER, idempotency_key=key)
    assert client.programs.schedule_end(program, date=SUMMER, idempotency_key=key) == first
    with pytest.raises(AlreadyExecuted):
        client.programs.schedule_end(program, date=AUTUMN, idempotency_key=key)


def test_cascades_have_dates(client: BenefitPrograms, gym: Gym) -> None:
    """An update and a deletion wait for their dates, as cascades of their definitions."""
    definition = gym.pool_definition
    client.pool_definitions.update(
        definition.id,
        revision=definition.revision,
        display_name="New",
        cascade=Cascade.IMMEDIATELY,
        cascade_date=SUMMER,
    )
    updates = client.scheduled_changes.query({"pool_definition_id": definition.id})
    found = [(each.kind, each.cascade_type) for each in updates]
    assert found == [(ChangeKind.CASCADE, Cascade.IMMEDIATELY)]
    plan = gym.program_definition.id
    client.program_definitions.delete(plan, cascade_type=Cascade.NEXT_RENEWAL, cascade_date=AUTUMN)
    deletions = client.scheduled_changes.query({"program_definition_id": plan})
    ends = [(each.date, each.cascade_type) for each in deletions]
    assert ends == [(AUTUMN, Cascade.NEXT_RENEWAL)]
