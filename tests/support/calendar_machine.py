"""A program with dates, and callers of its pool, while the clock goes on: held against a model.

The clock is set forward by hours to months, or exactly to what comes next. Then the runner books
what has come due, or somebody's call comes first: it has to end the same. Pauses, ends and changes
of the definition may have dates, and be withdrawn until then.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from benefit_programs.domain.calendars import (
    AtEnd,
    ProgramTerms,
    RenewalConfiguration,
    WhilePaused,
)
from benefit_programs.domain.entities import Lot as StoredLot
from benefit_programs.domain.entities import Operation, ProgramStatus, Transaction
from benefit_programs.domain.entities import Pool as StoredPool
from benefit_programs.domain.entities import Program as StoredProgram
from benefit_programs.domain.errors import Refusal
from benefit_programs.domain.lots import moved_on
from benefit_programs.domain.orders.cascades import StartCascades
from benefit_programs.domain.scheduled_changes import ChangeKind, ScheduledChange
from benefit_programs.jobs.due import SOURCES
from benefit_programs.storage.agenda import FIRST_PLACE
from benefit_programs.wire.codec import amount_text, instant_text
from tests.support.calendar_model import CalendarPool, Cascade, Change, Dates, Program, Renewals
from tests.support.calls import benefit, guid
from tests.support.clock import HOUR, StillClock
from tests.support.dated import open_dated, pause, restart
from tests.support.lifecycle import act, do, do_jobs
from tests.support.lifecycle import refused as refused_action
from tests.support.lots_machine import (
    AMOUNTS,
    MAYBE_HOURS,
    PRICES,
    TERMS,
    LotsMachine,
    configuration,
)
from tests.support.lots_model import NEVER, Lot, Terms

if TYPE_CHECKING:
    from tests.support.clock import Clock

DAY_HOURS = 24
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"]
EVERY = [("hours", 36), ("days", 1), ("days", 7), ("months", 1), ("months", 3), ("months", 12)]
UNITS = {"hours": "PT{}H", "days": "P{}D", "months": "P{}M"}
AHEAD = st.sampled_from([None, None, 1, 5, 3 * DAY_HOURS, 40 * DAY_HOURS])
"""In how many hours a change comes; None is the very instant of what comes next."""

CHANGES = st.sampled_from(["PAUSE"] * 8 + ["RESUME"] * 7 + ["END"])
"""Few programs end, by whatever way: callers can do little with one that has ended."""

LEAPS = [1, 1, 5, DAY_HOURS, 8 * DAY_HOURS, 31 * DAY_HOURS, 100 * DAY_HOURS]
"""For how many hours nobody may be there."""

RENEWALS = st.builds(
    Renewals,
    every=st.sampled_from(EVERY),
    anchor_hours=st.sampled_from([None, 0, 7, 40 * DAY_HOURS, -1000, -31 * DAY_HOURS]),
    cycles=st.sampled_from([None] * 5 + [1, 2, 3, 5, 9]),
    stays=st.booleans(),
)
DATES = st.builds(
    Dates,
    zone=st.sampled_from(ZONES),
    renewals=st.none() | RENEWALS | RENEWALS,
    ends_hours=st.sampled_from([None] * 8 + [1, 90 * DAY_HOURS, 500 * DAY_HOURS]),
    stops=st.booleans(),
    paused_days=st.none() | st.sampled_from([1, 10, 60, 365, 366]),
)
BOOKED_MAX = 10_000
START = 1_767_225_600_000
"""Midnight of 2026-01-01, UTC: examples don't depend on the day on which they are tried."""


def terms_of(dates: Dates, begin: int) -> ProgramTerms:
    """The same dates as a definition says them."""
    renewals = dates.renewals
    return ProgramTerms(
        renewal_configuration=configured(renewals, dates.zone, begin) if renewals else None,
        ends_after=None if dates.ends_hours is None else f"PT{dates.ends_hours}H",
        while_paused=WhilePaused.STOP if dates.stops else None,
        paused_days_max=dates.paused_days,
    )


