"""All methods, collected from the modules of the functions that answer them."""

from __future__ import annotations

from benefit_programs.api.handlers import (
    api_keys,
    async_jobs,
    audit,
    balances,
    beneficiaries,
    clock,
    console_users,
    eligibility,
    events,
    health,
    items,
    lots,
    overviews,
    people,
    pool_definition_items,
    pool_definitions,
    pool_items,
    pools,
    program_definitions,
    programs,
    redemptions,
    reservations,
    returns,
    scheduled_changes,
    settings,
    statements,
    tenants,
    timetables,
    transactions,
    webhooks,
)
from benefit_programs.api.method import Method

_FAMILIES = (
    program_definitions,
    pool_definitions,
    programs,
    scheduled_changes,
    pools,
    redemptions,
    reservations,
    returns,
    eligibility,
    items,
    pool_definition_items,
    pool_items,
    balances,
    lots,
    transactions,
    async_jobs,
    settings,
    clock,
    statements,
    timetables,
    beneficiaries,
    overviews,
    people,
    events,
    webhooks,
    api_keys,
    console_users,
    tenants,
    health,
    audit,
)

METHODS: dict[str, Method] = {
    each.name: each
    for family in _FAMILIES
    for each in vars(family).values()
    if isinstance(each, Method)
}
"""Every method by its name, the contract's and additions, in the order of the reference."""
