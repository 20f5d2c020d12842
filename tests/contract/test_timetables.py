"""Timetables: when programs renew and end by themselves, late or in time, and what they show ahead.

docs/concepts/calendar.md says the same to users.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from benefit_programs.domain.entities import Lot, Transaction
from benefit_programs.domain.event_rows import Event
from benefit_programs.domain.scheduled_changes import ChangeKind
from benefit_programs.storage.verification import verify_store
from tests.support.calendar import (
    MONTHLY,
    at,
    dates_of,
    listed,
    new_member,
    pool_of,
    reach,
    row_of,
    schedule,
    template,
    text,
)
from tests.support.calls import guid
from tests.support.clock import DAY, HOUR, StillClock
from tests.support.dated import BEGIN
from tests.support.lifecycle import act, limit_requests, read, run_jobs

if TYPE_CHECKING:
    from benefit_programs.domain.settings import TenantSettings
    from tests.support.calls import Document
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

BERLIN = {"timeZone": "Europe/Berlin"}


async def moments(service: Service, program_id: str, operation: str) -> list[str]:
    """When credits came or went, whenever that was booked."""
    pool = await pool_of(service, program_id)
    return [
        text(row.details.due or row.created)
        for row in await service.rows(Transaction)
        if row.pool_id == pool.id and row.operation == operation
    ]


async def happened(service: Service, entity_id: str) -> list[str]:
    """What the events of an entity say, one by one."""
    return [each for slugs in await service.slugs_of(entity_id) for each in slugs.split("+")]


# When programs renew


async def test_the_31st_stays_the_31st(timed: Service, clock: StillClock) -> None:
    """Short months renew on their last day, and the next one on the 31st again."""
    program_id = await new_member(timed, renewalConfiguration=MONTHLY)
    await reach(timed, clock, at("2027-05-31T10:00"))
    assert await moments(timed, program_id, "RENEWAL") == [
        "2027-02-28T10:00:00.000Z",
        "2027-03-31T10:00:00.000Z",
        "2027-04-30T10:00:00.000Z",
        "2027-05-31T10:00:00.000Z",
    ]
    assert (await read(timed, program_id))["cycle"]["number"] == 5


async def test_a_renewal_happens_at_its_instant(timed: Service, clock: StillClock) -> None:
    """A millisecond before nothing happens, and at the instant once, however often one looks."""
    program_id = await new_member(timed, renewalConfiguration=MONTHLY)
    await reach(timed, clock, at("2027-02-28T10:00") - 1)
    assert (await read(timed, program_id))["cycle"]["number"] == 1
    for later in (0, 0, 1, HOUR):
        await reach(timed, clock, at("2027-02-28T10:00") + later)
    assert await moments(timed, program_id, "RENEWAL") == ["2027-02-28T10:00:00.000Z"]
    assert (await happened(timed, program_id)).count("renewed") == 1


@pytest.mark.parametrize(
    ("terms", "renewals"),
    [
        ({"every": "P1M", "anchor": "2026-05-15T00:00:00Z"}, ["2027-02-15T00", "2027-03-15T00"]),
        ({"every": "P1M", "anchor": "2027-03-01T00:00:00Z"}, ["2027-03-01T00"]),
        ({"every": "P1Y", "anchor": "0001-03-03T00:00:00Z"}, ["2027-03-03T00"]),
        ({"every": "P2W"}, ["2027-02-14T10", "2027-02-28T10", "2027-03-14T10", "2027-03-28T10"]),
        # The clock goes forward in the night of March 28, from 2 to 3.
        (
            {"every": "P1M", "anchor": "2027-01-28T01:30:00Z", **BERLIN},
            ["2027-02-28T01:30", "2027-03-28T01"],
        ),
        ({"every": "P1M", "anchor": "2027-01-31T23:00:00Z", **BERLIN}, [
            "2027-01-31T23", "2027-02-28T23",
        ]),
        ({"every": "P1M", "cycles": 1}, []),
        ({"every": "P1M", "cycles": 2}, ["2027-02-28T10"]),
    ],
)  # fmt: skip
async def test_renewals_are_counted_from_the_anchor(
    timed: Service, clock: StillClock, terms: Document, renewals: list[str]
) -> None:
    """In the time zone of the timetable, whether the anchor is past or still to come."""
    program_id = await new_member(timed, renewalConfiguration=terms)
    await reach(timed, clock, at("2027-03-31T09:00"))
    assert await moments(timed, program_id, "RENEWAL") == [text(at(each)) for each in renewals]


async def test_the_zone_is_the_tenants_when_it_begins(timed: Service, clock: StillClock) -> None:
    """A tenant that moves changes nothing that was promised."""
    await set_zone(timed, "Europe/Berlin")
    clock.now = at("2027-01-31T23:30")
    program_id = await new_member(timed, renewalConfiguration=MONTHLY)
    assert (await read(timed, program_id))["renewalConfiguration"]["timeZone"] == "Europe/Berlin"
    await set_zone(timed, "America/New_York")
    await reach(timed, clock, at("2027-05-01"))
    assert await moments(timed, program_id, "RENEWAL") == [
        "2027-02-28T23:30:00.000Z",
        "2027-03-31T22:30:00.000Z",
        "2027-04-30T22:30:00.000Z",
    ]


async def set_zone(service: Service, name: str) -> None:
    def change(old: TenantSettings) -> TenantSettings:
        return msgspec.structs.replace(old, time_zone=name)

    await service.running.services.directory.change_settings(service.tenant.id, change)


# When programs end


@pytest.mark.parametrize(
    ("terms", "end", "renewals"),
    [
        ({"endsAfter": "P10D"}, "2027-02-10T10", []),
        ({"endDate": "2027-02-10T10:00:00Z", "renewalConfiguration": MONTHLY}, "2027-02-10T10", []),
        # The end comes before a renewal at the same instant.
        ({"endsAfter": "P1M", "renewalConfiguration": MONTHLY}, "2027-02-28T10", []),
        (
            {"renewalConfiguration": MONTHLY | {"cycles": 2}, "endsAfter": "P1Y"},
            "2027-03-31T10",
            ["2027-02-28T10"],
        ),
        (
            {"renewalConfiguration": MONTHLY | {"cycles": 12}, "endsAfter": "P2M"},
            "2027-03-31T10",
            ["2027-02-28T10"],
        ),
    ],
)
async def test_a_program_ends_by_itself(
    timed: Service, clock: StillClock, terms: Document, end: str, renewals: list[str]
) -> None:
    """By its date, after its time or with its last cycle, whatever comes first."""
    program_id = await new_member(timed, **terms)
    assert (await read(timed, program_id))["endDate"] == text(at(end))
    await reach(timed, clock, at(end) - 1)
    assert (await read(timed, program_id))["status"] == "ACTIVE"
    await reach(timed, clock, at(end))
    program = await read(timed, program_id)
    assert (program["status"], "nextRenewalDate" in program) == ("ENDED", False)
    assert (await pool_of(timed, program_id)).status == "ENDED"
    assert await moments(timed, program_id, "RENEWAL") == [text(at(each)) for each in renewals]
    assert (await row_of(timed, program_id)).due is None


async def test_a_program_may_stay_after_its_last_cycle(timed: Service, clock: StillClock) -> None:
    """It lives on in that cycle, which has no end."""
    stays = MONTHLY | {"cycles": 2, "atEnd": "STAY"}
    program_id = await new_member(timed, renewalConfiguration=stays)
    await reach(timed, clock, BEGIN + 400 * DAY)
    program = await read(timed, program_id)
    assert program["status"] == "ACTIVE"
    assert program["cycle"] == {"number": 2, "startDate": "2027-02-28T10:00:00.000Z"}
    assert not {"nextRenewalDate", "endDate"} & program.keys()
    assert len(await moments(timed, program_id, "RENEWAL")) == 1


async def test_a_program_that_ends_before_its_last_cycle_is_sound(timed: Service) -> None:
    """It shows the end that it would have had."""
    program_id = await new_member(timed, renewalConfiguration=MONTHLY | {"cycles": 3})
    await act(timed, "end", program_id)
    program = await read(timed, program_id)
    assert (program["status"], program["endDate"]) == ("ENDED", "2027-04-30T10:00:00.000Z")
    assert await verify_store(timed.store, tenant_ids=[timed.tenant.id]) == []


# Late is as good as in time


ROLLING: list[Document] = [
    {"amount": "10", "rolloverConfiguration": {"enabled": True, "balanceCap": "15"}},
    {"amount": "10", "expiresAfter": "P3D"},
    {
        "amount": "10",
        "expiresAfter": "P40D",
        "rolloverConfiguration": {"enabled": True, "percent": "50", "expiresAfter": "P2D"},
    },
    {"amount": "10", "lapseAtEnd": True},
]


async def live(service: Service, clock: StillClock, credit: Document, *, late: bool) -> list[Any]:
    """Four days of a program that renews daily and ends; what its books say at the end."""
    clock.now = BEGIN
    daily = {"every": "P1D"}
    definition = await template(service, credit)
    answer = await service.provision(
        program_definition=definition, renewalConfiguration=daily, endsAfter="P3DT12H"
    )
    program_id = answer["program"]["id"]
    pool_id = (await pool_of(service, program_id)).id
    spent = {"type": "ADJUST", "adjustOptions": {"value": "-3"}, "idempotencyKey": guid()}
    await service.call("changeBalance", {"poolId": pool_id, **spent})
    if not late:
        for hours in range(1, 96):
            await reach(service, clock, BEGIN + hours * HOUR)
    await reach(service, clock, BEGIN + 4 * DAY)
    return await books_of(service, program_id, pool_id)


async def books_of(service: Service, program_id: str, pool_id: str) -> list[Any]:
    """All that an auditor sees of a program, without ids and without when it was booked."""
    period = {"fromDate": text(BEGIN - DAY), "toDate": text(BEGIN + 5 * DAY)}
    statement = await service.call("getStatement", {"poolId": pool_id, **period})
    rows = [
        {name: row[name] for name in ("date", "figure", "amount", "availableAfter")}
        for row in statement["rows"]
    ]
    as_of = [
        (await service.call("getBalanceAsOf", {"poolId": pool_id, "date": text(moment)}))["amount"]
        for moment in range(BEGIN, BEGIN + 4 * DAY, 7 * HOUR)
    ]
    lots = sorted(
        (lot.effective_date, lot.expiration_date or 0, lot.granted, lot.available, lot.status)
        for lot in await service.rows(Lot)
    )
    slugs = [await service.slugs_of(each) for each in (program_id, pool_id)]
    program = await read(service, program_id)
    dates = {name: program.get(name) for name in ("status", "cycle", "endDate", "nextRenewalDate")}
    return [statement["summary"], rows, as_of, lots, slugs, dates]


@pytest.mark.parametrize("credit", ROLLING)
async def test_late_books_are_those_of_one_in_time(
    timed: Service, clock: StillClock, credit: Document
) -> None:
    """After four days without a server nothing differs from a twin that was never late."""
    in_time = await live(timed, clock, credit, late=False)
    late = await live(await timed.another_tenant(), clock, credit, late=True)
    assert late == in_time
    assert in_time[5]["cycle"]["number"] == 4
    assert sum("renewed" in each for each in in_time[4][0]) == 3


# What is to come


async def test_a_timetable_says_what_happens_and_why(timed: Service) -> None:
    """Renewals with their credits, and the end with its reason, in the zone of the program."""
    credit = {
        "amount": "10",
        "expiresAfter": "P2M",
        "rolloverConfiguration": {"enabled": True, "balanceCap": "4", "percent": "50"},
    }
    terms = MONTHLY | BERLIN | {"cycles": 3}
    program_id = await new_member(timed, credit, renewalConfiguration=terms)
    answer = await timed.call("getProgramTimetable", {"programId": program_id})
    pool_id = (await pool_of(timed, program_id)).id
    assert answer["timeZone"] == "Europe/Berlin"
    reason = "the timetable: every P1M since 2027-01-31T11:00:00+01:00"
    brought = {
        "poolId": pool_id,
        "amount": "10",
        "rollsOver": True,
        "balanceCap": "4",
        "percent": "50",
    }
    assert answer["dates"] == [
        {
            "date": "2027-02-28T10:00:00.000Z",
            "localDate": "2027-02-28T11:00:00+01:00",
            "kind": "RENEWAL",
            "cycleNumber": 2,
            "reason": reason,
            "credits": [brought | {"expirationDate": "2027-04-28T10:00:00.000Z"}],
        },
        {
            "date": "2027-03-31T09:00:00.000Z",
            "localDate": "2027-03-31T11:00:00+02:00",
            "kind": "RENEWAL",
            "cycleNumber": 3,
            "reason": reason,
            "credits": [brought | {"expirationDate": "2027-05-31T09:00:00.000Z"}],
        },
        {
            "date": "2027-04-30T09:00:00.000Z",
            "localDate": "2027-04-30T11:00:00+02:00",
            "kind": "END",
            "cycleNumber": 3,
            "reason": "the last of 3 cycles is over",
        },
    ]


async def test_a_timetable_has_as_many_dates_as_are_asked_for(timed: Service) -> None:
    """24 unless said, at most 100, none without dates; an unknown program is not found."""
    program_id = await new_member(timed, renewalConfiguration=MONTHLY)
    assert len(await dates_of(timed, program_id)) == 24
    assert len(await dates_of(timed, program_id, limit=100)) == 100
    for limit, rule in ((0, "MIN"), (101, "MAX")):
        request = {"programId": program_id, "limit": limit}
        assert (await timed.refusal("getProgramTimetable", request)).fields == {"limit": rule}
    assert await dates_of(timed, await new_member(timed)) == []
    refused = await timed.refusal("getProgramTimetable", {"programId": guid()})
    assert refused.code == "PROGRAM_NOT_FOUND"


async def test_a_timetable_is_as_if_all_were_booked(timed: Service, clock: StillClock) -> None:
    """What is due but not booked isn't to come any more."""
    program_id = await new_member(timed, renewalConfiguration=MONTHLY)
    clock.now = at("2027-03-31T10:00")
    first = (await dates_of(timed, program_id))[0]
    assert (first["date"], first["cycleNumber"]) == ("2027-04-30T10:00:00.000Z", 4)
    before = await dates_of(timed, program_id)
    await run_jobs(timed)
    assert await dates_of(timed, program_id) == before


