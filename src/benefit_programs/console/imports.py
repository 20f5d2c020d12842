"""Files of people and of programs: rows are judged, compared with what is there, and sent."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import Any, NamedTuple, TypeVar

from benefit_programs.console.groups import each_of
from benefit_programs.console.languages import gettext as _
from benefit_programs.console.visit import Visit
from benefit_programs.console.words import refusal_words
from benefit_programs.domain.errors import Invalid, ProgramNotFound, Refusal
from benefit_programs.domain.people.rows import SAID
from benefit_programs.transfer.files import FileFormat, Line, Source, WrongFile
from benefit_programs.transfer.records import REQUIRED_COLUMNS, read_record
from benefit_programs.wire.codec import decoder_for
from benefit_programs.wire.codec.naming import to_camel
from benefit_programs.wire.types import people as wire
from benefit_programs.wire.types.common import BULK_MAX

FINDINGS_MAX = 50
"""How many rows that can't be used are named; all are counted."""

PEOPLE_ROWS_MAX = 10_000
PROGRAM_ROWS_MAX = 1_000

_IDS = ("memberId", "wixUserId", "anonymousVisitorId")
PEOPLE_COLUMNS = (*_IDS, "displayName", "email", "phone", "note")
PROGRAM_COLUMNS = (
    *REQUIRED_COLUMNS,
    *("programDefinitionExternalId", "programDefinitionId", "poolDefinitionId"),
    *_IDS,
    *("programStatus", "displayName"),
)

T = TypeVar("T")
Read = Callable[[Mapping[str, Any]], dict[str, Any]]


class Outcome(StrEnum):
    """What becomes of a row."""

    CREATED = "CREATED"
    CHANGED = "CHANGED"
    UNCHANGED = "UNCHANGED"
    INVALID = "INVALID"


@dataclass
class Report:
    """What an import did, or would do."""

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    findings: list[tuple[int, str]] = field(default_factory=list)

    @property
    def sent(self) -> int:
        """How many rows say something new."""
        return self.outcomes[Outcome.CREATED] + self.outcomes[Outcome.CHANGED]

    def refuse(self, line: int, words: str) -> None:
        self.outcomes[Outcome.INVALID] += 1
        if len(self.findings) < FINDINGS_MAX:
            self.findings.append((line, words))


class _Row(NamedTuple):
    line: int
    document: dict[str, Any]


async def import_people(visit: Visit, text: str, *, is_dry: bool) -> Report:
    """Say who people are. A row that says nothing new is left alone."""
    report = Report()
    lines = _lines(text, PEOPLE_COLUMNS, (), PEOPLE_ROWS_MAX)
    rows = _once(report, list(_judged(report, lines, partial(_person, visit))), _whose)
    for start in range(0, len(rows), BULK_MAX):
        await _take_people(visit, report, rows[start : start + BULK_MAX], is_dry=is_dry)
    report.findings.sort()
    return report


async def import_programs(visit: Visit, text: str, *, is_dry: bool) -> Report:
    """Sell what the rows say. A program that is there already stays as it is."""
    report = Report()
    lines = _lines(text, PROGRAM_COLUMNS, REQUIRED_COLUMNS, PROGRAM_ROWS_MAX)
    rows = list(_judged(report, lines, partial(_program, visit)))

    async def take(row: _Row) -> None:
        try:
            report.outcomes[await _take_program(visit, row.document, is_dry=is_dry)] += 1
        except Refusal as refusal:
            report.refuse(row.line, refusal_words(refusal))

    await each_of(_once(report, rows, _order), take)
    report.findings.sort()
    return report


def _lines(text: str, columns: Sequence[str], required: Sequence[str], rows_max: int) -> list[Line]:
    kind = FileFormat.JSONL if text.lstrip().startswith("{") else FileFormat.CSV
    file = io.BytesIO(text.encode())
    lines = []
    try:
        for line in Source(file, kind, columns=columns, required=required):
            lines.append(line)
            if len(lines) > rows_max:
                raise Invalid.because("file", _("has more than %(rows)s rows", rows=rows_max))
    except WrongFile as error:
        raise Invalid.because("file", str(error)) from None
    return lines


def _judged(report: Report, lines: list[Line], read: Read) -> Iterator[_Row]:
    """The rows that methods can take; the others are refused."""
    for line in lines:
        try:
            found = _read(line, read)
        except Invalid as refusal:
            report.refuse(line.number, refusal_words(refusal))
        else:
            yield _Row(line.number, found)


