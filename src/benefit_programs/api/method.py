"""A method of the API: one row, which stands right above the function that answers it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any, Literal, get_type_hints

from benefit_programs.domain.errors import Invalid, Refusal, ViolatedRule
from benefit_programs.storage.query import Dialect, Field, QuerySpec, SqliteDialect
from benefit_programs.wire.codec.fields import entries_of, fields_by_name, fields_of


class Scope(StrEnum):
    """What a key must be allowed to call a method.

    MANAGE includes the three that read. What operates the service must be said by itself.
    """

    MANAGE = "SCOPE.BENEFIT_PROGRAMS.MANAGE"
    READ_LIMITED = "SCOPE.BENEFIT_PROGRAMS.READ_LIMITED"
    READ = "SCOPE.BENEFIT_PROGRAMS.READ"
    READ_JOBS = "SCOPE.ASYNC_JOB.READ"
    OPERATE = "SCOPE.BENEFIT_PROGRAMS.OPERATE"
    """To look after a tenant: its keys, its jobs, its health."""
    INSTALLATION = "SCOPE.BENEFIT_PROGRAMS.INSTALLATION"
    """To make tenants, and to act for each of them."""


Verb = Literal["GET", "POST", "PATCH", "DELETE"]
Handler = Callable[[Any, Any], Awaitable[Any]]
"""Takes the call and its decoded request, and gives the response."""

Follower = Callable[[Any, Any, str | None], AsyncIterator[bytes]]
"""Takes the call, its decoded request and the last event's id, and gives server-sent events."""

Table = Callable[[dict[str, Any]], Iterable[Sequence[str]]]
"""Takes an answer as its JSON document, and gives its lines as a table, the names first."""

Refusals = tuple[type[Refusal], ...]

OPERATING = frozenset({Scope.OPERATE, Scope.INSTALLATION})
"""What no other scope includes."""

_READING = frozenset({Scope.READ, Scope.READ_LIMITED, Scope.READ_JOBS})
_JUDGING = frozenset(
    {
        "checkBenefitEligibility",
        "bulkCheckBenefitEligibility",
        "checkBenefitEligibilityByFilter",
    }
)
"""What needs the right to redeem, and redeems nothing."""

_PARAMETER = re.compile(r"\{([^}]+)\}")


@dataclass(frozen=True, kw_only=True)
class Method:
    """One method: what it is called by, who may call it, and what answers it."""

    name: str
    verb: Verb
    path: str
    scope: Scope
    permission_ids: tuple[str, ...]
    """What a narrowed key must have: all of them, or one if ``takes_any``."""

    takes_any: bool
    """Whether each permission id is enough for something; the handler looks for what."""

    request: type[Any]
    response: type[Any]
    handler: Handler
    refuses: Refusals
    """What it may answer beside what every method may; in bulk, for its entries."""
    spec: Callable[[Dialect], QuerySpec] | None
    """What its rows are read from, if it gives pages or takes a filter."""
    for_members: bool
    """Whether a member's key may call it, for its own rows alone."""
    for_administrators: bool
    """Whether only an administrator's key may call it, whatever an app's key allows."""
    is_addition: bool
    """Whether it is the service's own, beside those of the contract."""
    follower: Follower | None
    """What answers who asks for a stream instead, if it can be followed."""
    table: Table | None
    """What makes a table of its answer for who asks for CSV, if it can be one."""

    @property
    def request_in(self) -> Literal["body", "query"]:
        return "query" if self.verb in ("GET", "DELETE") else "body"

    @property
    def only_reads(self) -> bool:
        """Whether it changes nothing, by whichever verb it is called."""
        return self.verb == "GET" or self._reads_rows

    @property
    def is_for_replicas(self) -> bool:
        """Whether a replica may answer it.

        The end of the feed is known on the primary alone. What administrators read of the service
        itself comes from there too.
        """
        return self._reads_rows and self.follower is None

    @property
    def _reads_rows(self) -> bool:
        return self.scope in _READING or self.name in _JUDGING

    @property
    def path_parameters(self) -> tuple[str, ...]:
        """The dotted wire names of the fields that the path holds."""
        return tuple(_PARAMETER.findall(self.path))

    @property
    def bulk_field(self) -> str | None:
        """The attribute of the list whose entries succeed or fail one by one."""
        entries = entries_of(self.request)
        return entries.attribute if entries else None

    @cached_property
    def filter_path(self) -> tuple[str, ...]:
        """Where a request has its filter in the query language; empty if it takes none."""
        if self.spec is None:
            return ()
        shapes = {field.wire_name: field.shape for field in fields_of(self.request)}
        if "query" in shapes:
            return ("query", "filter")
        return ("filter",) if "filter" in shapes and not shapes["filter"].is_struct else ()

    @property
    def fields(self) -> dict[str, Field]:
        """What its filter may name, whichever the store; empty if it takes none."""
        return self.spec(SqliteDialect()).fields if self.spec and self.filter_path else {}

    @property
    def sortable(self) -> list[str]:
        """The fields that it may sort by; none if it takes no query."""
        if "query" not in self.filter_path:
            return []
        return [name for name, field in self.fields.items() if field.sortable]

    @property
    def indexed(self) -> frozenset[str]:
        """The fields on which an equality goes by an index; none if it takes no query."""
        if self.spec is None or "query" not in self.filter_path:
            return frozenset()
        return self.spec(SqliteDialect()).indexed

    def merge_path(self, document: object, parameters: dict[str, str]) -> object:
        """The request's document with the fields of its path.

        A field that the document has too must be the same there, else Invalid is raised. A
        document, or an object in it, that isn't there or is no object stays as it is: decoding
        it tells what is wrong.
        """
        if not isinstance(document, dict):
            return document
        merged = dict(document)
        for dotted, value in parameters.items():
            _merge(merged, self.request, dotted.split("."), value, dotted)
        return merged


