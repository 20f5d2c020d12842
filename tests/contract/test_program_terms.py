"""What definitions and requests say about the dates of programs, and what programs show of them.

docs/concepts/calendar.md says the same to users.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.calendar import (
    MONTHLY,
    at,
    new_member,
    pool_of,
    reach,
    row_of,
    template,
    text,
    update,
    update_refused,
)
from tests.support.calls import NAMESPACE, guid
from tests.support.clock import DAY, HOUR, StillClock
from tests.support.dated import BEGIN
from tests.support.lifecycle import act, limit_requests, read, run_jobs

if TYPE_CHECKING:
    from tests.support.calls import Document
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

TERMS = {
    "renewalConfiguration": {
        "every": "P1M",
        "anchor": "2027-01-01T00:00:00.000Z",
        "timeZone": "Europe/Berlin",
        "cycles": 12,
        "atEnd": "STAY",
    },
    "endsAfter": "P3Y",
    "whilePaused": "STOP",
    "pausedDaysMax": 30,
}
NAMES = frozenset(
    {"renewalConfiguration", "endDate", "endsAfter", "whilePaused", "pausedDaysMax"}
    | {"nextRenewalDate", "cycle", "pausedSinceDate", "pausedUntilDate"}
)


# What definitions say


async def test_a_definition_says_what_it_was_told(service: Service) -> None:
    """All terms come back, from every read."""
    made = await service.create_program_definition(**TERMS)
    assert {name: made[name] for name in TERMS} == TERMS
    got = await service.call("getProgramDefinition", {"programDefinitionId": made["id"]})
    found = await service.call("queryProgramDefinitions", {"query": {"filter": {}}})
    assert got["programDefinition"] == made
    assert found["programDefinitions"] == [made]


async def test_who_uses_no_dates_sees_none(service: Service) -> None:
    """Definitions and programs without terms have no field more than the contract's."""
    definition = await template(service)
    program = (await service.provision(program_definition=definition))["program"]
    await act(service, "pause", program["id"])
    assert not NAMES & (definition.keys() | program.keys())
    assert not NAMES & (await read(service, program["id"])).keys()
    assert (await row_of(service, program["id"])).calendar is None


async def change(service: Service, definition: Document, **fields: Any) -> Document:
    request = {"id": definition["id"], "revision": definition["revision"], **fields}
    answer = await service.call("updateProgramDefinition", {"programDefinition": request})
    return answer["programDefinition"]  # type: ignore[no-any-return]


async def test_an_update_changes_only_what_it_names(service: Service) -> None:
    """Null takes a term away, and one end takes the place of the other."""
    made = await service.create_program_definition(**TERMS)
    ends = await change(service, made, endDate="2030-01-01T00:00:00.000Z")
    assert "endsAfter" not in ends
    assert {**made, "endDate": ends["endDate"], **recent(ends)} == {
        **ends,
        "endsAfter": TERMS["endsAfter"],
    }
    bare = await change(
        service,
        ends,
        renewalConfiguration=None,
        endDate=None,
        whilePaused=None,
        pausedDaysMax=None,
    )
    assert not NAMES & bare.keys()


def recent(entity: Document) -> Document:
    return {name: entity[name] for name in ("revision", "updatedDate")}


async def test_a_changed_definition_leaves_programs_alone(service: Service) -> None:
    """They keep the dates that they were provisioned with."""
    definition = await template(service, renewalConfiguration=MONTHLY)
    program = (await service.provision(program_definition=definition))["program"]
    current = await service.call("getProgramDefinition", {"programDefinitionId": definition["id"]})
    await change(service, current["programDefinition"], renewalConfiguration={"every": "P1W"})
    assert await read(service, program["id"]) == program


# What is refused


