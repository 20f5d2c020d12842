"""What a check is: one statement that finds the rows that break an invariant.

A check selects ``id`` (whose row it is) and ``detail`` (what is wrong with it, in numbers) of
broken rows, so a sound database answers every check with nothing, however large it is. A paged
check looks at the rows of one tenant (``$1``) whose key is above ``$2`` and not above ``$3``; the
others look at the whole tenant in one statement, which the database sorts on its own disk.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from functools import cache
from typing import NamedTuple

import msgspec

INVARIANTS = {
    "I1": "a balance is the sum of its transactions",
    "I2": "nothing is ever below zero",
    "I3": "a balance's revision counts its transactions, and the newest one says what it is",
    "I4": "what is unique is there once",
    "I5": "an idempotency key has one effect",
    "I6": "a transaction is given back at most once, and exactly",
    "I7": "a chain is a line from its redemption on",
    "I8": "a quota counts what the redemptions that stand take of it",
    "I9": "a transaction says what its operation does",
    "I10": "an entity's events count from 1 without a gap, and its row has the last number",
    "I11": "every transaction has its event, and every event of one its transaction",
    "I12": "an id tells when its row was made",
    "I13": "what is named is there, within the tenant",
    "I14": "every row belongs to a tenant that is there",
    "I15": "a pool agrees with its program",
    "I16": "a job counts what it did, and somebody goes on with it until it has ended",
    "I17": "a snapshot and its rows for queries say the same",
    "I18": "what was left for later will be done",
    "I19": "pools go through orders by their numbers",
    "I20": "every credit is in one lot",
    "I21": "what is due happens at its instant",
    "I22": "a lot gives in its turn, and nothing after it has lapsed",
    "I23": "what is reserved is what open reservations hold",
    "I24": "a program's dates are those of its calendar",
    "I25": "what comes due in a program happens once, and not before",
    "I26": "pools know when something happens to their program, and whether their clock stands",
    "I27": "people are found by the words of what is said of them, and by no others",
}
"""The invariants by number; docs/invariants.md gives the reasons."""


class Paged(StrEnum):
    """The table whose keys cut a tenant's rows into pages."""

    PROGRAM_DEFINITIONS = "program_definitions"
    POOL_DEFINITIONS = "pool_definitions"
    SNAPSHOTS = "snapshots"
    ITEMS = "items"
    PROGRAMS = "programs"
    SCHEDULED_CHANGES = "scheduled_changes"
    POOLS = "pools"
    LOTS = "lots"
    RESERVATIONS = "reservations"
    JOBS = "jobs"
    EVENTS = "events"
    PEOPLE = "people"
    AUDIT_ENTRIES = "audit_entries"
    WEBHOOK_ENDPOINTS = "webhook_endpoints"
    WEBHOOK_DELIVERIES = "webhook_deliveries"
    WEBHOOK_KEYS = "webhook_keys"


class Check(NamedTuple):
    """A statement that finds what breaks an invariant; ``entity`` is what its ids name."""

    invariant: str
    entity: str
    sql: str
    paged: Paged | None = None


class Words(msgspec.Struct, frozen=True):
    """What the two engines write differently.

    ``hex`` is an instant as the 12 digits that its ids begin with; ``field`` and ``number`` take a
    text or a whole number out of a document, and ``inner`` a number out of a document in it;
    ``elements`` joins the elements of a list in a document as ``each``, ``members`` those of a
    document that is a list, and ``part`` and ``whole`` take fields out of those.
    """

    hex: str
    field: str
    number: str
    inner: str
    elements: str
    members: str
    part: str
    whole: str
    length: str
    parameter: str


SQLITE = Words(
    hex="printf('%012x', \\1)",
    field="json_extract(\\1, '$.\\2')",
    number="json_extract(\\1, '$.\\2')",
    inner="json_extract(\\1, '$.\\2.\\3')",
    elements="json_each(\\1, '$.\\2') each",
    members="json_each(\\1) each",
    part="json_extract(each.value, '$.\\1')",
    whole="json_extract(each.value, '$.\\1')",
    length="json_array_length(\\1)",
    parameter="?\\1",
)

POSTGRES = Words(
    hex="lpad(to_hex(\\1), 12, '0')",
    field="(\\1->>'\\2')",
    number="(\\1->>'\\2')::bigint",
    inner="(\\1->'\\2'->>'\\3')::bigint",
    elements="json_array_elements(\\1->'\\2') each",
    members="json_array_elements(\\1) each",
    part="(each.value->>'\\1')",
    whole="(each.value->>'\\1')::bigint",
    length="json_array_length(\\1)",
    parameter="$\\1",
)

_PLACES = (
    (re.compile(r"\$([0-9])"), "parameter"),
    (re.compile(r"\bhex\[([^\]]+)\]"), "hex"),
    (re.compile(r"\bfield\[([^,\]]+), (\w+)\]"), "field"),
    (re.compile(r"\bnumber\[([^,\]]+), (\w+)\]"), "number"),
    (re.compile(r"\binner\[([^,\]]+), (\w+), (\w+)\]"), "inner"),
    (re.compile(r"\belements\[([^,\]]+), (\w+)\]"), "elements"),
    (re.compile(r"\bmembers\[([^\]]+)\]"), "members"),
    (re.compile(r"\bpart\[(\w+)\]"), "part"),
    (re.compile(r"\bwhole\[(\w+)\]"), "whole"),
    (re.compile(r"\blength\[([^\]]+)\]"), "length"),
)

# Sums are taken in two parts: SQLite's sum refuses to pass 64 bits even on the way.
_PART = 1_000_000_000


def total(amounts: str, over: str = "") -> str:
    """The sum of some amounts, 0 without any; as a running sum with a window."""
    places = f" over {over}" if over else ""
    return (
        f"(coalesce(sum(({amounts}) / {_PART}){places}, 0) * {_PART}"
        f" + coalesce(sum(({amounts}) % {_PART}){places}, 0))"
    )


def listed(found: Iterable[StrEnum]) -> str:
    """Some values as a list in SQL."""
    return "(" + ", ".join(f"'{each}'" for each in found) + ")"


SAMPLES_MAX = 20
"""How many broken rows a check names at once; it counts all of them."""


@cache
def statement_of(check: Check, words: Words) -> str:
    """The check as one engine runs it: the number of broken rows, and the first of them."""
    return write(
        f"with broken as ({check.sql}) "
        "select (select count(*) from broken), cast(id as text), detail "
        f"from broken order by id limit {SAMPLES_MAX}",
        words,
    )


def write(sql: str, words: Words) -> str:
    for pattern, word in _PLACES:
        sql = pattern.sub(getattr(words, word), sql)
    return sql
