"""Program definitions."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Literal, TypeAlias

from benefit_programs.client.asynchronous.queries import AsyncQuery, begin
from benefit_programs.client.asynchronous.session import AsyncMethods
from benefit_programs.client.core.queries import Plan
from benefit_programs.client.core.wire import (
    changes,
    document,
    mask,
    reads_field,
    reads_nothing,
    reads_rows,
)
from benefit_programs.client.generated.enums import Cascade
from benefit_programs.client.generated.filters import ProgramDefinitionFilter, ProgramDefinitionSort
from benefit_programs.client.types.common import UNSET, Namespaces, Unset
from benefit_programs.client.types.definitions import ProgramDefinition

AsyncProgramDefinitionQuery: TypeAlias = AsyncQuery[
    ProgramDefinition, ProgramDefinitionFilter, ProgramDefinitionSort
]

_ENTITY = reads_field("programDefinition", ProgramDefinition)
_ROWS = reads_rows("programDefinitions", ProgramDefinition)


class AsyncProgramDefinitions(AsyncMethods):
    """Templates that group pool definitions."""

    async def create(
        self,
        *,
        namespace: str,
        external_id: str,
        display_name: str | None = None,
        description: str | None = None,
        extended_fields: Namespaces | None = None,
    ) -> ProgramDefinition:
        """Create a program definition.

        Raises:
            ProgramDefinitionAlreadyExists: The namespace has one with this external id.
        """
        new = document(
            namespace=namespace,
            external_id=external_id,
            display_name=display_name,
            description=description,
            extended_fields=extended_fields,
        )
        return await self._session.call(
            "createProgramDefinition", _ENTITY, {"programDefinition": new}
        )

    async def update(
        self,
        program_definition_id: str,
        *,
        revision: int,
        display_name: str | Unset | None = UNSET,
        description: str | Unset | None = UNSET,
        extended_fields: Namespaces | Unset = UNSET,
        field_mask: Collection[Literal["display_name", "description", "extended_fields"]]
        | None = None,
    ) -> ProgramDefinition:
        """Change the given fields. None clears a field, and so does a mask that names it alone.

        Raises:
            ProgramDefinitionNotFound: There is no such program definition.
            InvalidRevision: It was changed since this revision was read.
        """
        changed = changes(
            id=program_definition_id,
            revision=revision,
            display_name=display_name,
            description=description,
            extended_fields=extended_fields,
        )
        fields = document(program_definition=changed, field_mask=mask(field_mask))
        return await self._session.call("updateProgramDefinition", _ENTITY, fields)

    async def delete(
        self,
        program_definition_id: str,
        *,
        cascade_type: Cascade | None = None,
        cascade_date: datetime | None = None,
    ) -> None:
        """Delete a program definition; without a cascade its programs stay.

        With a ``cascade_date`` they live on until then.

        Raises:
            ProgramDefinitionNotFound: There is no such program definition.
        """
        fields = document(
            program_definition_id=program_definition_id,
            cascade_type=cascade_type,
            cascade_date=cascade_date,
        )
        await self._session.call("deleteProgramDefinition", reads_nothing, fields)

    async def get(self, program_definition_id: str) -> ProgramDefinition:
        """Read a program definition.

        Raises:
            ProgramDefinitionNotFound: There is no such program definition.
        """
        fields = document(program_definition_id=program_definition_id)
        return await self._session.call("getProgramDefinition", _ENTITY, fields)

    async def get_by_external_id(self, external_id: str, *, namespace: str) -> ProgramDefinition:
        """Read a program definition by the id that its maker gave it.

        Raises:
            ProgramDefinitionNotFound: There is no such program definition.
        """
        fields = document(external_id=external_id, namespace=namespace)
        name = "getProgramDefinitionByExternalIdAndNamespace"
        return await self._session.call(name, _ENTITY, fields)

    def query(
        self,
        filter: ProgramDefinitionFilter | None = None,  # noqa: A002 - the contract's own word
        *,
        sort: Sequence[ProgramDefinitionSort] = (),
    ) -> AsyncProgramDefinitionQuery:
        """Find program definitions."""
        return begin(self._session, Plan(name="queryProgramDefinitions", read=_ROWS), filter, sort)