LONG = {"every": "P101Y"}
BAD: list[tuple[Document, dict[str, str]]] = [
    ({"renewalConfiguration": {}}, {"renewalConfiguration.every": "REQUIRED_FIELD"}),
    ({"renewalConfiguration": {"every": "1M"}}, {"renewalConfiguration.every": "FORMAT"}),
    ({"renewalConfiguration": {"every": "-P1M"}}, {"renewalConfiguration.every": "FORMAT"}),
    ({"renewalConfiguration": {"every": "P0D"}}, {"renewalConfiguration.every": "MIN"}),
    ({"renewalConfiguration": {"every": "PT59M"}}, {"renewalConfiguration.every": "MIN"}),
    ({"renewalConfiguration": LONG}, {"renewalConfiguration.every": "MAX"}),
    (
        {"renewalConfiguration": MONTHLY | {"timeZone": "Mars/Base"}},
        {"renewalConfiguration.timeZone": "VALIDATION"},
    ),
    (
        {"renewalConfiguration": MONTHLY | {"timeZone": "../../etc/passwd"}},
        {"renewalConfiguration.timeZone": "VALIDATION"},
    ),
    (
        {"renewalConfiguration": MONTHLY | {"timeZone": ""}},
        {"renewalConfiguration.timeZone": "VALIDATION"},
    ),
    ({"renewalConfiguration": MONTHLY | {"cycles": 0}}, {"renewalConfiguration.cycles": "MIN"}),
    (
        {"renewalConfiguration": MONTHLY | {"cycles": 10_001}},
        {"renewalConfiguration.cycles": "MAX"},
    ),
    (
        {"renewalConfiguration": MONTHLY | {"atEnd": "EXPLODE"}},
        {"renewalConfiguration.atEnd": "INVALID_ENUM_VALUE"},
    ),
    (
        {"renewalConfiguration": MONTHLY | {"anchor": "2027-01-01"}},
        {"renewalConfiguration.anchor": "FORMAT"},
    ),
    (
        {"renewalConfiguration": MONTHLY | {"anchor": "+10000-01-01T00:00:00Z"}},
        {"renewalConfiguration.anchor": "FORMAT"},
    ),
    ({"renewalConfiguration": "P1M"}, {"renewalConfiguration": "FORMAT"}),
    ({"endDate": "2030-01-01T00:00:00Z", "endsAfter": "P1Y"}, {"endsAfter": "ONE_OF_ALIGNMENT"}),
    ({"endsAfter": "P0D"}, {"endsAfter": "MIN"}),
    ({"whilePaused": "REWIND"}, {"whilePaused": "INVALID_ENUM_VALUE"}),
    ({"pausedDaysMax": 0}, {"pausedDaysMax": "MIN"}),
    ({"pausedDaysMax": 367}, {"pausedDaysMax": "MAX"}),
    (
        {
            "renewalConfiguration": {"every": "x", "timeZone": "Mars/Base", "cycles": 0},
            "endsAfter": "x",
            "pausedDaysMax": 0,
        },
        {
            "renewalConfiguration.every": "FORMAT",
            "renewalConfiguration.timeZone": "VALIDATION",
            "renewalConfiguration.cycles": "MIN",
            "endsAfter": "FORMAT",
            "pausedDaysMax": "MIN",
        },
    ),
]


@pytest.mark.parametrize(("terms", "fields"), BAD)
async def test_bad_terms_are_refused(
    service: Service, terms: Document, fields: dict[str, str]
) -> None:
    """Wherever they are said, with the field and its rule, all of them at once."""
    new = {"namespace": NAMESPACE, "externalId": guid(), **terms}
    creating = await service.refusal("createProgramDefinition", {"programDefinition": new})
    assert creating.fields == {f"programDefinition.{name}": rule for name, rule in fields.items()}
    definition = await service.create_program_definition()
    with pytest.raises(type(creating)) as refused:
        await service.provision(program_definition=definition, **terms)
    assert refused.value.fields == fields
    shown = await service.refusal("previewTimetable", terms)
    assert shown.fields == fields


async def test_years_past_the_calendar_are_no_error(timed: Service, clock: StillClock) -> None:
    """A timetable whose next instant would come after the year 9999 has none, and all is well."""
    clock.now = at("9990-01-01")
    program_id = await new_member(timed, renewalConfiguration={"every": "P100Y"})
    program = await read(timed, program_id)
    assert "nextRenewalDate" not in program
    assert program["cycle"] == {"number": 1, "startDate": text(clock.now)}


# What programs get


async def test_a_program_gets_the_terms_of_its_definition(
    timed: Service, clock: StillClock
) -> None:
    """It shows its own copy, with the current cycle and its next renewal."""
    definition = await template(timed, **TERMS)
    program = (await timed.provision(program_definition=definition))["program"]
    assert program["renewalConfiguration"] == TERMS["renewalConfiguration"]
    assert (program["whilePaused"], program["pausedDaysMax"]) == ("STOP", 30)
    assert program["nextRenewalDate"] == "2027-02-01T00:00:00.000Z"
    assert program["endDate"] == "2030-01-31T10:00:00.000Z"
    assert program["cycle"] == {
        "number": 1,
        "startDate": text(clock.now),
        "endDate": program["nextRenewalDate"],
    }
    assert await read(timed, program["id"]) == program
    assert "endsAfter" not in program


