"""What is encoded decodes to the same, for values of any shape that the types allow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from benefit_programs.api.methods import METHODS
from benefit_programs.domain.constraints import (
    Chosen,
    DecimalText,
    Duration,
    FreeForm,
    Guid,
    InstantText,
    Int32,
    Int64Text,
    Judged,
    MaskText,
    OneOf,
    ReadOnly,
    Requires,
    Size,
    Text,
    TimeZone,
)
from benefit_programs.domain.values import AMOUNT_MAX
from benefit_programs.wire.codec import Shape, decoder_for, encoder_for, fields_of, read_json
from benefit_programs.wire.types import pools

LENGTH_MAX = 10
DEPTH_MAX = 6
TEXT = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
FREE_FORM = st.dictionaries(st.text(TEXT, max_size=5), st.integers(-9, 9) | st.none(), max_size=2)


def draw_value(draw: st.DrawFn, shape: Shape, depth: int) -> Any:
    """Draw a value that a field of this shape may have."""
    if shape.mark(MaskText):
        return draw(st.sampled_from([("display_name",), ("display_name", "extended_fields")]))
    if shape.is_list:
        size = shape.mark(Size) or Size()
        count = draw(st.integers(size.minimum, max(size.minimum, 2)))
        return tuple(draw_value(draw, shape.element, depth) for _ in range(count))
    if shape.is_struct:
        return draw_struct(draw, shape.kind, depth + 1)
    return draw(plain_values_of(shape))


def texts_of(mark: Text) -> st.SearchStrategy[str]:
    longest = max(mark.min_length, min(mark.max_length or LENGTH_MAX, LENGTH_MAX))
    return st.text(TEXT, min_size=mark.min_length, max_size=longest)


def int32s_of(mark: Int32) -> st.SearchStrategy[int]:
    low = -(2**31) if mark.minimum is None else mark.minimum
    return st.integers(low, 2**31 - 1 if mark.maximum is None else mark.maximum)


VALUES_OF_MARK: dict[type[Any], Callable[[Any], st.SearchStrategy[Any]]] = {
    Guid: lambda _mark: st.integers(0, 2**128 - 1).map(lambda number: str(UUID(int=number))),
    Text: texts_of,
    DecimalText: lambda mark: st.integers(
        -AMOUNT_MAX if mark.at_least is None else mark.at_least,
        AMOUNT_MAX if mark.at_most is None else mark.at_most,
    ),
    InstantText: lambda _mark: st.integers(-62_135_596_800_000, 253_402_300_799_999),
    Duration: lambda mark: st.sampled_from(
        ["P3D", "P10DT2H30M", "P2W", "PT1H" if mark.hours_min else "PT0.5S"]
    ),
    TimeZone: lambda _mark: st.sampled_from(["UTC", "Europe/Berlin"]),
    Int64Text: lambda _mark: st.integers(-(2**63), 2**63 - 1),
    Int32: int32s_of,
    FreeForm: lambda _mark: FREE_FORM,
}


def plain_values_of(shape: Shape) -> st.SearchStrategy[Any]:
    for mark in reversed(shape.marks):
        if type(mark) in VALUES_OF_MARK:
            return VALUES_OF_MARK[type(mark)](mark)
    if shape.kind is bool:
        return st.booleans()
    if shape.kind is str:
        return texts_of(Text())
    nothing = "UNKNOWN" if shape.mark(Chosen) else "no member's name"
    return st.sampled_from([each for each in shape.kind if not each.name.startswith(nothing)])


def draw_struct(draw: st.DrawFn, type_: type[Any], depth: int) -> object:
    """Draw a value as a decoder gives it: one alternative, nothing readonly, no tags."""
    one_of: OneOf | None = getattr(type_, "one_of", None)
    alternatives = one_of.fields if one_of else ()
    # Past some depth the last alternative is taken, which ends a tree of policies.
    last = alternatives[-1:] if depth > DEPTH_MAX else alternatives
    chosen = draw(st.sampled_from(last)) if last else None
    drawn: dict[str, object] = {}
    for field in fields_of(type_):
        if field.shape.mark(ReadOnly) or (one_of and field.attribute == one_of.tag):
            continue
        is_alternative = field.attribute in alternatives
        wanted = field.attribute == chosen if is_alternative else draw(st.booleans())
        if field.required or wanted or field.shape.mark(Chosen):
            drawn[field.attribute] = draw_required(draw, field.shape, depth)
    return type_(**drawn)


def draw_required(draw: st.DrawFn, shape: Shape, depth: int) -> object:
    """Draw a value which has inside what its field requires there, and breaks no rule of it."""
    value = draw_value(draw, shape, depth)
    requires, judged = shape.mark(Requires), shape.mark(Judged)
    if requires and getattr(value, requires.attribute) is None:
        value = msgspec.structs.replace(value, **{requires.attribute: ()})
    assume(judged is None or not list(judged.judge(value)))
    return value


@st.composite
def requests_of(draw: st.DrawFn, type_: type[Any]) -> object:
    return draw_struct(draw, type_, 0)


@pytest.mark.parametrize("method", METHODS.values(), ids=lambda method: method.name)
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_requests_survive_the_wire(method: Any, data: st.DataObject) -> None:
    """A request of any method is the same after JSON and back."""
    value = data.draw(requests_of(method.request))
    written = msgspec.json.encode(encoder_for(method.request)(value))
    assert decoder_for(method.request).decode(read_json(written)).value == value


def test_absent_values_are_left_out() -> None:
    """Nothing is written as null."""
    pool = pools.Pool(id="a", revision=12, renewal_count=0, created_date=0)
    assert encoder_for(pools.Pool)(pool) == {
        "id": "a",
        "revision": "12",
        "renewalCount": 0,
        "createdDate": "1970-01-01T00:00:00.000Z",
    }
