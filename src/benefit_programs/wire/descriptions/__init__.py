"""What each field of the wire holds, in a sentence: the text of the reference.

``COMMON`` has the fields that mean the same wherever they stand. ``OF_TYPES`` has what a field
means in one type and in those derived from it, and counts first. What the type of a field says
anyway (its format, its limits, who sets it) is not repeated here.
"""

from __future__ import annotations

from typing import Any

from benefit_programs.wire.descriptions.alerts import OF_ALERTS
from benefit_programs.wire.descriptions.audit import OF_AUDIT
from benefit_programs.wire.descriptions.beneficiaries import OF_BENEFICIARIES
from benefit_programs.wire.descriptions.calendars import OF_CALENDARS
from benefit_programs.wire.descriptions.clock import OF_CLOCK
from benefit_programs.wire.descriptions.contract import COMMON, OF_CONTRACT
from benefit_programs.wire.descriptions.events import OF_EVENTS
from benefit_programs.wire.descriptions.lots import OF_LOTS
from benefit_programs.wire.descriptions.operating import OF_OPERATING
from benefit_programs.wire.descriptions.people import OF_PEOPLE
from benefit_programs.wire.descriptions.reservations import OF_RESERVATIONS
from benefit_programs.wire.descriptions.returns import OF_RETURNS
from benefit_programs.wire.descriptions.scheduled_changes import OF_SCHEDULED_CHANGES
from benefit_programs.wire.descriptions.settings import OF_SETTINGS
from benefit_programs.wire.descriptions.statements import OF_STATEMENTS
from benefit_programs.wire.descriptions.webhooks import OF_WEBHOOKS

OF_TYPES: dict[type[Any], dict[str, str]] = {
    **OF_CONTRACT,
    **OF_ALERTS,
    **OF_AUDIT,
    **OF_BENEFICIARIES,
    **OF_CALENDARS,
    **OF_CLOCK,
    **OF_EVENTS,
    **OF_LOTS,
    **OF_OPERATING,
    **OF_PEOPLE,
    **OF_RESERVATIONS,
    **OF_SCHEDULED_CHANGES,
    **OF_SETTINGS,
    **OF_RETURNS,
    **OF_STATEMENTS,
    **OF_WEBHOOKS,
}


def description_of(type_: type[Any], attribute: str) -> str | None:
    """The meaning of a field of a type; None if it has no description yet."""
    for each in type_.__mro__:
        found = OF_TYPES.get(each, {}).get(attribute)
        if found is not None:
            return found
    return COMMON.get(attribute)
