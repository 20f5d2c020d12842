"""Files of people: rows are judged here, compared with what the service has, and sent in chunks.

In memory are one chunk and the first errors, however long the file is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from itertools import islice
from typing import Any, NamedTuple

import msgspec

from benefit_programs.client import (
    AnonymousVisitor,
    BenefitPrograms,
    Identity,
    Member,
    NewPerson,
    Person,
    WixUser,
)
from benefit_programs.client.core.wire import to_wire
from benefit_programs.domain.errors import FieldViolation, Invalid, ViolatedRule
from benefit_programs.domain.people.rows import SAID
from benefit_programs.domain.settings import IdMode
from benefit_programs.domain.values import IdentityType
from benefit_programs.transfer.files import Line
from benefit_programs.transfer.seen import SeenKeys
from benefit_programs.wire.codec import decoder_for
from benefit_programs.wire.types import people as wire
from benefit_programs.wire.types.common import BULK_MAX

IDENTITIES = ("memberId", "wixUserId", "anonymousVisitorId")
COLUMNS = (*IDENTITIES, "displayName", "email", "phone", "note")
"""The columns of a file, in the order of an export."""


_KINDS: dict[IdentityType, type[Identity]] = {
    IdentityType.MEMBER: Member,
    IdentityType.WIX_USER: WixUser,
    IdentityType.ANONYMOUS_VISITOR: AnonymousVisitor,
}


class Outcome(StrEnum):
    """What becomes of a row."""

    CREATED = "CREATED"
    CHANGED = "CHANGED"
    UNCHANGED = "UNCHANGED"
    INVALID = "INVALID"


class Finding(msgspec.Struct, frozen=True):
    """What is wrong with a row."""

    line: int
    field: str
    rule: str
    description: str


class Report(msgspec.Struct, kw_only=True):
    """What an import did, or would do."""

    findings_max: int
    rows: int = 0
    outcomes: dict[Outcome, int] = msgspec.field(default_factory=lambda: dict.fromkeys(Outcome, 0))
    findings: list[Finding] = msgspec.field(default_factory=list)
    findings_left_off: int = 0

    def refuse(self, line: int, violations: Iterable[FieldViolation]) -> None:
        self.outcomes[Outcome.INVALID] += 1
        for each in violations:
            if len(self.findings) == self.findings_max:
                self.findings_left_off += 1
                continue
            rule = each.rule_name or str(each.violated_rule)
            self.findings.append(Finding(line, each.field, rule, each.description))


class _Row(NamedTuple):
    line: int
    person: NewPerson


class PeopleImport:
    """Sends the rows of a file to a service; in a dry run it only compares."""

    def __init__(
        self, client: BenefitPrograms, ids: IdMode, *, findings_max: int, dry_run: bool
    ) -> None:
        self._client = client
        self._ids = ids
        self._dry_run = dry_run
        self.report = Report(findings_max=findings_max)

    def run(self, lines: Iterable[Line]) -> Iterator[Report]:
        """Import all rows; the report so far after each chunk."""
        with SeenKeys() as seen:
            rows = filter(None, (self._judge(line, seen) for line in lines))
            while chunk := list(islice(rows, BULK_MAX)):
                self._take(chunk)
                yield self.report
        self.report.findings.sort(key=lambda each: each.line)

    def _judge(self, line: Line, seen: SeenKeys) -> _Row | None:
        """A row that can be sent, or None if it was refused."""
        self.report.rows += 1
        try:
            person = self._read(line)
            _refuse_second(person, line, seen)
        except Invalid as refusal:
            self.report.refuse(line.number, refusal.violations)
            return None
        return _Row(line.number, person)

    def _read(self, line: Line) -> NewPerson:
        if line.problem is not None:
            raise Invalid((line.problem,))
        document = line.document
        unknown = [name for name in document if name not in COLUMNS]
        if unknown:
            columns = f"must be one of {', '.join(COLUMNS)}"
            raise Invalid.because(unknown[0], columns, ViolatedRule.FIELD_NOT_ALLOWED)
        ids = {name: document[name] for name in IDENTITIES if name in document}
        said = {name: value for name, value in document.items() if name not in ids}
        decoder = decoder_for(wire.NewPerson)
        found = decoder.decode({"beneficiary": ids, **said}, ids=self._ids).value
        identity = found.beneficiary.identity()
        return NewPerson(
            beneficiary=_KINDS[identity.type](identity.id),
            **{name: getattr(found, name) for name in SAID},
        )

    def _take(self, rows: Sequence[_Row]) -> None:
        """Send those rows of a chunk that say something else than the service has."""
        asked = [row.person.beneficiary for row in rows]
        known = self._client.people.look_up(asked, directory_only=True).people
        stored = {person.beneficiary: _said(person) for person in known}
        new = [row for row in rows if stored.get(row.person.beneficiary) != _said(row.person)]
        self.report.outcomes[Outcome.UNCHANGED] += len(rows) - len(new)
        refused = () if self._dry_run or not new else self._send(new)
        for place, row in enumerate(new):
            if place not in refused:
                is_there = row.person.beneficiary in stored
                self.report.outcomes[Outcome.CHANGED if is_there else Outcome.CREATED] += 1

    def _send(self, rows: Sequence[_Row]) -> set[int]:
        """Send rows; the places of those that the service refused."""
        sent = self._client.people.bulk_set([row.person for row in rows])
        for each in sent.failures:
            code, said = (each.error.code, each.error.description) if each.error else ("", "")
            self.report.refuse(
                rows[each.index].line,
                [FieldViolation("", said, ViolatedRule.OTHER, rule_name=code)],
            )
        return {each.index for each in sent.failures}


def _refuse_second(person: NewPerson, line: Line, seen: SeenKeys) -> None:
    before = seen.line_before((person.beneficiary.field, person.beneficiary.id), line.number)
    if before is not None:
        said = f"the beneficiary is in line {before} already"
        raise Invalid.because("", said, rule_name="repeated")


def _said(person: NewPerson | Person) -> tuple[str | None, ...]:
    return tuple(getattr(person, name) for name in SAID)


def row_of(person: Person) -> dict[str, Any]:
    """A person as a row of a file."""
    document = to_wire(person)
    return {name: document[name] for name in COLUMNS if name in document} | {
        person.beneficiary.field: person.beneficiary.id
    }
