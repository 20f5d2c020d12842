"""What is decoded quickly is what careful reading makes of it, and nothing that this refuses."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from benefit_programs.api.methods import METHODS
from benefit_programs.domain.settings import IdMode
from benefit_programs.wire.codec import decoder_for, read_json
from benefit_programs.wire.codec.naming import to_snake

EXAMPLES = json.loads(Path("docs/reference/examples.json").read_text())
BODIES = {
    name: EXAMPLES[name]["request"]
    for name, method in METHODS.items()
    if method.request_in == "body" and not method.path_parameters and name in EXAMPLES
}
"""A request of each method that takes a body alone, as it was sent."""

ODD_VALUES: tuple[Any, ...] = (
    *(None, "", " ", "x", "x" * 65, "x" * 1_001, "a\0b", "\u00e9\u0085", "1", "-1", "1.5", "P1M"),
    *("11111111-1111-4111-8111-11111111111A", "11111111-1111-4111-8111-111111111111\n"),
    *("MEMBER", "UNKNOWN", "2026-01-01T00:00:00Z", 0, 1, -1, 1.0, 1.5, 2**31, 2**64, True, False),
    *([], {}, ["x"], {"x": 1}, {"memberId": "11111111-1111-4111-8111-111111111111"}),
)
"""What some fields take and others refuse, or read as something else."""


def places_in(document: Any) -> Iterator[tuple[Any, Any]]:
    """Each object or list, and what stands in it where."""
    places = document.items() if isinstance(document, dict) else enumerate(document)
    for place, inner in list(places):
        yield document, place
        if isinstance(inner, dict | list):
            yield from places_in(inner)


def variants_of(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The document, and many that have something odd at one place."""
    yield document
    for number, (_, place) in enumerate(places_in(document)):
        for odd in ODD_VALUES:
            changed = copy.deepcopy(document)
            holder, _ = list(places_in(changed))[number]
            holder[place] = odd
            yield changed
        renamed = copy.deepcopy(document)
        holder, _ = list(places_in(renamed))[number]
        value = holder.pop(place)
        yield copy.deepcopy(renamed)
        if isinstance(holder, dict):
            holder[to_snake(place)] = value
            yield renamed


@pytest.mark.parametrize(
    "name",
    ["redeemBenefit", "captureBenefitReservation", "checkBenefitEligibility"],
)
def test_what_is_asked_most_is_decoded_quickly(name: str) -> None:
    """As it stands in the reference, with a beneficiary."""
    body = msgspec.json.encode(BODIES[name])
    assert decoder_for(METHODS[name].request).decode_quickly(body) is not None


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("ids", IdMode)
def test_quick_values_are_those_of_careful_reading(name: str, ids: IdMode) -> None:
    """Whatever the body has, and however ids are taken."""
    decoder = decoder_for(METHODS[name].request)
    for document in variants_of(BODIES[name]):
        body = msgspec.json.encode(document)
        quick = decoder.decode_quickly(body, ids=ids)
        if quick is None:
            continue
        careful = decoder.decode(read_json(body), ids=ids)
        assert quick.value == careful.value
        assert quick.nulls == careful.nulls
