"""Dates in imports and exports: programs come back as they were, and go on as they would have."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from benefit_programs.bootstrap import administrator_grants
from benefit_programs.domain.entities import Lot, Pool, Program
from benefit_programs.domain.scheduled_changes import ChangeKind, ChangeStatus, ScheduledChange
from benefit_programs.engine.engine import read_clock
from tests.support.calendar import reach, schedule, text
from tests.support.calls import details, guid
from tests.support.clock import DAY, HOUR, StillClock
from tests.support.inprocess import Service, open_application
from tests.support.lifecycle import act
from tests.transfer.conftest import write_csv, write_json_lines
from tests.transfer.test_lots import read_lots

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.databases import CopiedDatabases
    from tests.transfer.conftest import Gym

pytestmark = pytest.mark.anyio

ENGINES = ["sqlite", "postgres"]

MONTHLY = {"every": "P1M", "timeZone": "Europe/Berlin"}
MEMBER = "5b1c0ef0-8d0a-4f0e-9d0c-2f6a3c1d7e01"
ROLLING_OVER = {
    "amount": "8",
    "expiresAfter": "P45D",
    "rolloverConfiguration": {"enabled": True, "balanceCap": "5"},
}


async def served(gym: Gym, clock: StillClock, work: Callable[[Service], Any]) -> Any:
    """Serve the database for a while, at the time of a clock."""
    async with open_application(gym.url, clock=clock, run_jobs=False) as (running, client):
        tenant = await running.services.directory.tenant(gym.tenant_id)
        service = Service(running, client, tenant)
        service.key = (await service.with_grants(administrator_grants())).key
        return await work(service)


@pytest.fixture
async def dated(gym: Gym) -> Gym:
    """The gym with a pool that keeps some credits, and programs that renew, for a long time now."""
    clock = StillClock()
    clock.now -= 101 * DAY

    async def define(service: Service) -> Gym:
        kind = details(creditConfiguration=ROLLING_OVER)
        single = await service.create_pool_definition(details=kind)
        silver = await service.create_program_definition(renewalConfiguration=MONTHLY)
        await service.create_pool_definition(programDefinitionIds=[silver["id"]], details=kind)
        return replace(gym, single=single["id"], program_definition_id=silver["id"])

    return await served(gym, clock, define)  # type: ignore[no-any-return]


async def change_terms(service: Service, gym: Gym, **terms: Any) -> None:
    request = {"programDefinitionId": gym.program_definition_id}
    found = (await service.call("getProgramDefinition", request))["programDefinition"]
    change = {"id": found["id"], "revision": found["revision"], **terms}
    await service.call("updateProgramDefinition", {"programDefinition": change})


async def join(service: Service, gym: Gym, name: str, **terms: Any) -> str:
    answer = await service.provision(
        pool_definition={"id": gym.single},
        beneficiary={"memberId": guid()},
        externalProgramId=name,
        **terms,
    )
    return answer["program"]["id"]  # type: ignore[no-any-return]


async def live(service: Service, gym: Gym, clock: StillClock) -> None:
    """Members whose programs renew, are paused, have ended cycles, and are late in the end."""
    begin = clock.now
    await join(service, gym, "monthly", renewalConfiguration=MONTHLY)
    stopped = await join(
        *(service, gym, "stopped"),
        renewalConfiguration=MONTHLY,
        whilePaused="STOP",
        pausedDaysMax=300,
        endsAfter="P2Y",
    )
    waiting = await join(service, gym, "waiting", renewalConfiguration={"every": "P2W"})
    await join(
        *(service, gym, "over"), renewalConfiguration={"every": "P2W", "cycles": 2, "atEnd": "STAY"}
    )
    ending = {"renewalConfiguration": {"every": "P2M", "cycles": 2}}
    await join(service, gym, "ending", **ending)
    await join(service, gym, "by hand")
    await service.provision(
        program_definition={"id": gym.program_definition_id},
        beneficiary={"memberId": guid()},
        externalProgramId="gold",
    )
    await change_terms(service, gym, renewalConfiguration=None)
    await service.provision(
        program_definition={"id": gym.program_definition_id},
        beneficiary={"memberId": guid()},
        externalProgramId="without",
    )
    await change_terms(service, gym, renewalConfiguration=MONTHLY)
    await schedule(service, waiting, ChangeKind.END, date=begin + 500 * DAY)
    await schedule(
        service, waiting, ChangeKind.PAUSE, date=begin + 90 * DAY, until=begin + 95 * DAY
    )
    await reach(service, clock, begin + 20 * DAY)
    await act(service, "pause", stopped)
    await reach(service, clock, begin + 23 * DAY)
    await act(service, "resume", stopped)
    await reach(service, clock, begin + 48 * DAY)
    await act(service, "pause", stopped)
    clock.now += 2 * DAY
    granted = {"amount": "3", "expirationDate": text(clock.now + 10 * DAY)}
    (pool,) = await service.pools_of(stopped)
    request = {"poolId": pool["id"], "idempotencyKey": guid(), **granted}
    lot = (await service.call("grantCredits", request))["lot"]
    clock.now += DAY
    change = {"id": lot["id"], "revision": lot["revision"]}
    change["expirationDate"] = text(clock.now + 11 * DAY)
    await service.call("updateLot", {"lot": change})
    await reach(service, clock, begin + 60 * DAY)


async def read_dates(service: Service) -> dict[str, Any]:
    """All that is known of the dates of programs, by their external ids."""
    found: dict[str, Any] = {}
    changes = [
        (each.program_id, each.kind, each.date, each.until)
        for each in await service.rows(ScheduledChange)
        if each.status is ChangeStatus.WAITING
    ]
    pools = await service.rows(Pool)
    for row in await service.rows(Program):
        own = [pool for pool in pools if pool.program_id == row.id]
        found[row.external_id] = (
            *(row.status, row.calendar, row.next_renewal, row.end_date, row.due),
            sorted(each[1:] for each in changes if each[0] == row.id),
            sorted(
                (each.status, each.available, each.program_due or 0, each.stopped or 0)
                for each in own
            ),
        )
    return found


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
async def test_dates_come_back_as_they_were(
    dated: Gym, databases: CopiedDatabases, tmp_path: Path, suffix: str
) -> None:
    """Calendars, pauses, ends, waiting changes and lots are those of before, and go on alike."""
    copy = replace(dated, url=databases.copy(dated.url))
    clock = StillClock()
    now = clock.now
    clock.now -= 100 * DAY
    await served(dated, clock, lambda service: live(service, dated, clock))
    file, again = tmp_path / f"members.{suffix}", tmp_path / f"again.{suffix}"
    exported = dated.run_json("export-programs", file)
    assert set(exported["notCarried"].values()) == {0}
    imported = copy.run_json("import-programs", file)
    assert imported["created"] == 8, imported
    assert imported["totals"] == exported["totals"]
    assert await copy.reopen(read_dates) == await dated.reopen(read_dates)
    left = [await each.reopen(read_lots) for each in (dated, copy)]
    # Where the clock stands lots keep what is left of their lives, which the file states.
    stood = [each.pop("stopped") for each in left]
    assert left[0] == left[1]
    assert [each["in all"] for each in stood] == [stood[0]["in all"]] * 2
    assert copy.run_json("export-programs", again)["totals"] == exported["totals"]
    assert again.read_text() == file.read_text()
    assert copy.run_json("import-programs", file)["unchanged"] == 8
    went_on = []
    for gym in (dated, copy):
        clock.now = now + HOUR
        went_on.append(await served(gym, clock, lambda service: go_on(service, clock)))
    assert went_on[0] == went_on[1]
    assert went_on[0][1]["ending"][0] == "ENDED"
    databases.drop(copy.url)


async def go_on(service: Service, clock: StillClock) -> tuple[Any, ...]:
    """Make up what was missed, resume what is paused, and let three months pass."""
    await reach(service, clock, clock.now)
    first = await read_dates(service)
    (stopped,) = [each for each in await service.rows(Program) if each.external_id == "stopped"]
    await act(service, "resume", stopped.id)
    ends = sorted(each.expiration_date or 0 for each in await service.rows(Lot) if each.available)
    await reach(service, clock, clock.now + 100 * DAY)
    return first, await read_dates(service), await read_lots(service), ends


async def test_a_file_without_dates_is_as_before(gym: Gym, tmp_path: Path) -> None:
    """Where no program has dates there is no column, and none in lines."""
    await gym.reopen(lambda service: join(service, gym, "member-1"))
    for suffix in ("csv", "jsonl"):
        file = tmp_path / f"members.{suffix}"
        gym.run_json("export-programs", file)
        assert "dates" not in file.read_text()


def row(gym: Gym, **fields: Any) -> dict[str, Any]:
    return {
        "externalProgramId": guid(),
        "namespace": "gym",
        "programDefinitionId": gym.program_definition_id,
        "memberId": MEMBER,
        **fields,
    }


async def test_members_from_elsewhere_renew_on_their_day(dated: Gym, tmp_path: Path) -> None:
    """A row may say when its program renews next; without it the definition's terms begin now."""
    clock = StillClock()
    following = clock.now + 10 * DAY
    rows = [
        row(dated, externalProgramId="stated", nextRenewalDate=text(following)),
        row(dated, externalProgramId="fresh"),
    ]
    done = dated.run_json("import-programs", write_csv(tmp_path / "new.csv", rows))
    assert done["created"] == 2

    async def look(service: Service) -> dict[str, Any]:
        return {each.external_id: each for each in await service.rows(Program)}

    found = await served(dated, clock, look)
    assert found["stated"].next_renewal == following
    assert found["stated"].calendar.cycle == 1
    assert found["fresh"].next_renewal > following + 15 * DAY
    clock.now = following

    async def renew(service: Service) -> Any:
        await reach(service, clock, following)
        return await look(service)

    found = await served(dated, clock, renew)
    assert found["stated"].calendar.cycle == 2
    assert following + 27 * DAY < found["stated"].next_renewal < following + 32 * DAY


