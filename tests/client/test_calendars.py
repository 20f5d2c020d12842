"""Programs with dates by the client, in all its forms."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from benefit_programs.client import (
    AtEnd,
    EndDatePassed,
    Member,
    ProgramDatesFixed,
    ProgramNotFound,
    RenewalConfiguration,
    TimetableKind,
    ValidationError,
    WhilePaused,
)

if TYPE_CHECKING:
    from benefit_programs.client import BenefitPrograms
    from tests.support.gym import Gym

ENGINES = ["sqlite"]

MONTHLY = RenewalConfiguration(every="P1M")
START = datetime(2030, 1, 31, 10, tzinfo=UTC)


def test_programs_renew_by_their_definition_and_their_own_terms(
    client: BenefitPrograms, gym: Gym
) -> None:
    """A definition's terms are read back, a program has its copy, and a request overrides it."""
    changed = client.program_definitions.update(
        gym.program_definition.id,
        revision=gym.program_definition.revision,
        renewal_configuration=RenewalConfiguration(
            every="P1M", anchor=START, time_zone="Europe/Berlin", cycles=12, at_end=AtEnd.STAY
        ),
        ends_after="P2Y",
        while_paused=WhilePaused.STOP,
        paused_days_max=30,
    )
    assert client.program_definitions.get(changed.id) == changed
    program, pool = gym.provision()
    assert program.renewal_configuration == changed.renewal_configuration
    assert (program.while_paused, program.paused_days_max) == (WhilePaused.STOP, 30)
    assert program.next_renewal_date is None
    assert program.cycle is not None
    assert program.cycle.number == 1
    own = client.programs.provision(
        program_definition_id=changed.id,
        beneficiary=Member(str(uuid4())),
        namespace=gym.namespace,
        external_program_id=str(uuid4()),
        renewal_configuration=RenewalConfiguration(every="P1W"),
        end_date=START,
    ).program
    assert own.end_date == START
    assert own.next_renewal_date == own.created_date + timedelta(weeks=1)
    found = client.programs.query(
        {"namespace": gym.namespace, "next_renewal_date": {"$lt": START}},
        sort=["next_renewal_date"],
    )
    assert [each.id for each in found] == [own.id]
    timetable = client.programs.timetable(own.id, limit=2)
    assert [each.kind for each in timetable.dates] == [TimetableKind.RENEWAL] * 2
    assert timetable.dates[0].date == own.next_renewal_date
    (brought,) = timetable.dates[0].credits
    assert brought.amount == Decimal(100)
    assert brought.pool_id != pool.id


def test_dates_are_changed_and_counted_anew(client: BenefitPrograms, gym: Gym) -> None:
    """None takes an end away, another timetable begins now, and a renewal may restart it."""
    program, _ = gym.provision()
    assert program.cycle is None
    monthly = client.programs.update(
        program.id, revision=program.revision, renewal_configuration=MONTHLY, end_date=START
    )
    assert monthly.end_date == START
    free = client.programs.update(program.id, revision=monthly.revision, end_date=None)
    assert free.end_date is None
    assert free.cycle == monthly.cycle
    client.programs.renew(program.id)
    assert client.programs.get(program.id).cycle == monthly.cycle
    client.programs.renew(program.id, restart_timetable=True)
    restarted = client.programs.get(program.id)
    assert restarted.cycle is not None
    assert monthly.cycle is not None
    assert restarted.cycle.start_date > monthly.cycle.start_date
    client.programs.end(program.id)
    with pytest.raises(ProgramDatesFixed) as fixed:
        client.programs.update(
            program.id, revision=client.programs.get(program.id).revision, end_date=START
        )
    assert fixed.value.fields == ("endDate",)


def test_terms_can_be_tried(client: BenefitPrograms) -> None:
    """The preview needs nothing that is stored."""
    shown = client.program_definitions.timetable(
        renewal_configuration=RenewalConfiguration(every="P1M", cycles=2, time_zone="Asia/Tokyo"),
        from_date=START,
    )
    assert [(each.kind, each.local_date) for each in shown.dates] == [
        (TimetableKind.RENEWAL, "2030-02-28T19:00:00+09:00"),
        (TimetableKind.END, "2030-03-31T19:00:00+09:00"),
    ]


def test_refusals_have_their_classes(client: BenefitPrograms, gym: Gym) -> None:
    """With what they are about."""
    with pytest.raises(ProgramNotFound):
        client.programs.timetable(str(uuid4()))
    with pytest.raises(ValidationError) as invalid:
        client.program_definitions.timetable(renewal_configuration=RenewalConfiguration(every="x"))
    assert [each.field for each in invalid.value.violations] == ["renewalConfiguration.every"]
    past = datetime(2020, 1, 1, tzinfo=UTC)
    client.program_definitions.update(
        gym.program_definition.id, revision=gym.program_definition.revision, end_date=past
    )
    with pytest.raises(EndDatePassed) as passed:
        gym.provision()
    assert passed.value.end_date == past
    assert passed.value.program_definition_id == gym.program_definition.id
