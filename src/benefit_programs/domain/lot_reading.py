"""Questions about lots: what is there now, whether or not it is booked."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from benefit_programs.domain.account import Account, ask_for_lots
from benefit_programs.domain.entities import Lot, Reservation, ReservationStatus
from benefit_programs.domain.lookups import RESERVATIONS_OF_POOL
from benefit_programs.domain.lots import in_burn_order, standard_lot
from benefit_programs.domain.settling import ask_for_account
from benefit_programs.domain.state import Needs, State
from benefit_programs.domain.values import Credits


class LotsOfPools(msgspec.Struct, frozen=True, kw_only=True):
    """What has come due in some pools, and if wished all their open lots."""

    pool_ids: tuple[str, ...]
    all_lots: bool = False

    def ask(self, needs: Needs, state: State) -> None:
        for pool_id in self.pool_ids:
            pool = ask_for_account(needs, state, pool_id, reads_only=True)
            if pool is not None and self.all_lots:
                ask_for_lots(needs, pool_id)
                needs.read(RESERVATIONS_OF_POOL, pool_id)


def lots_of(state: State, account: Account) -> list[Lot]:
    """The lots of a pool that are live or still to come, and the standard one, in burn order.

    What comes back from a reservation that lapsed a moment ago, to a lot that isn't booked yet, is
    missing until it is.
    """
    stored = [each for each in account.open_lots() if each.id]
    return in_burn_order([*stored, standard_lot_of(state, account)])


def standard_lot_of(state: State, account: Account) -> Lot:
    """The standard lot with what reservations hold of it."""
    stored = {each.id: each for each in state.many(RESERVATIONS_OF_POOL, account.pool.id)}
    ended = {each.id: each for each in account.beside if isinstance(each, Reservation)}
    held = sum(map(_held_of_standard, (stored | ended).values()))
    return replace(standard_lot(account.pool), reserved=held)


def _held_of_standard(reservation: Reservation) -> Credits:
    if reservation.status is not ReservationStatus.OPEN:
        return 0
    if not reservation.draws:
        return reservation.price * reservation.held
    return sum(each.amount for each in reservation.draws if each.lot_id == reservation.pool_id)
