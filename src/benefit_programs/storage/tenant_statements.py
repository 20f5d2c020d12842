"""What statements of many pools read: sums over a tenant, a namespace or a definition.

The database adds up; however many pools there are, only sums come out of it. Ids say when rows were
made, so a period reads no transactions from before it. What happened in a period and was booked
after it is found among the later ones.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from benefit_programs.domain.scheduled_changes import ScheduledChange
from benefit_programs.domain.values import Instant, first_id
from benefit_programs.storage.pool_statements import KIND, LAST_ID, moment, parts_of
from benefit_programs.storage.query import Dialect, PostgresDialect, Statement
from benefit_programs.storage.tables import live_condition


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """Whose pools are meant: those of a tenant, or some of them."""

    tenant_id: int
    namespace: str | None = None
    program_definition_id: str | None = None
    pool_definition_id: str | None = None

    @property
    def values(self) -> list[object]:
        """What narrows the pools, as parameters."""
        return [each for each in self._named.values() if each is not None]

    @property
    def _named(self) -> dict[str, str | None]:
        return {
            "namespace": self.namespace,
            "program_definition_id": self.program_definition_id,
            "pool_definition_id": self.pool_definition_id,
        }

    def conditions(self, dialect: Dialect, first: int) -> str:
        """What pools ``p`` must fulfil; its parameters begin with number ``first``."""
        names = [name for name, value in self._named.items() if value is not None]
        return "".join(
            f" and p.{name} = {dialect.bare(number)}" for number, name in enumerate(names, first)
        )

    def join(self, dialect: Dialect, pool_id: str, first: int) -> str:
        """Narrow rows to those of the pools, where not all are meant."""
        if not self.values:
            return ""
        return (
            f" join pools p on p.tenant_id = {dialect.bare(1)} and p.id = {pool_id}"
            f"{self.conditions(dialect, first)}"
        )


def moved(
    dialect: Dialect, scope: Scope, *, start: Instant, end: Instant | None, edges: Sequence[Instant]
) -> Statement:
    """What transactions moved that were booked in a period, by kinds and by when they happened.

    That is the last one of the ``edges`` that isn't later: nearly always the period's own start.
    """
    at = moment(dialect)
    own, end_of = dialect.placeholder(4, "bigint"), dialect.placeholder(5, "bigint")
    if isinstance(dialect, PostgresDialect):
        listed = "select max(e) from unnest($6::bigint[]) e where e <= "
    else:
        listed = "select max(e.value) from json_each(?6) e where e.value <= "
    sql = f"""
        select {KIND}, {parts_of("t.amount")}, count(*),
            case when {at} >= {own} and {at} < {end_of} then {own} else ({listed}{at}) end as edge
        from transactions t{scope.join(dialect, "t.pool_id", 7)}
        where t.tenant_id = {dialect.bare(1)}
        and t.id >= {dialect.bare(2)} and t.id < {dialect.bare(3)}
        group by 1, 2, 3, 4, 8
    """
    last = LAST_ID if end is None else first_id(end)
    parameters = (
        *(scope.tenant_id, first_id(start), last, start),
        *(start if end is None else end, dialect.list_parameter(tuple(edges))),
        *scope.values,
    )
    return Statement(sql, parameters)


def outstanding(dialect: Dialect, scope: Scope) -> Statement:
    """What pools hold now: their number, what is available, what of it is in no lot, reserved."""
    sums = ", ".join(parts_of(f"p.{each}") for each in ("available", "in_lots", "reserved"))
    return Statement(
        f"select count(*), {sums} from pools p where p.tenant_id = {dialect.bare(1)}"
        f"{scope.conditions(dialect, 2)}",
        (scope.tenant_id, *scope.values),
    )


def outstanding_by_definition(dialect: Dialect, scope: Scope, *, limit: int) -> Statement:
    """What pools hold now, by pool definitions: first those with the most that can be spent."""
    sums = ", ".join(parts_of(f"p.{each}") for each in ("available", "reserved"))
    return Statement(
        f"select p.pool_definition_id, count(*), {sums} from pools p"
        f" where p.tenant_id = {dialect.bare(1)}{scope.conditions(dialect, 2)}"
        f" group by 1 order by 3 desc, 4 desc, 1 limit {limit}",
        (scope.tenant_id, *scope.values),
    )


def oldest_due(dialect: Dialect, scope: Scope) -> Statement:
    """An instant before which nothing is due in the tenant; none if nothing is."""
    waits = live_condition(ScheduledChange, "c.status")
    sources = (
        "min(p.due) as due from pools p where p.due is not null and p",
        "min(g.due) from programs g where g.due is not null and g",
        f"min(c.due) from scheduled_changes c where c.due is not null and {waits} and c",
        "min(o.at) from orders o where o.at is not null and o.phase <> 'REACHED' and o",
    )
    found = " union all ".join(f"select {each}.tenant_id = {dialect.bare(1)}" for each in sources)
    return Statement(f"select min(d.due) from ({found}) d", (scope.tenant_id,))


def lots_by_expiry(dialect: Dialect, scope: Scope, edges: Sequence[Instant]) -> Statement:
    """What live lots hold, by the first of the ``edges`` that their end comes before.

    The first edge is now. Where a pause has stopped the clock, the end is as much later.
    """
    stands = f"({dialect.placeholder(2, 'bigint')} - s.stopped)"
    return _lots_by(
        dialect, scope, f"(l.expiration_date + coalesce({stands}, 0))", edges, joined=_STOPPED
    )


def lots_by_age(dialect: Dialect, scope: Scope, edges: Sequence[Instant]) -> Statement:
    """What live lots hold, by the first of the ``edges`` that their begin comes before."""
    return _lots_by(dialect, scope, "l.effective_date", edges)


_STOPPED = " left join stopped s on s.id = l.pool_id"


def _lots_by(
    dialect: Dialect, scope: Scope, column: str, edges: Sequence[Instant], *, joined: str = ""
) -> Statement:
    """Sums with the number of the edge; behind all edges their number, without an instant -1."""
    cases = " ".join(
        f"when {column} < {dialect.placeholder(number, 'bigint')} then {number - 2}"
        for number in range(2, len(edges) + 2)
    )
    stopped = (
        "with stopped as materialized (select p.id, p.stopped from pools p"
        f" where p.tenant_id = {dialect.bare(1)} and p.stopped is not null) "
        if joined
        else ""
    )
    sql = (
        f"{stopped}select case when {column} is null then -1 {cases} else {len(edges)} end as edge,"
        f" {parts_of('l.available')}"
        f" from lots l{joined}{scope.join(dialect, 'l.pool_id', len(edges) + 2)}"
        f" where l.tenant_id = {dialect.bare(1)}"
        " and l.status not in ('SPENT', 'EXPIRED') group by 1"
    )
    return Statement(sql, (scope.tenant_id, *edges, *scope.values))


ACTIVITY_TRANSACTIONS_MAX = 25_000
"""How many transactions an activity reads: the newest ones of its time."""

ACTIVITY_POOLS_MAX = 10_000
"""Where an activity stops to count pools."""

BUCKET = 15 * 60 * 1000
"""What an activity counts in. All time zones are whole numbers of it away from UTC."""


def pools_up_to(dialect: Dialect, scope: Scope, maximum: int) -> Statement:
    """How many pools there are; counting stops at a maximum."""
    return Statement(
        f"select count(*) from (select 1 from pools p where p.tenant_id = {dialect.bare(1)}"
        f"{scope.conditions(dialect, 2)} limit {maximum}) c",
        (scope.tenant_id, *scope.values),
    )


def transaction_before(
    dialect: Dialect, scope: Scope, *, start: Instant, end: Instant, count: int
) -> Statement:
    """The newest transaction of a tenant's in a period behind ``count`` newer ones: id and date."""
    return Statement(
        f"select t.id, t.created from transactions t where t.tenant_id = {dialect.bare(1)}"
        f" and t.id >= {dialect.bare(2)} and t.id < {dialect.bare(3)}"
        f" order by t.id desc limit 1 offset {count}",
        (scope.tenant_id, first_id(start), first_id(end)),
    )


def moved_by_time(dialect: Dialect, scope: Scope, *, after_id: str, end: Instant) -> Statement:
    """What transactions behind an id moved, by kinds and by the quarter of an hour."""
    at = f"{moment(dialect)} / {BUCKET}"
    # No join: a planner might go through all pools, of which there may be far more.
    narrowed = (
        f" and exists (select 1 from pools p where p.tenant_id = {dialect.bare(1)}"
        f" and p.id = t.pool_id{scope.conditions(dialect, 4)})"
        if scope.values
        else ""
    )
    return Statement(
        f"select {KIND}, {parts_of('t.amount')}, count(*), {at} as bucket from transactions t"
        f" where t.tenant_id = {dialect.bare(1)}"
        f" and t.id > {dialect.bare(2)} and t.id < {dialect.bare(3)}{narrowed}"
        " group by 1, 2, 3, 4, 8",
        (scope.tenant_id, after_id, first_id(end), *scope.values),
    )
