"""What refusals about a pool add, as far as it must be read: the names of its program."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from benefit_programs.api.call import Call
from benefit_programs.domain.errors import Refusal
from benefit_programs.domain.explanations import PoolContext
from benefit_programs.domain.lookups import PROGRAM, PROGRAM_DEFINITION


async def explain(call: Call, refusal: Refusal) -> Refusal:
    """The refusal with the names of its pool's program and program definition, if it has them."""
    context: PoolContext | None = getattr(refusal, "context", None)
    if context is not None:
        refusal.context = await with_names(call, context)  # type: ignore[attr-defined]
    return refusal


async def with_names(call: Call, context: PoolContext) -> PoolContext:
    """The context with display names, where they are known."""
    changes: dict[str, Any] = {}
    if context.program_info is not None:
        program = await call.one(PROGRAM, context.program_info.id)
        if program is not None:
            changes["program_info"] = replace(
                context.program_info, display_name=program.display_name
            )
    if context.program_definition_info is not None:
        definition = await call.one(PROGRAM_DEFINITION, context.program_definition_info.id)
        if definition is not None:
            changes["program_definition_info"] = replace(
                context.program_definition_info,
                display_name=definition.display_name,
                description=definition.description,
            )
    return replace(context, **changes)