def _read(line: Line, read: Read) -> dict[str, Any]:
    if line.problem is not None:
        raise Invalid((line.problem,))
    return read(line.document)


def _once(
    report: Report, rows: list[_Row], key_of: Callable[[Mapping[str, Any]], object]
) -> list[_Row]:
    """The rows of which no earlier one is about the same."""
    seen: dict[object, int] = {}
    kept = []
    for row in rows:
        first = seen.setdefault(key_of(row.document), row.line)
        if first == row.line:
            kept.append(row)
        else:
            report.refuse(row.line, _("is about the same as line %(line)s", line=first))
    return kept


# People


def _person(visit: Visit, document: Mapping[str, Any]) -> dict[str, Any]:
    ids = {name: document[name] for name in _IDS if name in document}
    person = {"beneficiary": ids} | {k: v for k, v in document.items() if k not in ids}
    _decode(visit, wire.NewPerson, person)
    return person


def _whose(person: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    ids = ((name, text.lower()) for name, text in person["beneficiary"].items())
    return tuple(each for each in ids if each[0] != "identityType")


def _said(person: Mapping[str, Any]) -> list[Any]:
    return [person.get(to_camel(name)) for name in SAID]


async def _take_people(visit: Visit, report: Report, rows: Sequence[_Row], *, is_dry: bool) -> None:
    asked = {
        "beneficiaries": [row.document["beneficiary"] for row in rows],
        "directoryOnly": True,
    }
    known = {_whose(each): each for each in (await visit.call("lookUpPeople", asked))["people"]}
    stored = {row.line: known.get(_whose(row.document)) for row in rows}
    new = []
    for row in rows:
        before = stored[row.line]
        if before is not None and _said(before) == _said(row.document):
            report.outcomes[Outcome.UNCHANGED] += 1
        else:
            new.append(row)
    results: list[dict[str, Any]] = [{"itemMetadata": {"success": True}}] * len(new)
    if new and not is_dry:
        sent = await visit.call("bulkSetPeople", {"people": [row.document for row in new]})
        results = sent["results"]
    for row, result in zip(new, results, strict=True):
        metadata = result["itemMetadata"]
        if metadata["success"]:
            report.outcomes[
                Outcome.CHANGED if stored[row.line] is not None else Outcome.CREATED
            ] += 1
        else:
            report.refuse(row.line, metadata["error"]["description"])


# Programs


def _program(visit: Visit, document: Mapping[str, Any]) -> dict[str, Any]:
    record = read_record(document, lambda type_, given: _decode(visit, type_, given))
    ids = {name: document[name] for name in _IDS if name in document}
    return {
        "beneficiary": ids,
        "namespace": record.named.namespace,
        "externalProgramId": record.named.external_program_id,
        "programStatus": record.named.program_status,
        "displayName": record.named.display_name,
        "origin": record.origin,
    }


def _order(program: Mapping[str, Any]) -> tuple[str, str]:
    return program["namespace"], program["externalProgramId"]


async def _take_program(visit: Visit, program: dict[str, Any], *, is_dry: bool) -> Outcome:
    namespace, external_id = _order(program)
    try:
        await visit.call(
            "getProgramByExternalIdAndNamespace",
            {"namespace": namespace, "externalId": external_id},
        )
    except ProgramNotFound:
        lookup = await _definition(visit, program["origin"], namespace)
        if not is_dry:
            request = {name: each for name, each in program.items() if name != "origin"}
            await visit.call("provisionProgram", {**request, "poolDefinitionLookupId": lookup})
        return Outcome.CREATED
    return Outcome.UNCHANGED


async def _definition(visit: Visit, origin: Any, namespace: str) -> dict[str, str]:
    """The id of what a program is made from. Raises Refusal for what there isn't."""
    if origin.pool_definition_id is not None:
        request = {"poolDefinitionId": origin.pool_definition_id}
        await visit.call("getPoolDefinition", request)
        return request
    if origin.program_definition_id is not None:
        request = {"programDefinitionId": origin.program_definition_id}
        await visit.call("getProgramDefinition", request)
        return request
    found = await visit.call(
        "getProgramDefinitionByExternalIdAndNamespace",
        {"namespace": namespace, "externalId": origin.program_definition_external_id},
    )
    return {"programDefinitionId": found["programDefinition"]["id"]}


def _decode(visit: Visit, type_: type[T], document: Mapping[str, Any]) -> T:
    ids = visit.principal.settings.id_mode
    found: T = decoder_for(type_).decode(dict(document), ids=ids).value
    return found
