"""Lots and reservations in a few lines: what the service must answer, worked out in another way.

It knows no rows, ranks or agendas. A pool is a list of lots; before anything is asked of it, time
is let pass: the earliest thing that is due happens, then the next, until nothing is due.
"""

from __future__ import annotations

from dataclasses import dataclass, field

NEVER = float("inf")
HOUR = 3_600_000
EXPIRES, LAPSES, BEGINS = range(3)


@dataclass(eq=False)
class Lot:
    """Credits with one fate; ``number`` is its place among the pool's lots."""

    number: int
    origin: str
    granted: int
    priority: int = 100
    effective: float = 0
    expires: float = NEVER
    kept: bool = False
    available: int = 0
    reserved: int = 0
    begun: bool = True
    lapsed: bool = False
    id: str = ""

    @property
    def order(self) -> tuple[float, ...]:
        return self.priority, self.expires, self.effective, self.number

    @property
    def state(self) -> str:
        if not self.begun:
            return "FUTURE"
        if self.lapsed:
            return "EXPIRED"
        return "LIVE" if self.available else "SPENT"


Parts = list[tuple[Lot, int]]


def first_of(parts: Parts, amount: int) -> Parts:
    """What comes first of some parts, so much in all."""
    taken: Parts = []
    for lot, part in parts:
        if amount:
            taken.append((lot, min(part, amount)))
            amount -= taken[-1][1]
    return taken


def without_first(parts: Parts, amount: int) -> Parts:
    """What is left of some parts after so much of them."""
    left: Parts = []
    for lot, part in parts:
        gone = min(part, amount)
        amount -= gone
        if part > gone:
            left.append((lot, part - gone))
    return left


@dataclass(eq=False)
class Redemption:
    """A redemption or a capture; ``parts`` are what it took from lots."""

    price: int
    count: int
    parts: Parts
    canceled: int = 0
    id: str = ""


@dataclass(eq=False)
class Reservation:
    """What is held until somebody takes it or it lapses."""

    price: int
    count: int
    parts: Parts
    expires: float
    captured: int = 0
    state: str = "OPEN"
    id: str = ""

    @property
    def held(self) -> int:
        return self.count - self.captured if self.state == "OPEN" else 0


@dataclass(frozen=True)
class Terms:
    """What a definition says of its credits; durations are in hours."""

    amount: int = 0
    expires_after: int | None = None
    returns_live: int | None = None
    rollover: bool = False
    cap: int | None = None
    percent: int | None = None
    rollover_expires_after: int | None = None