def _merge(
    document: dict[str, Any], type_: type[Any], names: list[str], value: str, dotted: str
) -> None:
    field = fields_by_name(type_)[names[0]]
    sent = next((name for name in field.names if document.get(name) is not None), names[0])
    if len(names) > 1:
        inner = document.get(sent)
        if isinstance(inner, dict):
            document[sent] = dict(inner)
            _merge(document[sent], field.shape.kind, names[1:], value, dotted)
        return
    other = document.get(sent, value)
    if isinstance(other, str) and other.lower() != value.lower():
        raise Invalid.because(
            dotted, "differs from the id in the path", ViolatedRule.FIELD_NOT_ALLOWED
        )
    document[sent] = value


GET: Literal["GET"] = "GET"
POST: Literal["POST"] = "POST"
PATCH: Literal["PATCH"] = "PATCH"
DELETE: Literal["DELETE"] = "DELETE"

MANAGE = Scope.MANAGE
READ_LIMITED = Scope.READ_LIMITED
READ = Scope.READ
READ_JOBS = Scope.READ_JOBS
OPERATE = Scope.OPERATE
INSTALLATION = Scope.INSTALLATION


def method(  # noqa: PLR0913 - a column each
    name: str,
    verb: Verb,
    path: str,
    scope: Scope,
    *permission_ids: str,
    refuses: Refusals = (),
    spec: Callable[[Dialect], QuerySpec] | None = None,
    for_members: bool = False,
    for_administrators: bool = False,
    is_addition: bool = False,
    follower: Follower | None = None,
    table: Table | None = None,
    takes_any: bool = False,
) -> Callable[[Handler], Method]:
    """Make the function below a method; its annotations say what it takes and gives.

    ``refuses`` names errors beside those of every method, ``spec`` what a query may name,
    ``follower`` what answers with a stream, ``table`` what makes CSV of an answer. Each of the
    permission ids is needed, or any one of them.
    """

    def row(handler: Handler) -> Method:
        _, request, response = get_type_hints(handler).values()
        return Method(
            name=name,
            verb=verb,
            path=path,
            scope=scope,
            permission_ids=permission_ids,
            takes_any=takes_any,
            request=request,
            response=response,
            handler=handler,
            refuses=refuses,
            spec=spec,
            for_members=for_members,
            for_administrators=for_administrators,
            is_addition=is_addition,
            follower=follower,
            table=table,
        )

    return row
