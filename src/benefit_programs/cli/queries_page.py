"""The page of docs/reference about queries: operators, values, order, pages."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from benefit_programs.cli.markdown import GENERATED, joined, table
from benefit_programs.domain.constraints import FILTER_BYTES_MAX
from benefit_programs.storage.query import LIMIT_MAX_OF_ITEMS
from benefit_programs.storage.query.paging import SORTS_MAX
from benefit_programs.storage.query.sizes import CONDITIONS_MAX, DEPTH_MAX, MEMBERS_MAX
from benefit_programs.storage.query.spec import LIMIT_DEFAULT, LIMIT_MAX
from benefit_programs.storage.query.values import TEXT_LENGTH_MAX
from benefit_programs.wire.types.common import SCAN_LIMIT_MAX

MEMBERS = "programDefinitions.externalId"


class Row(NamedTuple):
    """A pool definition item of the examples."""

    external_id: str
    category: str | None
    program_definitions: tuple[str, ...]


ROWS = (
    Row("yoga-basic", "class", ("gold", "silver")),
    Row("Yoga-plus", "class", ("gold",)),
    Row("towel", "rent", ("silver",)),
    Row("day-pass", None, ()),
)
BASIC, PLUS, TOWEL, PASS = (row.external_id for row in ROWS)


class Example(NamedTuple):
    """A filter, and the rows that it finds."""

    filter: dict[str, Any]
    finds: tuple[str, ...]


class Operator(NamedTuple):
    """The value of an operator, its meaning, and examples."""

    takes: str
    about: str
    examples: tuple[Example, ...]


OPERATORS: dict[str, Operator] = {
    "$eq": Operator(
        "a value, or `null`; for a field with several values also a list",
        "The value is this one. The operator may be left out. `null` finds absent values. A field"
        " with several values matches if one of them does; a list must name all of them.",
        (
            Example({"category": "class"}, (BASIC, PLUS)),
            Example({"category": {"$eq": "rent"}}, (TOWEL,)),
            Example({"category": None}, (PASS,)),
            Example({MEMBERS: "gold"}, (BASIC, PLUS)),
            Example({MEMBERS: ["gold"]}, (PLUS,)),
        ),
    ),
    "$ne": Operator(
        "a value, or `null`",
        "All rows that `$eq` doesn't find, also those without a value.",
        (
            Example({"category": {"$ne": "class"}}, (TOWEL, PASS)),
            Example({"category": {"$ne": None}}, (BASIC, PLUS, TOWEL)),
        ),
    ),
    "$gt": Operator(
        "a value",
        "The value comes after this one. Texts are compared by code point, so capital letters come"
        " first. Rows without a value are never found.",
        (Example({"externalId": {"$gt": "towel"}}, (BASIC,)),),
    ),
    "$gte": Operator(
        "a value",
        "The value is this one or comes after it.",
        (
            Example({"externalId": {"$gte": "towel"}}, (BASIC, TOWEL)),
            Example({"createdDate": {"$gte": "2020-01-01T00:00:00Z"}}, (BASIC, PLUS, TOWEL, PASS)),
        ),
    ),
    "$lt": Operator(
        "a value",
        "The value comes before this one.",
        (
            Example({"externalId": {"$lt": "towel"}}, (PLUS, PASS)),
            Example({"category": {"$lt": "z"}}, (BASIC, PLUS, TOWEL)),
        ),
    ),
    "$lte": Operator(
        "a value",
        "The value is this one or comes before it.",
        (Example({"externalId": {"$lte": "towel"}}, (PLUS, TOWEL, PASS)),),
    ),
    "$in": Operator(
        f"a list of at most {MEMBERS_MAX} values, of which one may be `null`",
        "The value is one of these. `null` among them finds absent values.",
        (
            Example({"externalId": {"$in": [TOWEL, PASS]}}, (TOWEL, PASS)),
            Example({"category": {"$in": ["rent", None]}}, (TOWEL, PASS)),
            Example({"category": {"$in": []}}, ()),
        ),
    ),
    "$nin": Operator(
        f"a list of at most {MEMBERS_MAX} values, of which one may be `null`",
        "All rows that `$in` doesn't find, also those without a value.",
        (Example({"category": {"$nin": ["class"]}}, (TOWEL, PASS)),),
    ),
    "$startsWith": Operator(
        "a text",
        "The value begins with this text, in upper or lower case. Ids and dates are compared as"
        " they are written in answers.",
        (Example({"externalId": {"$startsWith": "YOGA"}}, (BASIC, PLUS)),),
    ),
    "$isEmpty": Operator(
        "`true` or `false`",
        "Whether the value is absent or an empty text.",
        (
            Example({"category": {"$isEmpty": True}}, (PASS,)),
            Example({MEMBERS: {"$isEmpty": False}}, (BASIC, PLUS, TOWEL)),
        ),
    ),
    "$exists": Operator(
        "`true` or `false`",
        "Whether there is a value.",
        (
            Example({"category": {"$exists": True}}, (BASIC, PLUS, TOWEL)),
            Example({MEMBERS: {"$exists": False}}, (PASS,)),
        ),
    ),
    "$hasAll": Operator(
        f"a list of at most {MEMBERS_MAX} values",
        "Each of these is among the values. A field with one value is taken as a list of one.",
        (
            Example({MEMBERS: {"$hasAll": ["gold", "silver"]}}, (BASIC,)),
            Example({"category": {"$hasAll": ["class", "rent"]}}, ()),
        ),
    ),
    "$hasSome": Operator(
        f"a list of at most {MEMBERS_MAX} values",
        "One of these is among the values.",
        (Example({MEMBERS: {"$hasSome": ["silver", "bronze"]}}, (BASIC, TOWEL)),),
    ),
    "$and": Operator(
        "a list of filters",
        "All of the filters match. Several fields in one object, or several operators of one field,"
        " mean the same.",
        (
            Example({"$and": [{"category": "class"}, {MEMBERS: "silver"}]}, (BASIC,)),
            Example({"category": "class", MEMBERS: "silver"}, (BASIC,)),
            Example({"externalId": {"$gt": "day", "$lt": "u"}}, (TOWEL, PASS)),
        ),
    ),
    "$or": Operator(
        "a list of filters",
        "One of the filters matches.",
        (Example({"$or": [{"category": "rent"}, {MEMBERS: "gold"}]}, (BASIC, PLUS, TOWEL)),),
    ),
    "$not": Operator(
        "a filter, or the operators of one field",
        "The filter doesn't match. Rows without a value are found too.",
        (
            Example({"$not": {"category": "class"}}, (TOWEL, PASS)),
            Example({"category": {"$not": {"$startsWith": "cl"}}}, (TOWEL, PASS)),
        ),
    ),
}

_HEAD = """\
A query finds rows by a filter, in an order, one page at a time. This page is for developers who
write queries. They have this form:

