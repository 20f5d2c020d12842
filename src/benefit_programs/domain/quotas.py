"""What a pool has used of its rate limits: rows that redemptions count up and down."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from benefit_programs.domain.entities import Quota, QuotaShare
from benefit_programs.domain.lookups import QUOTA
from benefit_programs.domain.state import Needs, State
from benefit_programs.domain.values import LocalDate


def ask_for_quotas(needs: Needs, pool_id: str, shares: Iterable[QuotaShare]) -> None:
    for share in shares:
        needs.read(QUOTA, pool_id, share.quota_id, share.period_start)


def of_fewer(shares: Sequence[QuotaShare], fewer: int) -> tuple[QuotaShare, ...]:
    """The shares of a redemption of so many items fewer."""
    if not fewer:
        return tuple(shares)
    return tuple(replace(each, count=each.count - fewer) for each in shares if each.count > fewer)


def of_count(shares: Sequence[QuotaShare], count: int) -> tuple[QuotaShare, ...]:
    """The shares of so many of the items."""
    return tuple(replace(each, count=min(each.count, count)) for each in shares)


def quota_used(state: State, pool_id: str, quota_id: str, period_start: LocalDate) -> int:
    quota = state.one(QUOTA, pool_id, quota_id, period_start)
    return quota.used if quota else 0


def take_quotas(
    state: State,
    pool_id: str,
    shares: Sequence[QuotaShare] = (),
    freed: Sequence[QuotaShare] = (),
) -> list[Quota]:
    """The quotas after some shares are taken and others given back, in one step."""
    if not shares and not freed:
        return []
    used: dict[tuple[str, LocalDate], int] = {}
    for sign, group in ((1, shares), (-1, freed)):
        for share in group:
            place = (share.quota_id, share.period_start)
            used[place] = used.get(place, 0) + sign * share.count
    return [
        Quota(
            pool_id=pool_id,
            quota_id=quota_id,
            period_start=start,
            used=max(quota_used(state, pool_id, quota_id, start) + difference, 0),
        )
        for (quota_id, start), difference in used.items()
        if difference
    ]
