"""Program definitions and pool definitions: the templates."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from benefit_programs.client.generated.enums import WhilePaused
from benefit_programs.client.types.base import Change, Part
from benefit_programs.client.types.calendars import RenewalConfiguration
from benefit_programs.client.types.common import (
    UNSET,
    ExtendedFields,
    Namespaces,
    ProgramDefinitionInfo,
    Unset,
)
from benefit_programs.client.types.details import Details, DetailsChange


class ProgramDefinition(Part, frozen=True, kw_only=True):
    """A template that groups pool definitions."""

    id: str
    revision: int
    created_date: datetime
    updated_date: datetime
    namespace: str
    external_id: str
    display_name: str | None = None
    description: str | None = None
    extended_fields: ExtendedFields | None = None
    renewal_configuration: RenewalConfiguration | None = None
    end_date: datetime | None = None
    ends_after: str | None = None
    while_paused: WhilePaused | None = None
    paused_days_max: int | None = None


class PoolDefinition(Part, frozen=True, kw_only=True):
    """A template of pools, with benefits and a credit configuration."""

    id: str
    revision: int
    created_date: datetime
    updated_date: datetime
    namespace: str
    details: Details = Details()
    display_name: str | None = None
    description: str | None = None
    program_definition_ids: tuple[str, ...] = ()
    program_definitions: tuple[ProgramDefinitionInfo, ...] = ()
    extended_fields: ExtendedFields | None = None


class NewPoolDefinition(Part, frozen=True, kw_only=True):
    """A pool definition to create, as one of many."""

    namespace: str
    details: Details
    display_name: str | None = None
    description: str | None = None
    program_definition_ids: Sequence[str] | None = None
    extended_fields: Namespaces | None = None


class PoolDefinitionChange(Change, frozen=True, kw_only=True):
    """One pool definition to change, of many. ``field_mask`` names the fields to change."""

    id: str
    revision: int
    display_name: str | Unset | None = UNSET
    description: str | Unset | None = UNSET
    details: Details | DetailsChange | Unset = UNSET
    extended_fields: Namespaces | Unset = UNSET
    field_mask: Collection[str] | None = None
