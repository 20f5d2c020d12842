"""The names of time zones."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

NO_TIME_ZONE = "must be the IANA name of a time zone"

_NO_PLACE = "Factory"
"""What IANA lists for machines that haven't been told where they are."""


def is_time_zone(name: str) -> bool:
    """Whether IANA lists it, as a zone or as a link to one.

    A machine may know more: its own zone by another name, and zones that count leap seconds.
    """
    return name in _time_zones()


@cache
def _time_zones() -> frozenset[str]:
    names = files("tzdata").joinpath("zones").read_text("utf-8").split()
    return frozenset(names) - {_NO_PLACE}
