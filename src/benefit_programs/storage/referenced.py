"""Which redemptions and reservations have an external reference."""

from __future__ import annotations

from benefit_programs.domain.entities import Operation
from benefit_programs.domain.operations import REDEMPTIONS
from benefit_programs.domain.values import Instant
from benefit_programs.storage.query import Dialect, Statement

_CANCELABLE = tuple(str(each) for each in (*REDEMPTIONS, Operation.RESERVE))


def transactions_referenced(
    dialect: Dialect,
    *,
    tenant_id: int,
    namespace: str,
    external_reference: str,
    until: Instant,
    limit: int,
) -> Statement:
    """What was made with a reference up to an instant in pools of a namespace.

    A row has the id of the transaction and that of its pool. The oldest come first.
    """
    sql = (
        "select t.id, t.pool_id from transactions t"
        " join pools p on p.tenant_id = t.tenant_id and p.id = t.pool_id"
        f" where t.tenant_id = {dialect.bare(1)} and t.external_reference = {dialect.bare(2)}"
        f" and {dialect.within('t.operation', 3, 'text')} and t.created <= {dialect.bare(4)}"
        f" and p.namespace = {dialect.bare(5)} order by t.id limit {limit}"
    )
    operations = dialect.list_parameter(_CANCELABLE)
    return Statement(sql, (tenant_id, external_reference, operations, until, namespace))