def configured(renewals: Renewals, zone: str, begin: int) -> RenewalConfiguration:
    (unit, number), ahead = renewals.every, renewals.anchor_hours
    return RenewalConfiguration(
        anchor=None if ahead is None else begin + ahead * HOUR,
        every=UNITS[unit].format(number),
        time_zone=zone,
        cycles=renewals.cycles,
        at_end=AtEnd.STAY if renewals.stays else None,
    )


class CalendarMachine(LotsMachine):
    """What callers do with a pool, while its program lives by its calendar."""

    clock_type: ClassVar[type[Clock]] = StillClock
    pool: CalendarPool

    @initialize(
        terms=TERMS,
        dates=DATES,
        begin=st.integers(0, 400 * DAY_HOURS),
        is_paused=st.booleans(),
    )
    def open(self, terms: Terms, dates: Dates, begin: int, *, is_paused: bool) -> None:
        self.clock.now = START + begin * HOUR
        self.balances: dict[int, int] = {}
        benefits = [benefit(name, price=amount_text(price)) for name, price in PRICES.items()]
        self.wallet = self.run(
            open_dated(
                self.service,
                terms_of(dates, self.now),
                *benefits,
                status=ProgramStatus.PAUSED if is_paused else ProgramStatus.ACTIVE,
                **configuration(terms),
            )
        )
        self.program_id: str = self.wallet.program["id"]
        self.terms, self.revision = terms, 1
        self.pool = CalendarPool(terms, self.now)
        status = "PAUSED" if is_paused else "ACTIVE"
        self.program = Program(dates, self.now, self.pool, status)
        self.agree()

    # Time

    @rule(hours=st.sampled_from(LEAPS))
    def wait(self, hours: int) -> None:
        """Let nobody be there for a while."""
        self.reach(self.now + hours * HOUR)

    def reach(self, at: int) -> None:
        """Let time come to an instant.

        What waits for no renewal counts once it is in the pool: it is brought there.
        """
        self.clock.now = at
        self.program.pass_until(at)
        if self.pool.has_other_lives:
            self.run(self.begin_cascades())
            self.pool.has_other_lives = False

    async def begin_cascades(self) -> None:
        while await do(self.service, StartCascades()):
            pass
        await do_jobs(self.service)

    @rule()
    def read(self) -> None:
        """Ask what there is before anything of it is booked."""
        self.require_balance()

    @rule(early=st.sampled_from([0, 1]), times=st.integers(1, 4))
    def wait_for_next(self, early: int, times: int) -> None:
        """Go on to the very instant of what comes next, or to the last one before it."""
        for _ in range(times):
            at = self.program.next_instant()
            if at > self.now + 400 * DAY_HOURS * HOUR:
                return
            self.reach(max(self.now, int(at) - early))

    @rule(size=st.integers(1, 3))
    def settle(self, size: int = 3) -> None:
        """Let the runners come by."""
        self.run(self.book(size))
        if self.program.cascades:
            self.run(do_jobs(self.service))
        self.pool.pass_until(self.now)
        self.agree()
        self.require_terms()

    async def book(self, size: int = 3) -> None:
        """Do what a runner does at a tenant."""
        for _ in range(BOOKED_MAX):
            found = []
            for source in SOURCES:
                parameters = (self.service.tenant.id, self.now, *FIRST_PLACE, size)
                rows = await self.service.store.fetch(source.statement, parameters)
                if rows:
                    found.append(source.command(tuple(row[0] for row in rows)))
            if not found:
                return
            for command in found:
                await do(self.service, command)
        raise AssertionError("what is due never ends")

    # What befalls the program

    @rule(until=MAYBE_HOURS | st.sampled_from([40 * DAY_HOURS]))
    def pause(self, until: int | None) -> None:
        self.program.pass_until(self.now)
        end = None if until is None else self.now + until * HOUR
        expected = self.program.refusal_of("PAUSE", self.now)
        if expected is not None:
            with pytest.raises(Refusal) as refused:
                self.run(pause(self.service, self.program_id, end))
            assert refused.value.code == expected
        else:
            self.run(pause(self.service, self.program_id, end))
            self.program.pause(self.now, NEVER if end is None else end)
        self.require_program()

    @rule()
    def resume(self) -> None:
        self.program.pass_until(self.now)
        if self.acted("resume", may=self.program.status == "PAUSED"):
            self.program.resume(self.now)
        self.require_program()

    @rule(sure=st.sampled_from([False] * 24 + [True]))
    def end(self, *, sure: bool) -> None:
        self.program.pass_until(self.now)
        if sure and self.acted("end", may=self.program.status != "ENDED"):
            self.program.finish(self.now)
            self.require_program()

    @rule()
    def renew(self) -> None:
        self.program.pass_until(self.now)
        if self.acted("renew", may=self.program.status != "ENDED"):
            self.program.renew(self.now)
        self.require_program()

    @rule()
    def restart(self) -> None:
        """Renew by hand, and count the timetable from now on anew."""
        self.program.pass_until(self.now)
        if self.program.status == "ENDED" or self.program.dates.renewals is None:
            return
        self.run(restart(self.service, self.program_id))
        self.program.restart(self.now)
        self.program.renew(self.now)
        self.require_program()

    def acted(self, action: str, *, may: bool) -> bool:
        """Do an action, which must be refused unless it may be done."""
        if may:
            self.run(act(self.service, action, self.program_id))
        else:
            refusal = self.run(refused_action(self.service, action, self.program_id))
            assert refusal.code == "PROGRAM_STATUS_TRANSITION_NOT_ALLOWED"
        return may

    # What has a date

    @rule(kind=CHANGES, ahead=AHEAD, lasts=MAYBE_HOURS | st.just(40 * DAY_HOURS))
    def schedule(self, kind: str, ahead: int | None, lasts: int | None) -> None:
        """Have the program pause, resume or end at a date."""
        self.program.pass_until(self.now)
        change = Change(len(self.program.changes), kind, self.date_ahead(ahead))
        request = {
            "programId": self.program_id,
            "kind": kind,
            "date": instant_text(change.date),
            "idempotencyKey": guid(),
        }
        if kind == "PAUSE" and lasts is not None:
            change.until = change.date + lasts * HOUR
            request["untilDate"] = instant_text(change.until)
        is_refused = self.program.status == "ENDED"
        refusal = "PROGRAM_STATUS_TRANSITION_NOT_ALLOWED" if is_refused else None
        answer = self.answer("scheduleProgramChange", request, refusal)
        if answer is not None:
            change.id = answer["scheduledChange"]["id"]
            self.program.changes.append(change)
        self.require_program()

    def date_ahead(self, hours: int | None) -> int:
        """An instant that is still to come."""
        following = self.program.next_instant()
        if hours is None and following != NEVER:
            return int(following)
        return self.now + (hours or 1) * HOUR

    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        """Take back what waits, or what doesn't any more."""
        named: list[Change | Cascade] = [*self.program.changes, *self.program.cascades]
        if not named:
            return
        change = data.draw(st.sampled_from(named))
        self.program.pass_until(self.now)
        refusal = None if change.status == "WAITING" else "SCHEDULED_CHANGE_OVER"
        request = {"scheduledChangeId": change.id}
        if self.answer("withdrawScheduledChange", request, refusal) is not None:
            change.status = "WITHDRAWN"
        if isinstance(change, Change):
            self.require_program()
        else:
            # It concerns no program, and sees to nothing in any.
            self.require_balance()

    @rule(
        amount=AMOUNTS,
        other=st.none() | TERMS,
        at_renewal=st.booleans(),
        ahead=st.none() | AHEAD,
        at_once=st.booleans(),
    )
    def change_definition(
        self,
        amount: int,
        other: Terms | None,
        ahead: int | None,
        *,
        at_renewal: bool,
        at_once: bool,
    ) -> None:
        """Let pools have other terms, or get them when they renew: from now on, or from a date."""
        self.program.pass_until(self.now)
        date = self.now if at_once else self.date_ahead(ahead)
        self.terms = other or replace(self.terms, amount=amount)
        cascade = Cascade(date, self.terms, self.revision + 1, at_renewal)
        change = {
            "id": self.wallet.definition["id"],
            "revision": str(self.revision),
            "details": {
                "benefits": self.wallet.definition["details"]["benefits"],
                "creditConfiguration": configuration(self.terms),
            },
        }
        request: dict[str, Any] = {
            "poolDefinition": change,
            "cascade": "NEXT_RENEWAL" if at_renewal else "IMMEDIATELY",
        }
        if not at_once:
            request["cascadeDate"] = instant_text(date)
        self.answer("updatePoolDefinition", request)
        self.revision = cascade.revision
        if at_once:
            self.pool.follow(cascade)
            self.pool.has_other_lives = False
            return
        self.program.cascades.append(cascade)
        rows = self.run(self.service.rows(ScheduledChange))
        cascade.id = next(row.id for row in reversed(rows) if row.kind is ChangeKind.CASCADE)

    # What must hold

    def answer(
        self, name: str, request: dict[str, Any], refusal: str | None = None
    ) -> dict[str, Any] | None:
        """Call the service; None if it refuses as expected."""
        if refusal is None:
            return self.run(self.service.call(name, request))
        assert self.run(self.service.refusal(name, request)).code == refusal
        return None

    def done(
        self, name: str, request: dict[str, Any], refusal: str | None = None
    ) -> dict[str, Any] | None:
        is_refused = name in ("redeemBenefit", "reserveBenefit") and self.pool.status != "ACTIVE"
        return super().done(name, request, "POOL_NOT_ACTIVE" if is_refused else refusal)

    def require_balance(self) -> None:
        """All that is due by now counts: a renewal may move to the instant when a pause ends."""
        self.pool.pass_until(self.now)
        super().require_balance()
        self.balances[self.now] = self.pool.available

    def agree(self) -> None:
        """Whoever changes a pool has seen to the dates of its program before."""
        self.require_program()
        (row,) = self.run(self.service.rows(StoredPool))
        self.shift = row.shift
        super().agree()

    def require_lot(self, row: StoredLot, lot: Lot) -> None:
        """A lot with nothing left is stored as it was, and shown as pauses have moved it."""
        super().require_lot(moved_on(row, self.shift), lot)

    def require_program(self) -> None:
        """The program and its dates are the model's, with nothing left to be booked."""
        (row,) = self.run(self.service.rows(StoredProgram))
        program = self.program
        assert row.status == program.status
        if program.status != "ENDED":
            seen = (row.next_renewal, row.end_date or NEVER, row.due or NEVER)
            assert seen == (program.next_renewal, program.end, program.next_date()[0]), seen
            assert row.calendar is not None
            assert row.calendar.cycle == program.cycle
            assert row.calendar.cycle_start == program.cycle_start
        self.require_changes()
        self.require_balance()

    def require_changes(self) -> None:
        """Each change of the program is what has become of it by now."""
        changes = self.program.changes
        rows = self.run(self.service.rows(ScheduledChange)) if changes else []
        seen = {row.id: (row.status, row.reason) for row in rows}
        for each in changes:
            assert seen[each.id] == (each.status, each.reason), each

    def require_terms(self) -> None:
        """Once all cascades have come to the pool, it has the terms that it should have."""
        pool, cascades = self.pool, self.program.cascades
        rows = self.run(self.service.rows(ScheduledChange)) if cascades else []
        seen = {row.id: row.status for row in rows}
        assert [seen[each.id] for each in cascades] == [each.status for each in cascades]
        (row,) = self.run(self.service.rows(StoredPool))
        waiting = None if pool.pending is None else pool.pending.revision
        assert (row.pool_definition_revision, row.renewal_revision) == (pool.revision, waiting)

    def teardown(self) -> None:
        """All of it came at its instant, however late it was booked."""
        super().teardown()
        if not self.agreed:
            return
        self.settle()
        assert self.run(self.service.slugs_of(self.program_id)) == self.program.slugs
        rows = self.run(self.service.rows(Transaction))
        rows.sort(key=lambda row: row.balance_revision)
        moments = [row.details.due or row.created for row in rows]
        assert moments == sorted(moments)
        renewals = [
            moment
            for row, moment in zip(rows, moments, strict=True)
            if row.operation is Operation.RENEWAL
        ]
        assert renewals == self.pool.granted
        for at, available in self.balances.items():
            changes = (
                row.amount * ((row.target == "AVAILABLE") - (row.source == "AVAILABLE"))
                for row, moment in zip(rows, moments, strict=True)
                if moment <= at
            )
            assert sum(changes) == available, at
