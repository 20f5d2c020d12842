"""A call of a method, and the request that it makes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from benefit_programs.client.core.routes import Route
from benefit_programs.client.core.wire import Reader, to_query
from benefit_programs.client.errors import ApiError, WrongArgument
from benefit_programs.client.generated.routes import ROUTES

T = TypeVar("T")


@dataclass(frozen=True)
class Request:
    """A request to the service: a target below its address, headers and a body."""

    verb: str
    target: str
    headers: dict[str, str]
    body: bytes | None
    timeout: float | None


@dataclass(frozen=True)
class Response:
    """An answer of the service. Names of headers are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, kw_only=True)
class Call(Generic[T]):
    """A method with its whole request and how to read its answer."""

    name: str
    fields: dict[str, Any]
    read: Reader[T]
    own_key: bool = False
    """Whether the client made the idempotency key, so that nobody else can have used it."""
    replay: Callable[[ApiError], T | None] | None = None
    """The answer that a refusal stands for which names the first execution, if it does."""

    @property
    def idempotency_key(self) -> str | None:
        """The key that makes the call safe to repeat, if it has one."""
        key: str | None = self.fields.get("idempotencyKey")
        return key

    @property
    def route(self) -> Route:
        return ROUTES[self.name]

    def request(self, headers: dict[str, str], timeout: float | None) -> Request:
        route, fields = self.route, self.fields
        path = route.path
        for parameter in route.parameters:
            path = path.replace(f"{{{parameter}}}", quote(self._value_of(parameter), safe=""))
        if route.has_body:
            return Request(route.verb, path, headers, msgspec.json.encode(fields), timeout)
        others = {name: value for name, value in fields.items() if name not in route.parameters}
        query = urlencode(to_query(others))
        return Request(route.verb, f"{path}?{query}" if query else path, headers, None, timeout)

    def _value_of(self, parameter: str) -> str:
        value: Any = self.fields
        for name in parameter.split("."):
            value = value[name]
        if not isinstance(value, str) or not value:
            raise WrongArgument(f"{parameter} must be a text that isn't empty, not {value!r}")
        return value