async def test_a_pause_shows_in_what_is_to_come(timed: Service, clock: StillClock) -> None:
    """With RUN renewals are missed until it ends; with STOP nothing is known without an end."""
    running = await new_member(timed, renewalConfiguration=MONTHLY, pausedDaysMax=60)
    stopped = await new_member(timed, renewalConfiguration=MONTHLY, whilePaused="STOP")
    clock.now = at("2027-02-10T10:00")
    for each in (running, stopped):
        await act(timed, "pause", each)
    assert await dates_of(timed, stopped) == []
    dates = await dates_of(timed, running, limit=4)
    assert listed(dates) == [
        ("MISSED_RENEWAL", "2027-02-28T10:00:00.000Z"),
        ("MISSED_RENEWAL", "2027-03-31T10:00:00.000Z"),
        ("RESUME", "2027-04-11T10:00:00.000Z"),
        ("RENEWAL", "2027-04-30T10:00:00.000Z"),
    ]
    assert dates[2]["reason"] == "the 60 paused days of the year are used up"
    assert [each["cycleNumber"] for each in dates] == [2, 3, 3, 4]
    assert [each for each in dates if "credits" in each] == [dates[3]]


async def test_scheduled_changes_are_in_the_timetable(timed: Service) -> None:
    """With what follows from them: a pause that stops the clock moves what comes after it."""
    program_id = await new_member(timed, renewalConfiguration=MONTHLY, whilePaused="STOP")
    pause = await schedule(
        timed,
        program_id,
        ChangeKind.PAUSE,
        date=at("2027-02-10T10:00"),
        until=at("2027-02-20T10:00"),
    )
    end = await schedule(timed, program_id, ChangeKind.END, date=at("2027-05-01"))
    dates = await dates_of(timed, program_id)
    assert listed(dates) == [
        ("PAUSE", "2027-02-10T10:00:00.000Z"),
        ("RESUME", "2027-02-20T10:00:00.000Z"),
        ("RENEWAL", "2027-03-10T10:00:00.000Z"),
        ("RENEWAL", "2027-04-10T10:00:00.000Z"),
        ("END", "2027-05-01T00:00:00.000Z"),
    ]
    assert [each.get("scheduledChangeId") for each in dates] == [pause, None, None, None, end]
    assert dates[1]["reason"] == "the pause was to last until then"
    assert dates[2]["reason"].endswith(", moved by pauses")


