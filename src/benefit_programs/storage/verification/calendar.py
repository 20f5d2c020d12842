"""Checks of what happens to programs by itself: I24 to I26.

Programs without a calendar cost them nothing but a look.
"""

from __future__ import annotations

from benefit_programs.domain.due import DUE
from benefit_programs.domain.operations import COMING_DUE
from benefit_programs.domain.scheduled_changes import ChangeKind, ChangeStatus
from benefit_programs.domain.settings import IN_REQUEST_MAX
from benefit_programs.storage.verification.checks import Check, Paged, listed

_PROGRAMS = "t.tenant_id = $1 and t.id > $2 and t.id <= $3"
_WAITING = ChangeStatus.WAITING

_PAUSED_SINCE = "number[t.calendar, paused_since]"
_STOPS = "coalesce(field[t.calendar, while_paused], 'RUN') = 'STOP'"
_STANDS = f"({_PAUSED_SINCE} is not null and {_STOPS})"
_CYCLES = "inner[t.calendar, timetable, cycles]"
_IS_LAST = f"coalesce(number[t.calendar, cycle] >= {_CYCLES}, false)"
_HAS_EXPECTED_END = (
    f"({_CYCLES} is not null and (t.next_renewal is not null or t.status = 'ENDED'))"
)
"""Whether its end may be the one that its last cycle would have, which hasn't begun."""


def _differ(one: str, other: str) -> str:
    """Whether two values differ, of which either may be missing."""
    return f"({one} <> {other} or ({one} is null) <> ({other} is null))"


def _contradict(stored: str, known: str, may_be_earlier: str) -> str:
    """Whether a stored instant isn't the known one, or is later where it may be earlier."""
    is_later = f"{known} is not null and ({stored} is null or {stored} > {known})"
    return (
        f"(({may_be_earlier} = 0 and {_differ(stored, known)})"
        f" or ({may_be_earlier} = 1 and {is_later}))"
    )


def _first(*instants: str) -> str:
    """The first of some instants, none of which need be there."""
    each = " union all ".join(f"select {instant} as at" for instant in instants)
    return f"(select min(d.at) from ({each}) d)"


_ENDS = _first("number[t.calendar, ends]", "number[t.calendar, last_end]")
_FIRST_CHANGE = f"""(
    select min(c.date) from scheduled_changes c
    where c.tenant_id = $1 and c.program_id = t.id and c.status = '{_WAITING}'
)"""
# When the paused days of a year are used up isn't known here: then it may be earlier.
_FIRST_DATE = f"""case when t.status = 'ENDED' or t.target_status is not null then null else {
    _first(
        _FIRST_CHANGE,
        f"case when {_PAUSED_SINCE} is not null then number[t.calendar, paused_until] end",
        f"case when not {_STANDS} then t.next_renewal end",
        f"case when not {_STANDS} then {_ENDS} end",
    )
} end"""
_MAY_RESUME = (
    f"({_PAUSED_SINCE} is not null and number[t.calendar, paused_days_max] is not null"
    " and t.target_status is null and t.status <> 'ENDED')"
)

PROGRAM_DATES = (
    Check(
        "I24",
        "program",
        f"""
        select c.id, 'something happens next at ' || coalesce(cast(c.due as text), 'no time')
            || ', its dates say ' || coalesce(cast(c.first as text), 'none') as detail
        from (
            select t.id, t.due, {_FIRST_DATE} as first,
                case when {_MAY_RESUME} then 1 else 0 end as may_be_earlier
            from programs t where {_PROGRAMS} and t.calendar is not null
        ) c
        where {_contradict("c.due", "c.first", "c.may_be_earlier")}
        """,
        Paged.PROGRAMS,
    ),
    Check(
        "I24",
        "program",
        f"""
        select c.id, 'ends at ' || coalesce(cast(c.end_date as text), 'no time')
            || ', its calendar says ' || coalesce(cast(c.ends as text), 'never') as detail
        from (
            select t.id, t.end_date, {_ENDS} as ends,
                case when {_HAS_EXPECTED_END} then 1 else 0 end as may_be_earlier
            from programs t where {_PROGRAMS} and t.calendar is not null
        ) c
        where {_contradict("c.end_date", "c.ends", "c.may_be_earlier")}
        """,
        Paged.PROGRAMS,
    ),
    Check(
        "I24",
        "program",
        f"""
        select t.id, 'is in cycle ' || number[t.calendar, cycle] || ' of '
            || coalesce(cast({_CYCLES} as text), 'many') || ', which began at '
            || number[t.calendar, cycle_start] || '; renews next at '
            || coalesce(cast(t.next_renewal as text), 'no time') as detail
        from programs t where {_PROGRAMS} and field[t.calendar, timetable] is not null and (
            (t.next_renewal is not null and ({_IS_LAST} or t.status = 'ENDED'))
            or (t.next_renewal is null and not {_IS_LAST} and t.status <> 'ENDED'
                and {_ENDS} is null)
            or (t.next_renewal <= number[t.calendar, cycle_start] and not {_STANDS})
            or t.next_renewal >= {_ENDS})
        """,
        Paged.PROGRAMS,
    ),
    Check(
        "I24",
        "program",
        f"""
        select t.id, 'has dates without a calendar' as detail
        from programs t where {_PROGRAMS}
        and ((t.calendar is null and (t.due is not null or t.end_date is not null))
            or ((t.calendar is null or field[t.calendar, timetable] is null)
                and t.next_renewal is not null))
        """,
        Paged.PROGRAMS,
    ),
    Check(
        "I24",
        "program",
        f"""
        select t.id, 'something is due at ' || t.due || ', runners come by at '
            || coalesce(cast(a.since as text), 'no time') as detail
        from programs t left join agenda a on a.tenant_id = t.tenant_id and a.kind = '{DUE}'
        where {_PROGRAMS} and t.due is not null and (a.since is null or a.since > t.due)
        """,
        Paged.PROGRAMS,
    ),
    Check(
        "I24",
        "scheduled_change",
        f"""
        select t.id, t.kind || ' at ' || t.date || ' is ' || t.status || ', its program is '
            || coalesce(p.status, 'none') || '; due at '
            || coalesce(cast(t.due as text), 'no time') || ', runners come by at '
            || coalesce(cast(a.since as text), 'no time') as detail
        from scheduled_changes t
        left join programs p on p.tenant_id = t.tenant_id and p.id = t.program_id
        left join agenda a on a.tenant_id = t.tenant_id and a.kind = '{DUE}'
        where {_PROGRAMS} and (
            (t.status = '{_WAITING}' and p.status = 'ENDED')
            or (t.due is not null) <> (t.kind = '{ChangeKind.CASCADE}' and t.status = '{_WAITING}')
            or (t.due is not null and (t.due <> t.date or a.since is null or a.since > t.due)))
        """,
        Paged.SCHEDULED_CHANGES,
    ),
)