def later(days: int) -> str:
    return text(read_clock() + days * DAY)


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"nextRenewalDate": later(-1)}, "nextRenewalDate", "in_the_future"),
    ({"nextRenewalDate": "soon"}, "nextRenewalDate", "FORMAT"),
    ({"dates": {"cycle": 2}}, "dates.renewalConfiguration", "timetable"),
    (
        {"dates": {"renewalConfiguration": {"every": "P1M", "cycles": 2}, "cycle": 3}},
        *("dates.cycle", "cycle_of_timetable"),
    ),
    (
        {"dates": {"renewalConfiguration": MONTHLY, "cycleStartDate": later(1)}},
        *("dates.cycleStartDate", "cycle_has_begun"),
    ),
    ({"dates": {"pausedUntilDate": later(1)}}, "dates.pausedUntilDate", "paused"),
    (
        {"programStatus": "PAUSED", "dates": {"pausedSinceDate": later(1)}},
        *("dates.pausedSinceDate", "pause_has_begun"),
    ),
    ({"dates": {"timeZone": "Europe/Atlantis"}}, "dates.timeZone", "VALIDATION"),
    ({"dates": {"movedBy": "P1M"}}, "dates.movedBy", "duration_has_a_fixed_length"),
]


async def test_wrong_dates_are_refused(dated: Gym, tmp_path: Path) -> None:
    """Dates that can't be are reported with their fields and rules, and nothing is made of them."""
    rows = [row(dated, **fields) for fields, _, _ in WRONG]
    file = write_json_lines(tmp_path / "wrong.jsonl", rows)
    done = dated.run_json("import-programs", file, code=1)
    told = [(each["field"], each["rule"]) for each in done["findings"]]
    assert told == [(field, rule) for _, field, rule in WRONG]
    assert await dated.reopen(lambda service: service.rows(Program)) == []
    broken = write_csv(tmp_path / "broken.csv", [row(dated, dates="{")])
    done = dated.run_json("import-programs", broken, code=1)
    assert [each["field"] for each in done["findings"]] == ["dates"]