async def test_a_deleted_definition_ends_its_programs_at_their_renewal(
    timed: Service, clock: StillClock
) -> None:
    """The timetable says so, and so it happens."""
    definition = await template(timed)
    answer = await timed.provision(program_definition=definition, renewalConfiguration=MONTHLY)
    program_id = answer["program"]["id"]
    deletion = {"programDefinitionId": definition["id"], "cascadeType": "NEXT_RENEWAL"}
    await timed.call("deleteProgramDefinition", deletion)
    (date,) = await dates_of(timed, program_id)
    assert (date["kind"], date["date"]) == ("END", "2027-02-28T10:00:00.000Z")
    await reach(timed, clock, at("2027-02-28T10:00"))
    assert (await read(timed, program_id))["status"] == "ENDED"


HAPPENED = {
    "RENEWAL": "renewed",
    "END": "ended",
    "PAUSE": "paused",
    "RESUME": "resumed",
    "MISSED_RENEWAL": "updated",
}

SHORT_OF_DAYS = {
    "renewalConfiguration": {"every": "P3W"},
    "endsAfter": "P7M",
    "pausedDaysMax": 10,
}
"""Its first pause uses up all days of the year."""

LIVES: list[Document] = [
    {"renewalConfiguration": MONTHLY | {"cycles": 8}},
    {"renewalConfiguration": MONTHLY | BERLIN, "endsAfter": "P7M", "whilePaused": "STOP"},
    SHORT_OF_DAYS,
    {
        "renewalConfiguration": {"every": "P10D", "cycles": 15},
        "whilePaused": "STOP",
        "pausedDaysMax": 25,
    },
]


