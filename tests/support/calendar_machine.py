"""A program with dates, and callers of its pool, while the clock goes on: held against a model.

The clock is set forward by hours to months, or exactly to what comes next. Then the runner books
what has come due, or somebody's call comes first: it has to end the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from benefit_programs.domain.calendar_errors import PausedDaysUsedUp
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
from benefit_programs.domain.errors import ProgramStatusTransitionNotAllowed, Refusal
from benefit_programs.domain.lots import moved_on
from benefit_programs.jobs.due import SOURCES
from benefit_programs.storage.agenda import FIRST_PLACE
from benefit_programs.wire.codec import amount_text
from tests.support.calendar_model import CalendarPool, Dates, Program, Renewals
from tests.support.calls import benefit
from tests.support.clock import HOUR, StillClock
from tests.support.dated import open_dated, pause, restart
from tests.support.lifecycle import act, do
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
LEAPS = [1, 5, DAY_HOURS, 8 * DAY_HOURS, 31 * DAY_HOURS, 100 * DAY_HOURS]
"""For how many hours nobody may be there."""

RENEWALS = st.builds(
    Renewals,
    every=st.sampled_from(EVERY),
    anchor_hours=st.sampled_from([None, 0, 7, 40 * DAY_HOURS, -1000, -31 * DAY_HOURS]),
    cycles=st.none() | st.integers(1, 5),
    stays=st.booleans(),
)
DATES = st.builds(
    Dates,
    zone=st.sampled_from(ZONES),
    renewals=st.none() | RENEWALS | RENEWALS,
    ends_hours=st.none() | st.none() | st.sampled_from([1, 90 * DAY_HOURS, 500 * DAY_HOURS]),
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
        self.revision = self.wallet.definition["revision"]
        self.pool = CalendarPool(terms, self.now)
        status = "PAUSED" if is_paused else "ACTIVE"
        self.program = Program(dates, self.now, self.pool, status)
        self.agree()

    # Time

    @rule(hours=st.sampled_from(LEAPS))
    def wait(self, hours: int) -> None:
        """Let nobody be there for a while."""
        self.clock.move(hours)

    @rule()
    def read(self) -> None:
        """Ask what there is before anything of it is booked."""
        self.pool.pass_until(self.now)
        self.require_balance()

    @rule(early=st.sampled_from([0, 1]), times=st.integers(1, 4))
    def wait_for_next(self, early: int, times: int) -> None:
        """Go on to the very instant of what comes next, or to the last one before it."""
        for _ in range(times):
            at = self.program.next_date()[0]
            if at == NEVER or at > self.now + 400 * DAY_HOURS * HOUR:
                return
            self.clock.now = max(self.now, int(at) - early)
            if self.now >= at:
                self.program.pass_until(self.now)

    @rule(size=st.integers(1, 3))
    def settle(self, size: int = 3) -> None:
        """Let the runner come by."""
        self.run(self.book(size))
        self.pool.pass_until(self.now)
        self.agree()

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
        refusal: type[Refusal] | None = None
        if self.program.status != "ACTIVE":
            refusal = ProgramStatusTransitionNotAllowed
        elif self.program.days_end(self.now) <= self.now:
            refusal = PausedDaysUsedUp
        if refusal is not None:
            with pytest.raises(refusal):
                self.run(pause(self.service, self.program_id, end))
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

    @rule(sure=st.sampled_from([False] * 4 + [True]))
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
        if self.program.status == "ENDED":
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

    @rule(amount=AMOUNTS, at_once=st.booleans())
    def change_definition(self, amount: int, *, at_once: bool) -> None:
        """Let a renewal bring another amount from now on, or from the next one on."""
        self.program.pass_until(self.now)
        terms = Terms(**{**vars(self.pool.pending or self.pool.terms), "amount": amount})
        change = {
            "id": self.wallet.definition["id"],
            "revision": self.revision,
            "details": {
                "benefits": self.wallet.definition["details"]["benefits"],
                "creditConfiguration": configuration(terms),
            },
        }
        cascade = "IMMEDIATELY" if at_once else "NEXT_RENEWAL"
        request = {"poolDefinition": change, "cascade": cascade}
        answer = self.run(self.service.call("updatePoolDefinition", request))
        self.revision = answer["poolDefinition"]["revision"]
        if self.program.status == "ENDED":
            return
        if at_once:
            self.pool.terms, self.pool.pending = terms, None
        else:
            self.pool.pending = terms

    # What must hold

    def done(
        self, name: str, request: dict[str, Any], refusal: str | None = None
    ) -> dict[str, Any] | None:
        is_refused = name in ("redeemBenefit", "reserveBenefit") and self.pool.status != "ACTIVE"
        return super().done(name, request, "POOL_NOT_ACTIVE" if is_refused else refusal)

    def require_balance(self) -> None:
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
        self.require_balance()

    def teardown(self) -> None:
        """All of it came at its instant, however late it was booked."""
        super().teardown()
        if not self.agreed:
            return
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