async def test_a_request_overrides_the_definition(timed: Service) -> None:
    """What it says counts, the rest comes from the definition; either end counts for both."""
    definition = await template(timed, **TERMS)
    own = {"renewalConfiguration": {"every": "P1Y"}, "endDate": "2031-05-05T00:00:00.000Z"}
    program = (await timed.provision(program_definition=definition, **own))["program"]
    assert program["renewalConfiguration"] == {
        "every": "P1Y",
        "anchor": text(BEGIN),
        "timeZone": "UTC",
        "atEnd": "END",
    }
    assert (program["endDate"], program["whilePaused"]) == (own["endDate"], "STOP")
    assert program["nextRenewalDate"] == "2028-01-31T10:00:00.000Z"


async def test_a_pool_definition_alone_can_be_given_terms(timed: Service) -> None:
    """A program that is made from a single pool definition renews, too."""
    pool_definition = await timed.create_pool_definition()
    answer = await timed.provision(pool_definition=pool_definition, renewalConfiguration=MONTHLY)
    assert answer["program"]["nextRenewalDate"] == "2027-02-28T10:00:00.000Z"


async def test_an_end_in_the_past_is_refused(timed: Service, clock: StillClock) -> None:
    """At the very instant too: nothing is made, and the field is named."""
    definition = await template(timed)
    request = {
        "poolDefinitionLookupId": {"programDefinitionId": definition["id"]},
        "beneficiary": {"memberId": guid()},
        "namespace": NAMESPACE,
        "externalProgramId": guid(),
    }
    for end in (clock.now, clock.now - DAY):
        refused = await timed.refusal("provisionProgram", request | {"endDate": text(end)})
        assert refused.fields == {"endDate": "OTHER"}
    made = await timed.call("provisionProgram", request | {"endDate": text(clock.now + 1)})
    assert made["program"]["endDate"] == text(clock.now + 1)


async def test_a_definition_whose_end_has_passed_says_so(timed: Service, clock: StillClock) -> None:
    """The refusal names the field and the date; a request with an end of its own is served."""
    end = clock.now + DAY
    definition = await template(timed, endDate=text(end))
    clock.now = end
    request = {
        "poolDefinitionLookupId": {"programDefinitionId": definition["id"]},
        "beneficiary": {"memberId": guid()},
        "namespace": NAMESPACE,
        "externalProgramId": guid(),
    }
    refused = await timed.refusal("provisionProgram", request)
    assert (refused.status, refused.code) == (428, "END_DATE_PASSED")
    assert refused.data == {"programDefinitionId": definition["id"], "endDate": text(end)}
    assert "endDate" in refused.body["details"]["applicationError"]["description"]
    made = await timed.call("provisionProgram", request | {"endsAfter": "P1D"})
    assert made["program"]["endDate"] == text(end + DAY)


async def test_a_paused_program_knows_since_when(timed: Service, clock: StillClock) -> None:
    """A program that begins with a pause resumes by itself when its days are used up."""
    terms = {"renewalConfiguration": MONTHLY, "pausedDaysMax": 5, "whilePaused": "STOP"}
    program_id = await new_member(timed, programStatus="PAUSED", **terms)
    program = await read(timed, program_id)
    assert program["pausedSinceDate"] == text(BEGIN)
    assert program["pausedUntilDate"] == text(BEGIN + 5 * DAY)
    await reach(timed, clock, BEGIN + 5 * DAY)
    after = await read(timed, program_id)
    assert after["status"] == "ACTIVE"
    assert after["nextRenewalDate"] == "2027-03-05T10:00:00.000Z"
    assert not {"pausedSinceDate", "pausedUntilDate"} & after.keys()