@pytest.mark.parametrize("terms", LIVES)
@pytest.mark.parametrize("is_background", [False, True])
async def test_what_it_says_is_what_happens(
    timed: Service, clock: StillClock, terms: Document, *, is_background: bool
) -> None:
    """Followed through all its instants, over pauses by hand and by date."""
    program_id = await new_member(timed, **terms)
    if is_background:
        await limit_requests(timed)
    await schedule(
        timed,
        program_id,
        ChangeKind.PAUSE,
        date=at("2027-03-20T10:00"),
        until=at("2027-04-02T10:00"),
    )
    await follow(timed, clock, program_id, until=at("2027-05-01"))
    if (await read(timed, program_id))["status"] == "ACTIVE" and terms != SHORT_OF_DAYS:
        await act(timed, "pause", program_id)
        await run_jobs(timed)
        await follow(timed, clock, program_id, until=clock.now + 17 * DAY)
    if (await read(timed, program_id))["status"] == "PAUSED":
        await act(timed, "resume", program_id)
        await run_jobs(timed)
    await follow(timed, clock, program_id, until=at("2028-12-31"))
    assert (await read(timed, program_id))["status"] == "ENDED"
    assert await dates_of(timed, program_id) == []


async def follow(service: Service, clock: StillClock, program_id: str, *, until: int) -> None:
    """Let time come to all that the timetable shows, and see that it happens just then."""
    ahead = await dates_of(service, program_id, limit=100)
    for date in ahead:
        instant = at(date["date"].removesuffix("Z"))
        if instant > until:
            break
        await reach(service, clock, instant - 1)
        before = await happened(service, program_id)
        await reach(service, clock, instant)
        new = (await happened(service, program_id))[len(before) :]
        assert HAPPENED[date["kind"]] in new, (date, new)
        assert not (set(HAPPENED.values()) - {"updated", HAPPENED[date["kind"]]}) & set(new)
        assert (await read(service, program_id))["cycle"]["number"] == date["cycleNumber"]
    before = await service.slugs_of(program_id)
    await reach(service, clock, max(until, clock.now))
    assert await service.slugs_of(program_id) == before


