"""A tool: one row, which stands right above the function that answers it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, get_type_hints

import msgspec

from benefit_programs.agents.calling import BAD_REQUEST, CONFLICT, Methods, Refused
from benefit_programs.agents.caps import Caps
from benefit_programs.agents.marking import marked


class Arguments(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"
):
    """What a tool is asked for; the names are those of the API."""


def given(**values: Any) -> dict[str, Any]:
    """What was said, by the names of the API."""
    return {name: each for name, each in values.items() if each is not None}


@dataclass(frozen=True, kw_only=True)
class Change:
    """What a tool is about to do: one method, its request, and how many credits it moves."""

    method: str
    request: dict[str, Any]
    amount: Decimal = Decimal(0)


Handler = Callable[[Methods, Any], Awaitable[Any]]


@dataclass(frozen=True, kw_only=True)
class Tool:
    """One tool. Its description is the docstring of the function."""

    name: str
    title: str
    description: str
    arguments: type[Arguments]
    methods: tuple[str, ...]
    """What the key must allow for the tool to be there."""
    also: tuple[str, ...]
    """What it calls besides, if the key allows it."""
    changes: bool
    handler: Handler

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the arguments."""
        _, components = msgspec.json.schema_components([self.arguments])
        schema: dict[str, Any] = components[self.arguments.__name__]
        schema.pop("title", None)
        schema.pop("description", None)
        return schema

    def is_for(self, methods: Methods, *, may_change: bool) -> bool:
        return (may_change or not self.changes) and all(map(methods.may_call, self.methods))

    async def run(self, methods: Methods, caps: Caps, arguments: dict[str, Any]) -> dict[str, Any]:
        """The answer, with people's texts marked. Raises Refused."""
        try:
            asked = msgspec.convert(arguments, self.arguments)
        except msgspec.ValidationError as wrong:
            raise Refused("WRONG_ARGUMENTS", str(wrong), status=BAD_REQUEST) from None
        answer = await self.handler(methods, asked)
        if self.changes:
            answer = await self._do(methods, caps, answer)
        found: dict[str, Any] = marked(answer)
        return found

    async def _do(self, methods: Methods, caps: Caps, change: Change) -> dict[str, Any]:
        """Make a change, once: whoever tries again is told what the first attempt did."""
        assert change.method in self.methods, "a tool says what it calls"
        await caps.admit(methods, change.amount)
        try:
            return {"done": True, **await methods.call(change.method, change.request)}
        except Refused as refused:
            if refused.status == CONFLICT and refused.code in _DONE_BEFORE:
                return {"done": False, "doneBefore": True, **refused.data}
            raise


_DONE_BEFORE = frozenset({"ALREADY_EXECUTED", "BENEFIT_ALREADY_REDEEMED"})


def tool(
    title: str, *methods: str, also: tuple[str, ...] = (), changes: bool = False
) -> Callable[[Handler], Tool]:
    """Make the function below a tool; its annotation says what it takes.

    One that changes something gives a Change, and makes none itself.
    """

    def row(handler: Handler) -> Tool:
        arguments = list(get_type_hints(handler).values())[1]
        return Tool(
            name=handler.__name__,
            title=title,
            description=" ".join((handler.__doc__ or "").split()),
            arguments=arguments,
            methods=methods,
            also=also,
            changes=changes,
            handler=handler,
        )

    return row
