"""A field that changes by itself is filtered by what it is at an instant."""

from __future__ import annotations

from typing import Any

import pytest

from benefit_programs.domain.entities import Reservation, ReservationStatus
from benefit_programs.storage.query import GUIDS_DEFAULT, SqliteDialect
from benefit_programs.storage.query.language import read_filter
from benefit_programs.storage.query.stages import Stages
from benefit_programs.storage.query.tree import And, Compare, Lives, Node, Not, Or
from benefit_programs.storage.specs import reservations

SPEC = reservations(SqliteDialect())
NOW = 1_000

ROWS = [(str(status), date) for status in ReservationStatus for date in (NOW - 1, NOW, NOW + 1)]
"""What is stored: a status, and a date."""


def shown(status: str, date: int) -> str:
    """The status that a row shows now."""
    return "LAPSED" if status == "OPEN" and date <= NOW else status


def holds(node: Node, status: str, date: int) -> bool:
    """Whether a condition on what is stored is true of a row."""
    match node:
        case And(parts):
            return all(holds(each, status, date) for each in parts)
        case Or(parts):
            return any(holds(each, status, date) for each in parts)
        case Not(part):
            return not holds(part, status, date)
        case Lives():
            return status not in Reservation.over
        case Compare(field=field, sign="=", value=value):
            assert field.name == "status"
            return status == value
        case Compare(field=field, sign=sign, value=int(value)):
            assert field.name == "expirationDate"
            return date > value if sign == ">" else date <= value
    raise AssertionError(f"a condition that nobody makes: {node}")


@pytest.mark.parametrize(
    ("condition", "fitting"),
    [
        ("OPEN", {"OPEN"}),
        ("LAPSED", {"LAPSED"}),
        ("CAPTURED", {"CAPTURED"}),
        ({"$ne": "OPEN"}, {"CAPTURED", "CANCELED", "LAPSED"}),
        ({"$in": ["OPEN", "CANCELED"]}, {"OPEN", "CANCELED"}),
        ({"$nin": ["LAPSED", "OPEN"]}, {"CAPTURED", "CANCELED"}),
        ({"$startsWith": "ca"}, {"CAPTURED", "CANCELED"}),
        ({"$gt": "CAPTURED"}, {"OPEN", "LAPSED"}),
        ({"$lte": "CAPTURED"}, {"CAPTURED", "CANCELED"}),
        ({"$exists": True}, {"OPEN", "CAPTURED", "CANCELED", "LAPSED"}),
        ({"$exists": False}, set()),
    ],
)
def test_a_condition_is_true_of_what_is_shown(condition: Any, fitting: set[str]) -> None:
    """Whatever is stored, rows are found by the status that they show at that instant."""
    assert isinstance(SPEC.stages, Stages)
    for filter_, expected in (
        ({"status": condition}, fitting),
        ({"$not": {"status": condition}}, {*map(str, ReservationStatus)} - fitting),
    ):
        node = read_filter(SPEC.fields, filter_, path="", guids=GUIDS_DEFAULT)
        there = SPEC.stages.at(node, NOW)
        found = [row for row in ROWS if holds(there, *row)]
        assert found == [row for row in ROWS if shown(*row) in expected]