@dataclass(eq=False)
class Pool:
    """A pool of some terms; the first of its lots is the one without a fate of its own."""

    terms: Terms
    created: int
    lots: list[Lot] = field(default_factory=list)
    reservations: list[Reservation] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.lots.append(Lot(0, "PROVISION", 0, effective=self.created))
        self.bring(self.terms.amount, "PROVISION", self.created)

    @property
    def standard(self) -> Lot:
        return self.lots[0]

    @property
    def available(self) -> int:
        return sum(lot.available for lot in self.lots)

    @property
    def reserved(self) -> int:
        return sum(lot.reserved for lot in self.lots)

    def bring(self, amount: int, origin: str, now: float) -> None:
        """Let credits come as the terms say."""
        if not amount:
            return
        if self.terms.expires_after is None:
            self.standard.available += amount
            return
        self.add(origin, amount, effective=now, expires=now + self.terms.expires_after * HOUR)

    def add(self, origin: str, amount: int, **more: float) -> Lot:
        lot = Lot(len(self.lots), origin, amount, available=amount, **more)  # type: ignore[arg-type]
        self.lots.append(lot)
        return lot

    # Time

    def pass_until(self, now: float) -> None:
        """Let all happen that is due by now, the earliest first."""
        while due := min(self._due(now), default=None, key=lambda each: each[:3]):
            at, kind, _, what = due
            if kind == LAPSES:
                assert isinstance(what, Reservation)
                self.end(what, "LAPSED", at)
                continue
            assert isinstance(what, Lot)
            if kind == EXPIRES:
                what.available, what.lapsed = 0, True
            else:
                what.begun, what.available = True, what.granted

    def _due(self, now: float) -> list[tuple[float, int, int, Lot | Reservation]]:
        found: list[tuple[float, int, int, Lot | Reservation]] = [
            (each.expires, LAPSES, number, each)
            for number, each in enumerate(self.reservations)
            if each.state == "OPEN" and each.expires <= now
        ]
        for lot in self.lots:
            if lot.state == "FUTURE" and lot.effective <= now:
                found.append((lot.effective, BEGINS, lot.number, lot))
            if lot.state == "LIVE" and lot.expires <= now:
                found.append((lot.expires, EXPIRES, lot.number, lot))
        return found

    # What callers do

    def burn(self, amount: int, *, kept: bool = True) -> Parts:
        """Take an amount in the burn order; with ``kept`` false not from what renewals leave."""
        live = [lot for lot in self.lots if lot.available and (kept or not lot.kept)]
        parts = first_of(
            [(lot, lot.available) for lot in sorted(live, key=lambda x: x.order)], amount
        )
        for lot, part in parts:
            lot.available -= part
        return parts

    def redeem(self, price: int, count: int) -> Redemption | None:
        if price * count > self.available:
            return None
        return Redemption(price, count, self.burn(price * count))

    def reserve(self, price: int, count: int, expires: float) -> Reservation | None:
        if price * count > self.available:
            return None
        made = Reservation(price, count, self.burn(price * count), expires)
        for lot, part in made.parts:
            lot.reserved += part
        self.reservations.append(made)
        return made

    def capture(self, held: Reservation, count: int, now: float, *, keep: bool) -> Redemption:
        """Take some of what is held; the rest goes back, unless it is kept."""
        amount = held.price * count
        taken = Redemption(held.price, count, first_of(held.parts, amount))
        held.parts = without_first(held.parts, amount)
        for lot, part in taken.parts:
            lot.reserved -= part
        held.captured += count
        if held.captured == held.count:
            held.state = "CAPTURED"
        elif not keep:
            self.end(held, "CAPTURED", now)
        return taken

    def end(self, held: Reservation, state: str, at: float) -> None:
        """Give back all that is still held."""
        held.state = state
        for lot, part in held.parts:
            lot.reserved -= part
        self.put_back(held.parts, at)
        held.parts = []

    def cancel(self, taken: Redemption, total: int, now: float) -> None:
        """Cancel items of a redemption, so that so many are canceled in all."""
        standing = first_of(taken.parts, taken.price * (taken.count - taken.canceled))
        self.put_back(without_first(standing, taken.price * (taken.count - total)), now)
        taken.canceled = total

    def put_back(self, parts: Parts, at: float) -> None:
        lives = self.terms.returns_live
        late = 0
        for lot, part in parts:
            if self.lives(lot, at + 1 if lives is None else at + lives * HOUR):
                lot.available += part
            elif lives is None:
                lot.lapsed = True
            else:
                late += part
        if late:
            assert lives is not None
            self.add("RETURN", late, effective=at, expires=at + lives * HOUR)

    def begin_of(self, lot: Lot) -> float:
        return lot.effective

    def end_at(self, lot: Lot, end: float) -> None:
        lot.expires = end

    def lives(self, lot: Lot, until: float) -> bool:
        return lot.expires >= until

    def adjust(self, value: int, now: float) -> bool:
        if self.available + value < 0:
            return False
        if value < 0:
            self.burn(-value)
        else:
            self.bring(value, "ADJUSTMENT", now)
        return True

    def renew(self, now: float) -> None:
        terms = self.terms
        total = sum(lot.available for lot in self.lots if not lot.kept)
        stays = total if terms.rollover else 0
        if terms.percent is not None:
            stays = stays * terms.percent // 100
        if terms.cap is not None:
            stays = min(stays, terms.cap)
        self.burn(total - stays, kept=False)
        if terms.rollover_expires_after is not None:
            self._shorten(now + terms.rollover_expires_after * HOUR)
        self.bring(terms.amount, "RENEWAL", now)

    def _shorten(self, end: float) -> None:
        """Let what rolled over live no longer than that."""
        for lot in [each for each in self.lots if each.available and not each.kept]:
            if lot is self.standard:
                self.add("PROVISION", lot.available, effective=lot.effective, expires=end)
                lot.available = 0
            else:
                self.shorten(lot, end)

    def shorten(self, lot: Lot, end: float) -> None:
        lot.expires = min(lot.expires, end)
