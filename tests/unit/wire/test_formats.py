"""Single values: what each format takes, refuses and becomes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benefit_programs.domain.constraints import (
    DecimalText,
    FreeForm,
    Guid,
    GuidKind,
    Int32,
    MaskText,
    Text,
)
from benefit_programs.domain.settings import IdMode
from benefit_programs.domain.values import AMOUNT_MAX, IdentityType
from benefit_programs.wire.codec import amount_text, formats, instant_text
from benefit_programs.wire.codec.formats import Read, Violated

GUID = "e8c3366e-0c4f-3024-a034-1e0c79146d4c"


def rule_of(read: Read, raw: object) -> str:
    with pytest.raises(Violated) as refused:
        read(raw)
    (violation,) = refused.value.violations
    return violation.violated_rule.value


AMOUNTS = [
    ("0", 0),
    ("5", 50_000),
    ("0.5", 5_000),
    ("0.0001", 1),
    ("007.50", 75_000),
    ("922337203685477.5807", AMOUNT_MAX),
    (12, 120_000),
]


@pytest.mark.parametrize(("raw", "amount"), AMOUNTS)
def test_amounts_become_integers(raw: object, amount: int) -> None:
    """Decimal text and whole numbers become units of 1/10,000."""
    assert formats.amount_reader(DecimalText())(raw) == amount


WRONG_AMOUNTS = [
    ("1e3", "FORMAT"),
    ("NaN", "FORMAT"),
    ("+1", "FORMAT"),
    (" 1", "FORMAT"),
    ("", "FORMAT"),
    (".5", "FORMAT"),
    ("٣", "FORMAT"),
    (0.5, "FORMAT"),
    (True, "FORMAT"),
    (None, "FORMAT"),
    ("0.00001", "DECIMAL_MAX_SCALE"),
    ("1.00000", "DECIMAL_MAX_SCALE"),
    ("-1", "DECIMAL_GTE"),
    ("-0", "DECIMAL_GTE"),
    ("922337203685477.5808", "DECIMAL_LTE"),
    ("9" * 10_000, "DECIMAL_LTE"),
    (10**30, "DECIMAL_LTE"),
]


@pytest.mark.parametrize(("raw", "rule"), WRONG_AMOUNTS)
def test_wrong_amounts_are_refused(raw: object, rule: str) -> None:
    """Signs, exponents, too many digits and binary fractions are refused, each by its rule."""
    assert rule_of(formats.amount_reader(DecimalText()), raw) == rule


def test_signed_amounts_have_both_edges() -> None:
    """A signed amount goes as far down as up."""
    read = formats.amount_reader(DecimalText(at_least=None))
    assert read("-922337203685477.5807") == -AMOUNT_MAX
    assert rule_of(read, "-922337203685477.5808") == "DECIMAL_GTE"


@given(st.integers(-AMOUNT_MAX, AMOUNT_MAX))
def test_amounts_survive_the_wire(amount: int) -> None:
    """An amount is the same after text, and its text has no trailing zeros."""
    text = amount_text(amount)
    assert formats.amount_reader(DecimalText(at_least=None))(text) == amount
    assert "." not in text or not text.endswith("0")


INSTANTS = [
    ("1970-01-01T00:00:00Z", 0),
    ("1970-01-01T00:00:00.123999Z", 123),
    ("1970-01-01T02:00:00+02:00", 0),
    ("1969-12-31T23:59:59.9999Z", -1),
    ("0001-01-01T00:00:00Z", -62_135_596_800_000),
    ("9999-12-31T23:59:59.999999999z", 253_402_300_799_999),
]


@pytest.mark.parametrize(("raw", "instant"), INSTANTS)
def test_instants_are_cut_to_milliseconds(raw: str, instant: int) -> None:
    """Offsets are applied, and what is finer than a millisecond is cut off."""
    assert formats.read_instant(raw) == instant


@pytest.mark.parametrize(
    "raw",
    [
        "2026-01-01",
        "2026-01-01T00:00:00",
        "2026-02-30T00:00:00Z",
        "2026-W01-1T00:00:00Z",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "2026-01-01T24:00:01Z",
        "",
        0,
        None,
    ],
)
def test_wrong_instants_are_refused(raw: object) -> None:
    """No zone, no such day, out of range: no instant."""
    assert rule_of(formats.read_instant, raw) == "FORMAT"


@given(st.integers(-62_135_596_800_000, 253_402_300_799_999))
def test_instants_survive_the_wire(instant: int) -> None:
    """An instant is the same after text."""
    assert formats.read_instant(instant_text(instant)) == instant


GUID_KINDS: list[tuple[GuidKind, IdMode]] = [
    ("entity", IdMode.DEFAULT),
    ("entity", IdMode.OPEN),
    ("external", IdMode.STRICT),
    ("identity", IdMode.DEFAULT),
    ("app", IdMode.DEFAULT),
]
FREE_KINDS: list[tuple[GuidKind, IdMode]] = [
    ("external", IdMode.DEFAULT),
    ("external", IdMode.OPEN),
    ("identity", IdMode.OPEN),
    ("app", IdMode.OPEN),
]


@pytest.mark.parametrize(("kind", "ids"), GUID_KINDS)
def test_guids_become_lower_case(kind: GuidKind, ids: IdMode) -> None:
    """Ids that aren't free are GUIDs, in any case."""
    read = formats.id_reader(Guid(kind), ids)
    assert read(GUID.upper()) == GUID
    assert rule_of(read, "myProgram17") == "FORMAT"


