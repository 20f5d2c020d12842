"""The file's YAML means what JSON means, and its schema is what editors need."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benefit_programs.cli.apply.schema import file_schema
from benefit_programs.cli.apply.yaml_text import FileUnusable, read_text, write_text
from tests.cli.files import GYM

WORDS = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Co", "Cn"])),
    st.sampled_from(
        ["no", "yes", "on", "null", "~", "true", "1", "-1", "1.5", "1e3", "12:30", "=", "08"]
    ),
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**18), 10**18)
    | WORDS
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(WORDS.filter(bool), inner, max_size=3)
    ),
)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("no", "no"),
        ("12:30", "12:30"),
        ("2026-11-23", "2026-11-23"),
        ("010", "010"),
        ("1_000", "1_000"),
        ("0.10", "0.10"),
        ("7", 7),
        ("true", True),
        ("", None),
        ("null", None),
        ("'7'", "7"),
    ],
)
def test_plain_words_mean_what_json_means(written: str, value: object) -> None:
    """Only JSON's own words and whole numbers are more than text; amounts keep their digits."""
    assert read_text(f"a: {written}").document == {"a": value}


@given(JSON)
def test_what_is_written_is_read(value: Any) -> None:
    """Any free-form value survives export and apply unchanged."""
    document = {"additionalData": {"value": value}}
    assert read_text(write_text(document)).document == document


def test_tags_make_no_objects() -> None:
    """A tag of another language is text, whatever it names."""
    assert read_text("a: !!python/object:os.system ls").document == {"a": "ls"}


def test_alias_that_holds_itself_is_told() -> None:
    """A loop of aliases is a problem of the file, not of the program."""
    assert [str(each) for each in read_text("a: &x [*x]").problems] == [
        "1:4: a[0]: an alias must not hold itself (YAML)"
    ]


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("[" * 5_000 + "]" * 5_000, "1:1: is nested too deep (YAML)"),
        (
            "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
            + "".join(
                f"{here}: &{here} [{', '.join([f'*{before}'] * 10)}]\n"
                for before, here in pairwise("abcdefghi")
            ),
            "more than 500000 values, those of aliases counted each time (MAX_SIZE)",
        ),
    ],
    ids=["deep", "aliases"],
)
def test_file_that_unfolds_without_end_is_told(written: str, problem: str) -> None:
    """A small file can't stand for more than there is room for."""
    with pytest.raises(FileUnusable) as raised:
        read_text(written)
    assert str(raised.value.problems[0]).endswith(problem)


def test_places_count_from_one() -> None:
    """Lines and columns are those that editors show."""
    with pytest.raises(FileUnusable) as raised:
        read_text("a: 1\nb: }")
    assert str(raised.value.problems[0]).startswith("2:4: ")


def test_schema_knows_the_file() -> None:
    """The schema accepts a file, refuses unknown names, and leaves out what only servers set."""
    schema = file_schema()
    validator = jsonschema_rs.validator_for(schema)
    document = read_text(GYM).document
    assert list(validator.iter_errors(document)) == []
    assert not validator.is_valid({**document, "programs": []})
    written = json.dumps(schema)
    assert not any(name in written for name in ("itemSetId", "quotaId", "UNKNOWN_CASCADE"))