async def test_a_timetable_with_an_anchor_keeps_it(dated: Gym, tmp_path: Path) -> None:
    """A next renewal that isn't one of the definition's instants is refused."""
    anchored = {"every": "P1W", "anchor": "2026-01-01T00:00:00.000Z", "timeZone": "UTC"}
    await dated.reopen(lambda service: change_terms(service, dated, renewalConfiguration=anchored))
    week = 7 * DAY
    thursday = read_clock() // week * week + 2 * week
    rows = [
        row(dated, nextRenewalDate=text(thursday)),
        row(dated, nextRenewalDate=text(thursday + DAY)),
    ]
    done = dated.run_json("import-programs", write_csv(tmp_path / "new.csv", rows), code=1)
    assert (done["created"], done["invalid"]) == (1, 1)
    (finding,) = done["findings"]
    assert (finding["field"], finding["rule"]) == ("nextRenewalDate", "instant_of_timetable")


async def test_other_terms_differ(dated: Gym, tmp_path: Path) -> None:
    """A program that is there with another timetable isn't what the row says."""
    clock = StillClock()
    await served(
        dated, clock, lambda service: join(service, dated, "a", renewalConfiguration=MONTHLY)
    )
    file = tmp_path / "members.jsonl"
    dated.run_json("export-programs", file)
    document = json.loads(file.read_text())
    document["dates"]["renewalConfiguration"]["every"] = "P2M"
    other = write_json_lines(tmp_path / "other.jsonl", [document])
    done = dated.run_json("import-programs", other, code=1)
    assert [each["field"] for each in done["findings"]] == ["dates.renewalConfiguration"]


