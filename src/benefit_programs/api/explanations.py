"""The names of programs and program definitions, which answers about a pool add."""

from __future__ import annotations

from asyncio import gather
from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

from benefit_programs.api.call import Call
from benefit_programs.domain.entities import Pool, Program, ProgramDefinition
from benefit_programs.domain.errors import Refusal
from benefit_programs.domain.explanations import PoolContext
from benefit_programs.domain.lookups import NAMED_PROGRAM, NAMED_PROGRAM_DEFINITION
from benefit_programs.domain.state import State


class Names(msgspec.Struct, frozen=True):
    """Programs and program definitions, by id, whose names answers show."""

    programs: dict[str | None, Program]
    definitions: dict[str | None, ProgramDefinition]

    @classmethod
    def loaded(cls, state: State, pools: Iterable[Pool]) -> Names:
        """Those that a state has loaded."""
        of = tuple(pools)
        programs = (state.loaded(NAMED_PROGRAM, each.program_id) for each in of)
        definitions = (
            state.loaded(NAMED_PROGRAM_DEFINITION, each.program_definition_id) for each in of
        )
        return cls._of_rows(programs, definitions)

    @classmethod
    async def of(
        cls, call: Call, program_ids: Iterable[str | None], definition_ids: Iterable[str | None]
    ) -> Names:
        found = await call.services.reader.look_up_all(
            call.tenant_id,
            {
                index: {(each,): None for each in ids if each is not None}
                for index, ids in (
                    (NAMED_PROGRAM, program_ids),
                    (NAMED_PROGRAM_DEFINITION, definition_ids),
                )
            },
        )
        return cls._of_rows(found.get(NAMED_PROGRAM, ()), found.get(NAMED_PROGRAM_DEFINITION, ()))

    @classmethod
    def _of_rows(
        cls,
        programs: Iterable[Program | None],
        definitions: Iterable[ProgramDefinition | None],
    ) -> Names:
        return cls(
            {row.id: row for row in programs if row}, {row.id: row for row in definitions if row}
        )

    @classmethod
    async def of_pools(cls, call: Call, pools: Iterable[Pool]) -> Names:
        of = tuple(pools)
        return await cls.of(
            call, (each.program_id for each in of), (each.program_definition_id for each in of)
        )

    def add_to(self, context: PoolContext) -> PoolContext:
        """The context with display names, where they are known."""
        program, definition = context.program_info, context.program_definition_info
        if program is not None and (row := self.programs.get(program.id)):
            program = replace(program, display_name=row.display_name)
        if definition is not None and (found := self.definitions.get(definition.id)):
            definition = replace(
                definition, display_name=found.display_name, description=found.description
            )
        return replace(context, program_info=program, program_definition_info=definition)

    def explain(self, refusal: Refusal) -> Refusal:
        context: PoolContext | None = getattr(refusal, "context", None)
        if context is not None:
            refusal.context = self.add_to(context)  # type: ignore[attr-defined]
        return refusal


async def explain(call: Call, refusal: Refusal) -> Refusal:
    """The refusal with the names of its pool's program and definition, if it has them."""
    context: PoolContext | None = getattr(refusal, "context", None)
    if context is None:
        return refusal
    program, definition = context.program_info, context.program_definition_info
    names = await Names.of(
        call, [program.id] if program else [], [definition.id] if definition else []
    )
    return names.explain(refusal)


async def explain_each(call: Call, refusals: Iterable[Refusal]) -> list[Refusal | BaseException]:
    """The same of many, or the error that came of looking for names."""
    return await gather(*(explain(call, each) for each in refusals), return_exceptions=True)
