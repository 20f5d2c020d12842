"""Program definitions: create, update and delete. Contract: section 3."""

from __future__ import annotations

from typing import Any

from benefit_programs.domain.calendars import TERMS, ProgramTerms, changed_terms
from benefit_programs.domain.command import Command
from benefit_programs.domain.context import Context
from benefit_programs.domain.entities import ProgramDefinition
from benefit_programs.domain.errors import ProgramDefinitionAlreadyExists
from benefit_programs.domain.events import record_created
from benefit_programs.domain.extended_fields import accepted
from benefit_programs.domain.lookups import (
    PROGRAM_DEFINITION,
    PROGRAM_DEFINITION_BY_EXTERNAL_ID,
)
from benefit_programs.domain.required import require
from benefit_programs.domain.state import Changes, Needs, State
from benefit_programs.domain.updates import updated


class CreateProgramDefinition(Command[ProgramDefinition], frozen=True, kw_only=True):
    """Make a program definition; its external id is unique in its namespace."""

    about = ProgramDefinition

    namespace: str
    external_id: str
    display_name: str | None = None
    description: str | None = None
    extended_fields: dict[str, Any] | None = None
    terms: ProgramTerms | None = None

    def ask(self, needs: Needs, state: State) -> None:
        needs.read(PROGRAM_DEFINITION_BY_EXTERNAL_ID, self.namespace, self.external_id)

    def decide(self, state: State, context: Context) -> Changes[ProgramDefinition]:
        other = state.one(PROGRAM_DEFINITION_BY_EXTERNAL_ID, self.namespace, self.external_id)
        if other is not None:
            raise ProgramDefinitionAlreadyExists(
                external_id=self.external_id,
                namespace=self.namespace,
                program_definition_id=other.id,
            )
        definition = ProgramDefinition(
            id=context.new_id(),
            revision=1,
            created=context.now,
            updated=context.now,
            namespace=self.namespace,
            external_id=self.external_id,
            display_name=self.display_name,
            description=self.description,
            extended_fields=accepted(self.extended_fields, context, ProgramDefinition),
            terms=self.terms,
        )
        changes = Changes(definition)
        changes.answer = record_created(changes, context, definition)
        return changes


class UpdateProgramDefinition(Command[ProgramDefinition], frozen=True, kw_only=True):
    """Change a program definition. Programs that there are keep their dates."""

    about = ProgramDefinition

    id: str
    revision: int
    updates: dict[str, Any]

    def ask(self, needs: Needs, state: State) -> None:
        needs.lock(PROGRAM_DEFINITION, self.id)

    def decide(self, state: State, context: Context) -> Changes[ProgramDefinition]:
        current = require(state, PROGRAM_DEFINITION, self.id)
        updates = {name: value for name, value in self.updates.items() if name not in TERMS}
        if updates != self.updates:
            updates["terms"] = changed_terms(current.terms, self.updates)
        return updated(current, updates, context, revision=self.revision, path="programDefinition")