async def test_a_program_without_pools_begins_anew(timed: Service, clock: StillClock) -> None:
    """What is provisioned again gets its dates from then."""
    definition = await timed.create_program_definition(renewalConfiguration=MONTHLY)
    name = guid()
    first = await timed.provision(program_definition=definition, externalProgramId=name)
    clock.now += 40 * DAY
    again = await timed.provision(program_definition=definition, externalProgramId=name)
    assert again["program"]["id"] == first["program"]["id"]
    assert again["program"]["cycle"]["startDate"] == text(clock.now)
    assert again["program"]["cycle"]["number"] == 1


async def test_dates_begin_with_the_request(timed: Service, clock: StillClock) -> None:
    """Pools that are opened in the background later don't move them."""
    await limit_requests(timed)
    definition = await template(timed, renewalConfiguration=MONTHLY)
    program = (await timed.provision(program_definition=definition))["program"]
    assert program["status"] == "PROVISIONING"
    await reach(timed, clock, BEGIN + HOUR)
    ready = await read(timed, program["id"])
    assert ready["status"] == "ACTIVE"
    assert ready["nextRenewalDate"] == "2027-02-28T10:00:00.000Z"
    assert ready["cycle"] == program["cycle"]


async def test_programs_are_found_by_their_dates(timed: Service) -> None:
    """By ranges of the next renewal and of the end, and in their order."""
    ids = [
        await new_member(timed, renewalConfiguration={"every": every}, endsAfter="P2Y")
        for every in ("P3M", "P1M", "P2M")
    ]
    await new_member(timed)
    query = {
        "filter": {"nextRenewalDate": {"$lt": "2027-04-15T00:00:00Z"}},
        "sort": [{"fieldName": "nextRenewalDate"}],
    }
    found = (await timed.call("queryPrograms", {"query": query}))["programs"]
    assert [each["id"] for each in found] == [ids[1], ids[2]]
    query = {
        "filter": {"endDate": {"$exists": True}},
        "sort": [{"fieldName": "endDate"}, {"fieldName": "nextRenewalDate", "order": "DESC"}],
    }
    found = (await timed.call("queryPrograms", {"query": query}))["programs"]
    assert [each["id"] for each in found] == [ids[0], ids[2], ids[1]]


# What updates change


async def test_an_end_can_be_set_and_taken_away(timed: Service, clock: StillClock) -> None:
    """A program ends at the end that counts last, and the renewal behind it is shown no more."""
    program_id = await new_member(timed, renewalConfiguration=MONTHLY)
    before = await read(timed, program_id)
    soon = await update(timed, program_id, endDate=text(BEGIN + DAY))
    assert "nextRenewalDate" not in soon
    assert soon["cycle"]["endDate"] == soon["endDate"] == text(BEGIN + DAY)
    assert (await pool_of(timed, program_id)).program_due == BEGIN + DAY
    free = await update(timed, program_id, endDate=None)
    assert {**before, **recent(free)} == free
    await reach(timed, clock, BEGIN + 2 * DAY)
    assert (await read(timed, program_id))["status"] == "ACTIVE"
    await update(timed, program_id, endDate=text(clock.now + DAY))
    await reach(timed, clock, clock.now + DAY)
    over = await read(timed, program_id)
    assert over["status"] == "ENDED"
    assert "nextRenewalDate" not in over


async def test_an_end_at_a_renewal_comes_in_its_place(timed: Service, clock: StillClock) -> None:
    """The cycle before it is the last one, and says so."""
    end = text(at("2027-03-31T10:00"))
    program_id = await new_member(timed, renewalConfiguration=MONTHLY, endDate=end)
    await reach(timed, clock, at("2027-02-28T10:00"))
    program = await read(timed, program_id)
    assert "nextRenewalDate" not in program
    assert program["cycle"]["endDate"] == program["endDate"] == end


async def test_each_year_brings_all_of_its_paused_days(timed: Service, clock: StillClock) -> None:
    """Of a pause over New Year's Eve, the new year counts only its own days."""
    program_id = await new_member(timed, pausedDaysMax=10)
    for begin, end in (
        ("2027-12-20T00:00", "2027-12-25T00:00"),
        ("2027-12-30T00:00", "2028-01-04T00:00"),
    ):
        clock.now = at(begin)
        await act(timed, "pause", program_id)
        clock.now = at(end)
        await act(timed, "resume", program_id)
    clock.now = at("2028-02-01T00:00")
    await act(timed, "pause", program_id)
    program = await read(timed, program_id)
    assert program["pausedUntilDate"] == text(clock.now + 7 * DAY)


