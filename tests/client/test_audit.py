"""The audit through the client: sync and async, over HTTP and in process."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from benefit_programs.client import AuditEntity

if TYPE_CHECKING:
    from benefit_programs.client import BenefitPrograms
    from tests.support.gym import Gym

ENGINES = ["sqlite"]

AUTUMN = datetime(2090, 9, 1, tzinfo=UTC)


def test_reasons_are_given_and_found(client: BenefitPrograms, gym: Gym) -> None:
    """What is done by hand takes a reason, and the audit and events tell who did it."""
    begun = datetime.now(UTC)
    program = gym.provision()[0]
    client.programs.pause(program.id, reason="ill")
    client.programs.resume(program.id, reason="well again")
    planned = client.programs.schedule_end(program.id, date=AUTUMN, reason="gave notice")
    client.scheduled_changes.withdraw(planned.id, reason="stays after all")
    client.programs.end(program.id, reason="moved away")
    entries = list(client.audit.query({"program_id": program.id}))
    assert [(each.method, each.reason) for each in entries] == [
        ("endProgram", "moved away"),
        ("withdrawScheduledChange", "stays after all"),
        ("scheduleProgramChange", "gave notice"),
        ("resumeProgram", "well again"),
        ("pauseProgram", "ill"),
        ("provisionProgram", None),
    ]
    assert {each.entity_type for each in entries} == {
        AuditEntity.PROGRAM,
        AuditEntity.SCHEDULED_CHANGE,
    }
    assert {each.beneficiary for each in entries} == {program.beneficiary}
    assert all(each.created_date >= begun.replace(microsecond=0) for each in entries)
    events = client.events.page(entity_id=program.id).events
    assert {(each.actor.kind, each.actor.id) for each in events if each.actor} == {
        (entries[0].principal.kind, entries[0].principal.id)
    }
