"""Items of pools and of pool definitions: derived from both, and never stored."""

from __future__ import annotations

from typing import NamedTuple

from benefit_programs.domain.values import Credits, Instant


class PoolItem(NamedTuple):
    """An item that a pool pays for."""

    id: str
    revision: int
    created: Instant
    updated: Instant
    external_id: str
    category: str
    provider_app_id: str
    namespace: str
    pool_id: str
    program_id: str
    program_external_id: str
    program_display_name: str | None
    program_definition_id: str | None
    program_definition_external_id: str | None
    pool_definition_id: str
    item_set_id: str
    anonymous_visitor_id: str | None
    member_id: str | None
    wix_user_id: str | None
    item_id: str
    display_name: str | None
    benefit_key: str
    search_key: str
    pool_revision: int
    item_revision: int
    snapshot_id: str
    status: str
    available: Credits
    due: Instant | None
    program_due: Instant | None


class PoolDefinitionItem(NamedTuple):
    """An item that pools of a definition pay for."""

    id: str
    revision: int
    created: Instant
    updated: Instant
    external_id: str
    category: str
    provider_app_id: str
    namespace: str
    pool_definition_id: str
    item_set_id: str
    item_id: str
    display_name: str | None
    benefit_key: str
    search_key: str
    pool_definition_revision: int
    item_revision: int
    snapshot_id: str