async def test_pools_know_what_comes_after_a_missed_renewal(
    timed: Service, clock: StillClock
) -> None:
    """A cycle that begins in a pause leaves nothing due in the pools."""
    program_id = await new_member(timed, renewalConfiguration=MONTHLY)
    await act(timed, "pause", program_id)
    await reach(timed, clock, at("2027-02-28T10:00"))
    assert (await read(timed, program_id))["cycle"]["number"] == 2
    assert (await pool_of(timed, program_id)).program_due == at("2027-03-31T10:00")


async def test_pools_follow_the_dates_of_their_program(timed: Service, clock: StillClock) -> None:
    """Whoever spends after an end that was set later is refused, though nobody has booked it."""
    program_id = await new_member(timed)
    await update(timed, program_id, endDate=text(BEGIN + DAY))
    pool = await pool_of(timed, program_id)
    clock.now = BEGIN + DAY
    adjusted = {"type": "ADJUST", "adjustOptions": {"value": "1"}, "idempotencyKey": guid()}
    await timed.call("changeBalance", {"poolId": pool.id, **adjusted})
    assert (await pool_of(timed, program_id)).status == "ENDED"


async def test_another_timetable_begins_now(timed: Service, clock: StillClock) -> None:
    """A changed one has cycle 1 and its own anchor; the same one goes on; null takes it away."""
    program_id = await new_member(timed, renewalConfiguration=MONTHLY)
    await reach(timed, clock, BEGIN + 40 * DAY)
    second = await read(timed, program_id)
    assert second["cycle"]["number"] == 2
    same = await update(timed, program_id, renewalConfiguration=MONTHLY, displayName="Ada")
    assert same["cycle"] == second["cycle"]
    same = await update(
        timed, program_id, renewalConfiguration=second["renewalConfiguration"], pausedDaysMax=9
    )
    assert same["cycle"] == second["cycle"]
    weekly = await update(timed, program_id, renewalConfiguration={"every": "P1W", "cycles": 2})
    assert weekly["cycle"]["number"] == 1
    assert weekly["renewalConfiguration"]["anchor"] == text(clock.now)
    assert weekly["nextRenewalDate"] == text(clock.now + 7 * DAY)
    assert (await pool_of(timed, program_id)).program_due == clock.now + 7 * DAY
    none = await update(timed, program_id, renewalConfiguration=None)
    assert not {"renewalConfiguration", "nextRenewalDate", "cycle", "endDate"} & none.keys()
    assert (await pool_of(timed, program_id)).program_due is None


async def test_a_program_without_dates_can_get_some(timed: Service, clock: StillClock) -> None:
    """Paused or not: what was provisioned before renews from now on."""
    program_id = await new_member(timed, programStatus="PAUSED")
    assert await update(timed, program_id, whilePaused="RUN", endDate=None) == await read(
        timed, program_id
    )
    assert (await row_of(timed, program_id)).calendar is None
    program = await update(timed, program_id, renewalConfiguration=MONTHLY, pausedDaysMax=3)
    assert program["pausedSinceDate"] == text(BEGIN)
    await reach(timed, clock, BEGIN + 3 * DAY)
    await reach(timed, clock, at("2027-02-28T10:00"))
    after = await read(timed, program_id)
    assert (after["status"], after["cycle"]["number"]) == ("ACTIVE", 2)


async def test_bad_updates_are_refused(timed: Service, clock: StillClock) -> None:
    """An end that has passed, and fewer days than a pause has used up, name the field."""
    program_id = await new_member(timed, pausedDaysMax=30)
    refused = await update_refused(timed, program_id, endDate=text(clock.now))
    assert refused.fields == {"program.endDate": "OTHER"}
    refused = await update_refused(timed, program_id, renewalConfiguration={"every": "PT1M"})
    assert refused.fields == {"program.renewalConfiguration.every": "MIN"}
    await act(timed, "pause", program_id)
    clock.now += 10 * DAY
    refused = await update_refused(timed, program_id, pausedDaysMax=10)
    assert refused.fields == {"program.pausedDaysMax": "OTHER"}
    fewer = await update(timed, program_id, pausedDaysMax=11)
    assert fewer["pausedUntilDate"] == text(BEGIN + 11 * DAY)


