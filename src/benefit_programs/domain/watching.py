"""Alerts of a pool: what of them holds, and what has begun to.

An alert tells of subjects: the balance, lots, reservations, or the program's next renewal or end.
It stands of those of which it holds, and is raised when it begins to hold of one. A pool keeps of
what its alerts stand. So each crossing is told once, and told again after it had ended.

Whoever changes credits looks at what was changed; ``settling`` looks at what crosses by itself, at
its instant, and at everything when the terms or the program have changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

import msgspec
from msgspec.structs import replace

from benefit_programs.domain.context import Context
from benefit_programs.domain.details import Alert, AlertType, Details
from benefit_programs.domain.durations import earlier
from benefit_programs.domain.entities import (
    Lot,
    LotStatus,
    Pool,
    PoolStatus,
    Program,
    Reservation,
    ReservationStatus,
    Transaction,
)
from benefit_programs.domain.rows import Row
from benefit_programs.domain.values import Credits, Instant

_BALANCE, _END = "balance", "end"
"""Subjects that have no ids."""


class Raised(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An alert that began to hold of a pool, and what it tells, as its event keeps it.

    ``available`` is what could be spent then. ``date`` is the instant that it tells of, and
    ``amount`` what the lot or the reservation holds.
    """

    alert_key: str
    type: AlertType
    crossed: Instant
    available: Credits = 0
    date: Instant | None = None
    amount: Credits | None = None
    lot_id: str | None = None
    reservation_id: str | None = None


class Crossing(NamedTuple):
    """An alert that was raised in a decision, after so many of its transactions."""

    after: int
    raised: Raised


class Watched(Protocol):
    """The account whose alerts are judged."""

    pool: Pool
    at: Instant
    context: Context
    transactions: list[Transaction]
    crossings: list[Crossing]

    def clock_of(self, lot: Lot) -> Instant:
        """The instant at which a lot's dates are judged."""

    def changed_rows(self) -> list[Row]:
        """What was changed beside the pool."""

    def seen_lots(self) -> list[Lot]:
        """All stored lots that it has looked at or made."""


