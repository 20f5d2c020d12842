"""The plain values of the domain: amounts, instants, identities, references.

Amounts are integers of 1/10,000 credit, instants integer milliseconds since 1970 in UTC, ids
lower-case text. Their text forms live at the wire only.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

import msgspec

CREDIT = 10_000
"""One credit in the unit of amounts."""

PERCENT_MAX = 100 * CREDIT
"""All of something, in percent; in the unit of amounts."""

EXTERNAL_REFERENCE_LENGTH_MAX = 128
"""How many characters an external reference may have."""

AMOUNT_MAX = 2**63 - 1
"""The largest amount: 922337203685477.5807 credits."""

Credits = int
Instant = int
DAY = 24 * 60 * 60 * 1000
"""A day of 24 hours in the unit of instants."""

LocalDate = int
"""A day of the calendar, whatever the time zone, in days since 1970-01-01."""

Id = Annotated[str, "id"]
"""An id that we made; a text to the type checker, and stored as an id is."""


def instant_of_id(row_id: Id) -> Instant:
    """When a row was made, by its id."""
    return int(row_id[:8] + row_id[9:13], 16)


_ID_INSTANT_MAX = 2**48 - 1


def first_id(at: Instant) -> Id:
    """What is less than all ids of rows made at an instant, and greater than those before."""
    text = f"{min(max(at, 0), _ID_INSTANT_MAX) << 80:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


Updates = Mapping[str, Any]
"""The fields that an update sets; None clears one. What isn't there stays."""


class IdentityType(StrEnum):
    """The kind of an identity."""

    UNKNOWN = "UNKNOWN"
    ANONYMOUS_VISITOR = "ANONYMOUS_VISITOR"
    MEMBER = "MEMBER"
    WIX_USER = "WIX_USER"
    APP = "APP"


class Identity(msgspec.Struct, frozen=True):
    """An identity: a beneficiary, or an instructing party."""

    type: IdentityType
    id: str


SYSTEM = Identity(IdentityType.UNKNOWN, "system")
"""On whose behalf the service keeps its own books."""


class ItemReference(msgspec.Struct, frozen=True):
    """A provider app's reference to an item that it sells. A missing category equals ""."""

    external_id: str
    provider_app_id: str
    category: str = ""


class Cascade(StrEnum):
    """When a change of a definition reaches the programs and pools made from it."""

    UNKNOWN_CASCADE = "UNKNOWN_CASCADE"
    NEXT_RENEWAL = "NEXT_RENEWAL"
    IMMEDIATELY = "IMMEDIATELY"
    FUTURE_PROVISIONS = "FUTURE_PROVISIONS"


def earliest(*instants: Instant | None) -> Instant | None:
    """The first of these instants; None are never."""
    known = [each for each in instants if each is not None]
    return min(known) if known else None