```text
{"query": {"filter": {...}, "sort": [...], "cursorPaging": {"limit": 50}}}
```

Each [method](methods.md) lists its fields for filters and sorts; other fields are refused with 400.
Every operator works on every field for filters. One answer names everything that is wrong with a
query, with the path of each place.
"""

_SAMPLE = """\
The examples are filters of `queryPoolDefinitionItems` over these four rows. A test sends each
of them and compares the result.
"""

_VALUES = (
    ("id", "a GUID, in upper or lower case"),
    ("external id", "as it was given; case matters"),
    (
        "date",
        '`"2026-11-23T12:00:00.000Z"`, with another offset, or only the day; `{"$date": ...}` too',
    ),
    ("amount", '`"12.5"`, or a whole number; `$startsWith` doesn\'t take it'),
    ("name of an enum", "one of its names"),
    ("identity", "an object with one of `memberId`, `wixUserId`, `anonymousVisitorId`"),
    ("absent", "`null`; an empty category is the same as none"),
)

_ORDER = f"""\
`sort` has at most {SORTS_MAX} entries, each with a `fieldName` and an `order`, `ASC` (default) or
`DESC`. Without a sort, the newest row comes first. Absent values come first in `ASC` and last in
`DESC`. A field with several values is sorted by the smallest of them. Ties are broken by id, in the
direction of the last entry.
"""

_PAGES = f"""\
`cursorPaging.limit` is the number of rows of a page: by default {LIMIT_DEFAULT}, at most
{LIMIT_MAX}, or {LIMIT_MAX_OF_ITEMS:,} for items, pool items and pool definition items. The
`metadata` of an answer has `count` (the rows of this page), `hasNext`, and `cursors.next` and
`cursors.prev` if there is such a page. Send one of them as `cursorPaging.cursor`, alone or with
another limit: it includes the filter and the sort.

New and removed rows don't make other rows appear twice or get lost, and the last page is as quick
as the first. A cursor is signed, and valid for its own method and tenant only.
"""

_SCANS = f"""\
A filter on a field without an index may look at all rows to find few. `scanLimit`, from 1 to
{SCAN_LIMIT_MAX:,}, says how many rows to look at for one page. It is an addition to the contract:

```text
{{"query": {{"filter": {{"amount.available": {{"$lte": "1"}}}}, "scanLimit": 50000}}}}
```

These are the next rows in the order of the query. If the filter holds indexed fields to a value,
only the rows of that value count, and if it limits `createdDate`, only those of that time. What is
found among them is the page. It may be short, or empty, and have a `cursors.next` all the same:
then there are rows that nobody has looked at. Send `scanLimit` again with each cursor. All pages
together are the whole answer, as without it.

It works in the order of `createdDate` or `id` alone, and towards following pages: there is no
`cursors.prev`. In another order, and with the cursor of a previous page, `query.scanLimit` is
refused with 400.
"""

_LIMITS = f"""\
A filter has at most {CONDITIONS_MAX} conditions, {DEPTH_MAX} levels of operators,
{TEXT_LENGTH_MAX:,} characters in a text, and {FILTER_BYTES_MAX:,} bytes as JSON.
"""


def queries_page() -> str:
    rows = [
        (f"`{row.external_id}`", _words(row.category), _words(*row.program_definitions))
        for row in ROWS
    ]
    parts = ["# Queries", GENERATED, _HEAD, "## Operators", _SAMPLE]
    parts.append(table(("`externalId`", "`category`", f"`{MEMBERS}`"), rows))
    for name, operator in OPERATORS.items():
        parts += [f"### {name}", f"Takes {operator.takes}.", operator.about, _examples(operator)]
    parts += ["## Values", table(("Value", "How it is written"), _VALUES)]
    parts += ["## Order", _ORDER, "## Pages", _PAGES]
    parts += ["## Look at few rows", _SCANS, "## Limits", _LIMITS]
    return joined(parts)


def _examples(operator: Operator) -> str:
    rows = [(f"`{json.dumps(each.filter)}`", _words(*each.finds)) for each in operator.examples]
    return table(("Filter", "Finds"), rows)


def _words(*words: str | None) -> str:
    return ", ".join(f"`{word}`" for word in words if word) or "none"