class Watch:
    """Judges the alerts of a pool while its account changes.

    ``ahead`` are the instants at which an alert will begin to hold by itself, with the id of the
    lot, the reservation or the program that has to be looked at then.
    """

    def __init__(self, account: Watched, details: Details) -> None:
        self.ahead: list[tuple[Instant, str]] = []
        self._account = account
        self._alerts: Sequence[Alert] = details.alerts or ()
        self._granted = details.credit_amount
        self._standing = {
            key: dict.fromkeys(subjects) for key, subjects in (account.pool.alerts or {}).items()
        }
        self._judged: set[tuple[str, str]] = set()

    def look_at_balance(self) -> None:
        account = self._account
        for alert in self._alerts:
            options = alert.balance_below_options
            if options is not None:
                is_below = options.holds(account.pool.available, self._granted)
                self._judge(alert, _BALANCE, account.at if is_below else None, account.at)

    def look_at_lot(self, lot: Lot) -> None:
        is_left = lot.status is LotStatus.LIVE and lot.available
        date = lot.expiration_date if is_left else None
        told = Raised(
            alert_key="",
            type=AlertType.CREDITS_EXPIRING,
            crossed=0,
            date=date,
            amount=lot.available,
            lot_id=lot.id,
        )
        self._look_ahead(lot.id, told, row_id=lot.id, clock=self._account.clock_of(lot))

    def look_at_reservation(self, row: Reservation) -> None:
        date = row.expiration_date if row.status is ReservationStatus.OPEN else None
        told = Raised(
            alert_key="",
            type=AlertType.RESERVATION_LAPSING,
            crossed=0,
            date=date,
            amount=row.price * row.held,
            reservation_id=row.id,
        )
        self._look_ahead(row.id, told, row_id=row.id, clock=self._clock(since=row.created))

    def look_at_program(self, program: Program) -> None:
        """Look at the next renewal, which doesn't happen while it is paused, and at the end."""
        calendar = program.calendar
        if calendar is None:
            return
        renewal = None if calendar.paused_since is not None else program.next_renewal
        dates = (
            (str(calendar.cycle), AlertType.RENEWAL_DUE, renewal),
            (_END, AlertType.PROGRAM_ENDING, program.end_date),
        )
        for subject, kind, date in dates:
            told = Raised(alert_key="", type=kind, crossed=0, date=date)
            clock, zone = self._clock(), calendar.time_zone
            self._look_ahead(subject, told, row_id=program.id, clock=clock, time_zone=zone)

    def look_at_rows(self, rows: Iterable[Row]) -> None:
        """Look at the lots and reservations among these."""
        newest = {row.id: row for row in rows if isinstance(row, Lot | Reservation)}
        for row in newest.values():
            if isinstance(row, Lot):
                self.look_at_lot(row)
            else:
                self.look_at_reservation(row)

    def forget_others(self) -> None:
        """Let alerts stand only of what was looked at."""
        for key, subjects in self._standing.items():
            self._standing[key] = {each: None for each in subjects if (key, each) in self._judged}

    def keep(self) -> None:
        """Have the pool keep of what its alerts stand, and be looked at when the next one may."""
        account = self._account
        alerts = {key: [*subjects] for key, subjects in self._standing.items() if subjects}
        pool = account.pool
        if alerts != pool.alerts:
            account.pool = pool = replace(pool, alerts=alerts)
        if self.ahead and pool.stopped is None:
            first = min(at for at, _ in self.ahead)
            if pool.due is None or first < pool.due:
                account.pool = replace(pool, due=first)

    def _clock(self, *, since: Instant = 0) -> Instant:
        """The instant at which the dates of what was there ``since`` are judged.

        Of dates that move with a pause as much is left as when it began.
        """
        account = self._account
        stopped = account.pool.stopped
        return account.at if stopped is None else max(stopped, since)

    def _look_ahead(
        self,
        subject: str,
        told: Raised,
        *,
        row_id: str,
        clock: Instant,
        time_zone: str | None = None,
    ) -> None:
        """Judge the alerts about a date that comes by itself; without a date they don't hold."""
        account = self._account
        zone = time_zone or account.context.settings.time_zone
        for alert in self._alerts:
            within = alert.within(told.type)
            if within is None:
                continue
            begin = None if told.date is None else earlier(told.date, within, zone)
            if not self._judge(alert, subject, begin, clock, told) and begin is not None:
                self.ahead.append((begin, row_id))

    def _judge(
        self,
        alert: Alert,
        subject: str,
        begin: Instant | None,
        clock: Instant,
        told: Raised | None = None,
    ) -> bool:
        """Whether an alert holds of a subject; raise it if it did not until now."""
        key = alert.alert_key
        self._judged.add((key, subject))
        standing = self._standing.setdefault(key, {})
        if begin is None or begin > clock:
            standing.pop(subject, None)
            return False
        if subject not in standing:
            standing[subject] = None
            self._raise(alert, told)
        return True

    def _raise(self, alert: Alert, told: Raised | None) -> None:
        account = self._account
        raised = told or Raised(alert_key="", type=alert.kind, crossed=0)
        account.crossings.append(
            Crossing(
                after=len(account.transactions),
                raised=replace(
                    raised,
                    alert_key=alert.alert_key,
                    crossed=account.at,
                    available=account.pool.available,
                ),
            )
        )


def watch_changes(account: Watched, details: Details) -> None:
    """Judge the alerts of what was changed on an account."""
    watch = Watch(account, details)
    watch.look_at_balance()
    watch.look_at_rows(account.changed_rows())
    watch.keep()


def watch_anew(pool: Pool, at: Instant) -> Pool:
    """The pool with all of its alerts to be judged: its terms or its program have changed.

    Runners do that soon, and whoever uses the pool before.
    """
    if pool.status is PoolStatus.ENDED:
        return pool
    due = pool.due
    if pool.stopped is None:
        due = at if due is None else min(due, at)
    return replace(pool, alerts=pool.alerts or {}, due=due)


def begin_to_watch(account: Watched, details: Details, program: Program) -> None:
    """Judge the alerts of a pool that was just opened."""
    account.pool = replace(account.pool, alerts={})
    watch = Watch(account, details)
    watch.look_at_balance()
    watch.look_at_rows(account.seen_lots())
    watch.look_at_program(program)
    watch.keep()
