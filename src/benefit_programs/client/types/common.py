"""What more than one kind of entity uses."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeAlias

import msgspec

from benefit_programs.client.types.base import Part

UNSET = msgspec.UNSET
"""Not given. In an update, ``None`` clears a field, and ``UNSET`` leaves it as it is."""

Unset: TypeAlias = msgspec.UnsetType
"""The type of UNSET."""

Amount: TypeAlias = Decimal | int | str
"""Credits to send, with at most 4 decimals. Never a float, which can't say 0.1."""

Namespaces: TypeAlias = Mapping[str, Mapping[str, Any] | None]
"""Extended fields to send, by namespace; in an update ``None`` removes a namespace."""


class ExtendedFields(Part, frozen=True, kw_only=True):
    """Values of apps, by namespace."""

    namespaces: dict[str, dict[str, Any]] = msgspec.field(default_factory=dict)


class ItemReference(Part, frozen=True, kw_only=True):
    """A provider app's reference to an item that it sells."""

    external_id: str
    provider_app_id: str
    category: str | None = None


class BenefitItem(Part, frozen=True, kw_only=True):
    """An item of the benefit's own provider app."""

    external_id: str
    category: str | None = None


class BalanceAmount(Part, frozen=True, kw_only=True):
    """The credits of a balance: available and reserved."""

    available: Decimal = Decimal(0)
    reserved: Decimal = Decimal(0)


class ProgramInfo(Part, frozen=True, kw_only=True):
    """The program that something belongs to."""

    id: str | None = None
    external_id: str | None = None
    display_name: str | None = None


class ProgramDefinitionInfo(Part, frozen=True, kw_only=True):
    """The program definition that something was made from."""

    id: str | None = None
    external_id: str | None = None
    display_name: str | None = None
    description: str | None = None


class CreditConfigurationInfo(Part, frozen=True, kw_only=True):
    """The credits that the pool of an item opens with."""

    amount: Decimal | None = None
    unit_display_name: str | None = None
    unit_type: str | None = None


class ItemInfo(Part, frozen=True, kw_only=True):
    """The item behind a pool item or pool definition item."""

    display_name: str | None = None