async def define_club(service: Service) -> None:
    """What a file of definitions makes, which gives pool definitions a key."""
    monthly = await service.create_program_definition(
        namespace="club", externalId="monthly", renewalConfiguration=MONTHLY
    )
    await service.create_pool_definition(
        namespace="club",
        programDefinitionIds=[monthly["id"]],
        details=details(creditConfiguration=ROLLING_OVER),
        extendedFields={"namespaces": {"benefits-file": {"key": "classes"}}},
    )


async def join_club(service: Service) -> dict[str, Any]:
    request = {"namespace": "club", "externalId": "monthly"}
    found = await service.call("getProgramDefinitionByExternalIdAndNamespace", request)
    await service.provision(
        program_definition=found["programDefinition"], namespace="club", externalProgramId="ada"
    )
    return await read_dates(service)


async def test_members_come_into_a_sandbox(gym: Gym, tmp_path: Path) -> None:
    """Another tenant has the same definitions under other ids; the file's are told from those."""
    sandbox = gym.tell("tenants", "create", "rehearsal", "--sandbox")["id"]
    copy = replace(gym, tenant_id=sandbox)
    for each in (gym, copy):
        await each.reopen(define_club)
    before = await gym.reopen(join_club)
    members = tmp_path / "members.csv"
    exported = gym.run_json("export-programs", members)
    refused = copy.run_json("import-programs", members, code=1)
    assert [each["rule"] for each in refused["findings"]] == ["PROGRAM_DEFINITION_NOT_FOUND"]
    imported = copy.run_json("import-programs", members, "--definitions-of", gym.tenant_id)
    assert imported["created"] == 1
    assert imported["totals"]["credits"] == exported["totals"]["credits"] == "8"
    assert await copy.reopen(read_dates) == before
