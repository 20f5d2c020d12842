"""What migrations call on SQLite, which knows no time zones. Like them it is never changed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    import apsw

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def register(connection: apsw.Connection) -> None:
    connection.create_scalar_function("nearest_date", _nearest_date_of, 2, deterministic=True)


def _nearest_date_of(*values: apsw.SQLiteValue) -> apsw.SQLiteValue:
    at, name = values
    assert isinstance(at, int)
    return nearest_date(at, str(name))


def nearest_date(at: int, zone: str) -> int:
    """The date, in days since 1970, whose midnight in a zone is next to an instant.

    UTC stands for a zone that isn't known, and counts past both ends of the calendar.
    """
    half_a_day_later = timedelta(milliseconds=at) + DAY / 2
    try:
        there = (EPOCH + half_a_day_later).astimezone(ZoneInfo(zone))
    except (KeyError, ValueError, OSError, OverflowError):
        return half_a_day_later // DAY
    return there.toordinal() - date(1970, 1, 1).toordinal()
