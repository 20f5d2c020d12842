"""What tests of programs with dates do again and again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from benefit_programs.domain.command import Command
from benefit_programs.domain.context import Context
from benefit_programs.domain.entities import Pool, Program
from benefit_programs.domain.lookups import CHANGES_OF_PROGRAM, LIVE_POOLS_OF_PROGRAM, PROGRAM
from benefit_programs.domain.pool_changes import date_pools
from benefit_programs.domain.program_dates import dated
from benefit_programs.domain.required import require
from benefit_programs.domain.scheduled_changes import ChangeKind, ChangeStatus, ScheduledChange
from benefit_programs.domain.state import Changes, Needs, State
from tests.support.calls import details
from tests.support.lifecycle import do, read, run_jobs

if TYPE_CHECKING:
    from tests.support.calls import Document
    from tests.support.clock import StillClock
    from tests.support.inprocess import Service

ROUNDS_MAX = 100

MONTHLY = {"every": "P1M"}


def at(text: str) -> int:
    """An instant in UTC; what is left out is midnight."""
    moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
    return int(moment.timestamp() * 1000)


def text(instant: int) -> str:
    """An instant as answers have it."""
    moment = datetime.fromtimestamp(instant / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def template(service: Service, *credit: Document, **terms: Any) -> Document:
    """A program definition with terms, and a pool of each of these kinds of credits."""
    definition = await service.create_program_definition(**terms)
    for each in credit or ({"amount": "10"},):
        await service.create_pool_definition(
            programDefinitionIds=[definition["id"]],
            details={**details(), "creditConfiguration": each},
        )
    return definition


async def new_member(service: Service, *credit: Document, **terms: Any) -> str:
    """A program with these terms, and a pool of each of these kinds of credits."""
    definition = await template(service, *credit)
    answer = await service.provision(program_definition=definition, **terms)
    return answer["program"]["id"]  # type: ignore[no-any-return]


async def reach(service: Service, clock: StillClock, instant: int) -> None:
    """Let time come to an instant, and everything happen that is due by then.

    What is due may begin a job, and more may be due once that is done.
    """
    clock.now = instant
    for _ in range(ROUNDS_MAX):
        await run_jobs(service)
        if not any(row.target_status for row in await service.rows(Program)):
            return
    raise AssertionError("programs don't come to rest")


async def update(service: Service, program_id: str, **fields: Any) -> Document:
    """Change a program as it is now."""
    revision = (await read(service, program_id))["revision"]
    change = {"id": program_id, "revision": revision, **fields}
    answer = await service.call("updateProgram", {"program": change})
    return answer["program"]  # type: ignore[no-any-return]


async def update_refused(service: Service, program_id: str, **fields: Any) -> Any:
    revision = (await read(service, program_id))["revision"]
    change = {"id": program_id, "revision": revision, **fields}
    return await service.refusal("updateProgram", {"program": change})


async def dates_of(service: Service, program_id: str, **more: Any) -> list[Document]:
    """What the timetable of a program shows."""
    answer = await service.call("getProgramTimetable", {"programId": program_id, **more})
    return answer.get("dates", [])  # type: ignore[no-any-return]


def listed(dates: list[Document]) -> list[tuple[str, str]]:
    """What happens, and when."""
    return [(each["kind"], each["date"]) for each in dates]


async def row_of(service: Service, program_id: str) -> Program:
    (row,) = [each for each in await service.rows(Program) if each.id == program_id]
    return row


async def pool_of(service: Service, program_id: str) -> Pool:
    (row,) = [each for each in await service.rows(Pool) if each.program_id == program_id]
    return row


class Schedule(Command[str], frozen=True, kw_only=True):
    """Let a change of a program wait for its date."""

    program_id: str
    kind: ChangeKind
    date: int
    until: int | None = None

    def ask(self, needs: Needs, state: State) -> None:  # noqa: ARG002
        """Hold the program and its pools."""
        needs.lock(LIVE_POOLS_OF_PROGRAM, self.program_id)
        needs.lock(PROGRAM, self.program_id)
        needs.read(CHANGES_OF_PROGRAM, self.program_id)

    def decide(self, state: State, context: Context) -> Changes[str]:
        """Store the change, and date the program anew."""
        change = ScheduledChange(
            id=context.new_id(),
            created=context.now,
            updated=context.now,
            kind=self.kind,
            status=ChangeStatus.WAITING,
            date=self.date,
            program_id=self.program_id,
            until=self.until,
        )
        waiting = [*state.many(CHANGES_OF_PROGRAM, self.program_id), change]
        program = dated(require(state, PROGRAM, self.program_id), waiting)
        changes = Changes(change.id)
        changes.save(change, program)
        date_pools(state, changes, context, program, context.now)
        return changes


async def schedule(service: Service, program_id: str, kind: ChangeKind, **when: int) -> str:
    return await do(service, Schedule(program_id=program_id, kind=kind, **when))