ONCE = (
    Check(
        "I25",
        "transaction",
        """
        select c.id, 'is one of ' || c.times || ' renewals of the pool at ' || c.due as detail
        from (
            select min(cast(t.id as text)) as id, number[t.details, due] as due, count(*) as times
            from transactions t where t.tenant_id = $1 and t.pool_id > $2 and t.pool_id <= $3
            and t.operation = 'RENEWAL' and number[t.details, due] is not null
            group by t.pool_id, number[t.details, due]
        ) c where c.times > 1
        """,
        Paged.POOLS,
    ),
    Check(
        "I25",
        "transaction",
        f"""
        select t.id, t.operation || ' was booked at ' || t.created || ', before it was due at '
            || number[t.details, due] as detail
        from transactions t where t.tenant_id = $1 and t.pool_id > $2 and t.pool_id <= $3
        and t.operation in {listed(COMING_DUE)} and number[t.details, due] > t.created
        """,
        Paged.POOLS,
    ),
)

# So many pools don't know the dates of their program.
_IS_SMALL = (
    f"c.pools <= coalesce((select number[s.settings, in_request_max] from tenants s"
    f" where s.id = $1), {IN_REQUEST_MAX})"
)

POOLS_KNOW = (
    Check(
        "I26",
        "pool",
        f"""
        select c.pool_id as id, 'its program has something due at '
            || coalesce(cast(c.program_due as text), 'no time') || ', it knows of '
            || coalesce(cast(c.known as text), 'no time') as detail
        from (
            select p.id as pool_id, p.status, p.program_due as known, t.due as program_due,
                t.target_status, count(*) over (partition by t.id) as pools
            from programs t join pools p on p.tenant_id = t.tenant_id and p.program_id = t.id
            where {_PROGRAMS} and t.calendar is not null
        ) c
        where c.status <> 'ENDED' and c.target_status is null and {_IS_SMALL}
        and {_differ("c.known", "c.program_due")}
        """,
        Paged.PROGRAMS,
    ),
    Check(
        "I26",
        "pool",
        f"""
        select p.id, 'is ' || p.status || ', its clock '
            || case when p.stopped is null then 'goes' else 'stands since ' || p.stopped end
            || ', that of its program ' || case when {_STANDS} then 'stands' else 'goes' end
            as detail
        from programs t join pools p on p.tenant_id = t.tenant_id and p.program_id = t.id
        where {_PROGRAMS} and t.calendar is not null and t.target_status is null
        and p.status <> 'ENDED'
        and ((p.stopped is not null) <> {_STANDS} or p.stopped < {_PAUSED_SINCE})
        """,
        Paged.PROGRAMS,
    ),
    Check(
        "I26",
        "pool",
        """
        select p.id, 'is ' || p.status || ' and in a program that has no dates or has ended;'
            || ' it knows of ' || coalesce(cast(p.program_due as text), 'no time')
            || ', its clock stands since ' || coalesce(cast(p.stopped as text), 'no time')
            as detail
        from pools p left join programs t on t.tenant_id = p.tenant_id and t.id = p.program_id
        where p.tenant_id = $1 and p.id > $2 and p.id <= $3
        and (p.program_due is not null or p.stopped is not null)
        and (p.status = 'ENDED' or t.calendar is null
            or (p.stopped is not null and (p.status <> 'PAUSED' or p.due is not null)))
        """,
        Paged.POOLS,
    ),
    Check(
        "I26",
        "lot",
        """
        select l.id, 'pauses have moved it by ' || l.shift || ', its pool by ' || p.shift as detail
        from lots l cross join pools p where l.tenant_id = $1 and l.pool_id > $2
        and l.pool_id <= $3 and p.tenant_id = $1 and p.id = l.pool_id
        and l.status not in ('SPENT', 'EXPIRED')
        and (l.shift < p.shift or (l.shift > p.shift and p.stopped is null))
        """,
        Paged.POOLS,
    ),
)

CALENDAR_CHECKS = (*PROGRAM_DATES, *ONCE, *POOLS_KNOW)