@pytest.mark.parametrize(("kind", "ids"), FREE_KINDS)
def test_free_ids_are_kept_as_given(kind: GuidKind, ids: IdMode) -> None:
    """A free id is text of its maker, also if it looks like a GUID."""
    read = formats.id_reader(Guid(kind), ids)
    assert read(GUID.upper()) == GUID.upper()
    assert read("myProgram17") == "myProgram17"


@pytest.mark.parametrize(
    ("raw", "rule"),
    [("", "MIN_LENGTH"), ("x" * 65, "MAX_LENGTH"), ("a\nb", "FORMAT"), (7, "FORMAT")],
)
def test_free_ids_have_limits(raw: object, rule: str) -> None:
    """A free id has 1 to 64 printable characters."""
    read = formats.id_reader(Guid("external"), IdMode.DEFAULT)
    assert read("x" * 64) == "x" * 64
    assert rule_of(read, raw) == rule


@pytest.mark.parametrize("raw", [GUID[:-1], GUID + "0", GUID.replace("-", ""), f"{{{GUID}}}", 1])
def test_guids_have_one_form(raw: object) -> None:
    """8-4-4-4-12 and nothing else."""
    assert rule_of(formats.id_reader(Guid(), IdMode.DEFAULT), raw) == "FORMAT"


def test_text_is_counted_in_code_points() -> None:
    """A length limit counts characters, not bytes."""
    read = formats.text_reader(Text(min_length=1, max_length=3))
    assert read("😀😀😀") == "😀😀😀"
    assert rule_of(read, "😀😀😀😀") == "MAX_LENGTH"
    assert rule_of(read, "") == "MIN_LENGTH"


def test_nul_is_no_text() -> None:
    """What databases can't store is refused, also inside free-form objects."""
    assert rule_of(formats.text_reader(Text()), "a\0b") == "FORMAT"
    read = formats.free_form_reader(FreeForm())
    assert rule_of(read, {"a": [{"b": "\0"}]}) == "FORMAT"
    assert rule_of(read, {"a": {"\0": 1}}) == "FORMAT"


@pytest.mark.parametrize(("raw", "number"), [(5, 5), (5.0, 5), ("5", 5), ("-7", -7)])
def test_integers_come_in_three_forms(raw: object, number: int) -> None:
    """A number, a whole float and text mean the same."""
    assert formats.int32_reader(Int32())(raw) == number
    assert formats.read_int64(raw) == number


@pytest.mark.parametrize("raw", [True, 5.5, "5.0", "", "x", None, [], 2**31, "9" * 5000])
def test_wrong_integers_are_refused(raw: object) -> None:
    """Booleans, fractions, and what doesn't fit 32 bits are no such integers."""
    assert rule_of(formats.int32_reader(Int32()), raw) == "FORMAT"


def test_int64_has_edges() -> None:
    """A revision fits 64 bits."""
    assert formats.read_int64(str(2**63 - 1)) == 2**63 - 1
    assert rule_of(formats.read_int64, str(2**63)) == "FORMAT"


@pytest.mark.parametrize("raw", ["true", 1, 0, None, "False"])
def test_booleans_are_strict(raw: object) -> None:
    """Only true and false are booleans."""
    assert rule_of(formats.read_boolean, raw) == "FORMAT"
    assert formats.read_boolean(True) is True


@pytest.mark.parametrize("raw", ["member", "", 1, None, [], {}])
def test_enums_come_by_name(raw: object) -> None:
    """Only the exact name is a member."""
    read = formats.enum_reader(IdentityType)
    assert read("MEMBER") is IdentityType.MEMBER
    assert rule_of(read, raw) == "INVALID_ENUM_VALUE"


def test_free_form_objects_have_limits() -> None:
    """Free-form objects are objects, not too deep and not too large."""
    read = formats.free_form_reader(FreeForm(bytes_max=100))
    deep: dict[str, object] = {}
    for _ in range(100_000):
        deep = {"a": deep}
    assert rule_of(read, []) == "FORMAT"
    assert rule_of(read, deep) == "OTHER"
    assert rule_of(read, {"a": "x" * 100}) == "MAX_LENGTH"
    assert read({"a": [1, None, {"b": 2.5}]}) == {"a": [1, None, {"b": 2.5}]}


def test_long_masks_are_refused() -> None:
    """A mask names at most 100 fields, and names are text."""
    read = formats.mask_reader(MaskText())
    assert rule_of(read, ",".join(["a"] * 101)) == "MAX_SIZE"
    assert rule_of(read, [1]) == "FORMAT"
    assert read("") == ()
