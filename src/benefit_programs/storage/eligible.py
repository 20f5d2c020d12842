"""Which pools hold an item: one statement over pools, the benefits they give, and items."""

from __future__ import annotations

from benefit_programs.domain.entities import Pool, PoolStatus
from benefit_programs.domain.values import Identity, IdentityType, Instant, ItemReference
from benefit_programs.storage.query import Dialect, Statement
from benefit_programs.storage.specs import columns_of

ELIGIBLE_MAX = 1_000
"""How many benefits an answer without a beneficiary names at most."""

ELIGIBLE_OF_BENEFICIARY_MAX = 5_000
"""How many benefits of one beneficiary are judged; a question about more is refused."""

_COLUMNS = {
    IdentityType.MEMBER: "member_id",
    IdentityType.WIX_USER: "wix_user_id",
    IdentityType.ANONYMOUS_VISITOR: "anonymous_visitor_id",
}


def pools_holding(
    dialect: Dialect,
    *,
    tenant_id: int,
    namespace: str,
    item: ItemReference,
    beneficiary: Identity | None,
    statuses: tuple[PoolStatus, ...],
    payable: int = 0,
    now: Instant = 0,
) -> Statement:
    """Pools with each of their benefits that holds the item: the pool's columns, then the key.

    Oldest pool first, benefits in their definition's order. With ``payable`` only those whose
    balance pays for so many of the item, or has changed by itself, so that no others take their
    places in an answer. Those are among them in whose program something has come due by ``now``,
    whatever their status. Of one beneficiary there is one row more than may be judged, if there are
    so many.
    """
    limit = ELIGIBLE_MAX if beneficiary is None else ELIGIBLE_OF_BENEFICIARY_MAX + 1
    values: list[object] = [
        tenant_id,
        item.external_id,
        item.provider_app_id,
        item.category,
        namespace,
        dialect.list_parameter(tuple(str(status) for status in statuses)),
    ]
    narrowed, late = "", ""
    if now:
        values.append(now)
        late = f" or p.program_due <= {dialect.placeholder(len(values), 'bigint')}"
    if beneficiary is not None:
        values.append(beneficiary.id)
        narrowed = f" and p.{_COLUMNS[beneficiary.type]} = {dialect.bare(len(values))}"
    if payable:
        values.append(payable)
        # Divided rather than multiplied, for a cost may be past the largest number.
        pays = f"p.available / {dialect.placeholder(len(values), 'bigint')} >= b.price"
        values.append(now)
        due = f"p.due <= {dialect.placeholder(len(values), 'bigint')}"
        narrowed += f" and ({pays} or {due}{late})"
    sql = (
        f"select {columns_of(Pool, 'p', dialect)}, b.benefit_key"
        " from items i"
        " join snapshot_benefits b on b.tenant_id = i.tenant_id and b.item_set_id = i.item_set_id"
        " join item_sets s on s.tenant_id = i.tenant_id and s.id = i.item_set_id"
        " join pools p on p.tenant_id = i.tenant_id"
        " and p.pool_definition_id = s.pool_definition_id and p.snapshot_id = b.snapshot_id"
        f" where i.tenant_id = {dialect.bare(1)} and i.external_id = {dialect.bare(2)}"
        f" and i.provider_app_id = {dialect.bare(3)} and i.category = {dialect.bare(4)}"
        f" and p.tenant_id = {dialect.bare(1)} and p.namespace = {dialect.bare(5)}"
        f" and ({dialect.within('p.status', 6, 'text')}{late}){narrowed}"
        f" order by p.id, b.ordinal limit {limit}"
    )
    return Statement(sql, tuple(values))


def provider_app_known(
    dialect: Dialect, *, tenant_id: int, namespace: str, provider_app_id: str
) -> Statement:
    """A row if any benefit of the namespace has items of the app.

    A pool's namespace is its program's: it may have its benefits from a definition of another one.
    Where nobody has a program in the namespace, no pool is looked at.
    """
    tenant, app, here = dialect.bare(1), dialect.bare(2), dialect.bare(3)
    return Statement(
        f"select 1 from item_sets s where s.tenant_id = {tenant}"
        f" and s.provider_app_id = {app} and s.namespace = {here}"
        " union all select 1 from item_sets s join pools p on p.tenant_id = s.tenant_id"
        " and p.pool_definition_id = s.pool_definition_id"
        f" where s.tenant_id = {tenant} and s.provider_app_id = {app} and s.namespace <> {here}"
        f" and p.tenant_id = {tenant} and p.namespace = {here} and exists"
        f" (select 1 from programs g where g.tenant_id = {tenant} and g.namespace = {here})"
        " limit 1",
        (tenant_id, provider_app_id, namespace),
    )