# Before anything is saved


async def test_terms_can_be_tried_before_they_are_saved(timed: Service) -> None:
    """The preview is what a program shows that begins then, and nothing is stored."""
    events = len(await timed.rows(Event))
    terms = {
        "renewalConfiguration": MONTHLY | {"cycles": 4},
        "endDate": "2027-04-20T00:00:00Z",
        "pausedDaysMax": 10,
    }
    shown = await timed.call("previewTimetable", terms)
    assert len(await timed.rows(Event)) == events
    program_id = await new_member(timed, **terms)
    own = await timed.call("getProgramTimetable", {"programId": program_id})
    assert shown["timeZone"] == own["timeZone"] == "UTC"
    assert listed(shown["dates"]) == listed(own["dates"])
    assert [each["reason"] for each in shown["dates"]] == [each["reason"] for each in own["dates"]]
    assert shown["dates"][-1]["reason"] == "the end date of the program"


async def test_a_preview_begins_whenever_one_likes(timed: Service) -> None:
    """In the tenant's zone unless the terms have one; without terms nothing happens."""
    await set_zone(timed, "Europe/Berlin")
    terms = {"renewalConfiguration": MONTHLY, "fromDate": "2028-01-30T23:30:00Z", "limit": 2}
    shown = await timed.call("previewTimetable", terms)
    assert [each["localDate"] for each in shown["dates"]] == [
        "2028-02-29T00:30:00+01:00",
        "2028-03-31T00:30:00+02:00",
    ]
    terms["renewalConfiguration"] = MONTHLY | {"timeZone": "UTC"}
    shown = await timed.call("previewTimetable", terms)
    assert shown["dates"][0]["localDate"] == "2028-02-29T23:30:00+00:00"
    assert (await timed.call("previewTimetable", {})).get("dates", []) == []
    refused = await timed.refusal(
        "previewTimetable", {"fromDate": "2028-01-01T00:00:00Z", "endDate": "2028-01-01T00:00:00Z"}
    )
    assert refused.fields == {"endDate": "OTHER"}