async def test_a_stopped_clock_fixes_dates(timed: Service) -> None:
    """Nobody knows when they will be; how a pause is counted is fixed in every pause."""
    terms: Document = {"renewalConfiguration": MONTHLY, "whilePaused": "STOP"}
    program_id = await new_member(timed, **terms)
    await act(timed, "pause", program_id)
    for fields in (
        {"endDate": "2028-01-01T00:00:00Z"},
        {"renewalConfiguration": {"every": "P1W"}},
        {"whilePaused": "RUN"},
    ):
        refused = await update_refused(timed, program_id, **fields)
        assert (refused.status, refused.code) == (428, "PROGRAM_DATES_FIXED")
        assert refused.data == {"fields": [*fields], "currentStatus": "PAUSED"}
    same = await update(timed, program_id, **terms, displayName="Ada")
    assert same["displayName"] == "Ada"
    await act(timed, "resume", program_id)
    await update(timed, program_id, whilePaused="RUN")


async def test_what_has_ended_gets_no_dates(timed: Service) -> None:
    """An ended program keeps the dates that it had."""
    program_id = await new_member(timed)
    await act(timed, "end", program_id)
    refused = await update_refused(timed, program_id, endDate="2030-01-01T00:00:00Z")
    assert refused.data == {"fields": ["endDate"], "currentStatus": "ENDED"}


async def test_an_update_books_first_what_is_due(timed: Service, clock: StillClock) -> None:
    """What happened before is in the revision that it must be made on."""
    program_id = await new_member(timed, renewalConfiguration=MONTHLY)
    program = await read(timed, program_id)
    clock.now = at("2027-02-28T10:00")
    change = {"id": program_id, "revision": program["revision"], "endDate": "2030-01-01T00:00:00Z"}
    refused = await timed.refusal("updateProgram", {"program": change})
    assert refused.code == "INVALID_REVISION"
    await update(timed, program_id, endDate="2030-01-01T00:00:00Z")
    assert (await read(timed, program_id))["cycle"]["number"] == 2


# What a renewal by hand does


async def test_a_renewal_by_hand_leaves_the_timetable_alone(
    timed: Service, clock: StillClock
) -> None:
    """Unless it restarts it: then it counts from now, with cycle 1."""
    program_id = await new_member(timed, renewalConfiguration=MONTHLY)
    before = await read(timed, program_id)
    clock.now += 5 * DAY
    await act(timed, "renew", program_id)
    after = await read(timed, program_id)
    assert {**before, **recent(after)} == after
    await reach(timed, clock, BEGIN + 40 * DAY)
    request = {"programId": program_id, "idempotencyKey": guid(), "restartTimetable": True}
    await timed.call("renewProgram", request)
    restarted = await read(timed, program_id)
    assert restarted["cycle"]["number"] == 1
    assert restarted["renewalConfiguration"]["anchor"] == text(clock.now)
    assert restarted["nextRenewalDate"] == "2027-04-12T10:00:00.000Z"
    assert (await pool_of(timed, program_id)).program_due == at("2027-04-12T10:00")


async def test_a_restart_in_a_stopped_pause_counts_from_its_end(
    timed: Service, clock: StillClock
) -> None:
    """Where the clock stands still, the new cycle is whole after the pause."""
    program_id = await new_member(timed, renewalConfiguration=MONTHLY, whilePaused="STOP")
    clock.now = at("2027-02-10T10:00")
    await act(timed, "pause", program_id)
    clock.now = at("2027-02-15T10:00")
    request = {"programId": program_id, "idempotencyKey": guid(), "restartTimetable": True}
    await timed.call("renewProgram", request)
    clock.now = at("2027-02-20T10:00")
    await act(timed, "resume", program_id)
    program = await read(timed, program_id)
    assert program["cycle"]["startDate"] == "2027-02-15T10:00:00.000Z"
    assert program["nextRenewalDate"] == "2027-03-20T10:00:00.000Z"
    await run_jobs(timed)
    assert (await read(timed, program_id))["cycle"]["number"] == 1


async def test_only_a_timetable_can_be_restarted(timed: Service) -> None:
    """Without one the renewal is refused, and nothing is granted."""
    program_id = await new_member(timed)
    request = {"programId": program_id, "idempotencyKey": guid(), "restartTimetable": True}
    refused = await timed.refusal("renewProgram", request)
    assert (refused.status, refused.fields) == (400, {"restartTimetable": "OTHER"})
    assert (await pool_of(timed, program_id)).renewal_count == 0
