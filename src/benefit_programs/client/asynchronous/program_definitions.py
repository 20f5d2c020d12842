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
    reads,
    reads_field,
    reads_nothing,
    reads_rows,
)
from benefit_programs.client.generated.enums import Cascade, WhilePaused
from benefit_programs.client.generated.filters import ProgramDefinitionFilter, ProgramDefinitionSort
from benefit_programs.client.types.calendars import RenewalConfiguration, Timetable
from benefit_programs.client.types.common import UNSET, Namespaces, Unset
from benefit_programs.client.types.definitions import ProgramDefinition

AsyncProgramDefinitionQuery: TypeAlias = AsyncQuery[
    ProgramDefinition, ProgramDefinitionFilter, ProgramDefinitionSort
]

_ENTITY = reads_field("programDefinition", ProgramDefinition)
_ROWS = reads_rows("programDefinitions", ProgramDefinition)
_TIMETABLE = reads(Timetable)


class AsyncProgramDefinitions(AsyncMethods):
    """Templates that group pool definitions."""

    async def create(  # noqa: PLR0913 - a field each
        self,
        *,
        namespace: str,
        external_id: str,
        display_name: str | None = None,
        description: str | None = None,
        extended_fields: Namespaces | None = None,
        renewal_configuration: RenewalConfiguration | None = None,
        end_date: datetime | None = None,
        ends_after: str | None = None,
        while_paused: WhilePaused | None = None,
        paused_days_max: int | None = None,
    ) -> ProgramDefinition:
        """Create a program definition, which may say when its programs renew and end.

        They end at a date or after an ISO 8601 duration such as P1Y, not both.

        Raises:
            ProgramDefinitionAlreadyExists: The namespace has one with this external id.
        """
        new = document(
            namespace=namespace,
            external_id=external_id,
            display_name=display_name,
            description=description,
            extended_fields=extended_fields,
            renewal_configuration=renewal_configuration,
            end_date=end_date,
            ends_after=ends_after,
            while_paused=while_paused,
            paused_days_max=paused_days_max,
        )
        return await self._session.call(
            "createProgramDefinition", _ENTITY, {"programDefinition": new}
        )

    async def update(  # noqa: PLR0913 - a field each
        self,
        program_definition_id: str,
        *,
        revision: int,
        display_name: str | Unset | None = UNSET,
        description: str | Unset | None = UNSET,
        extended_fields: Namespaces | Unset = UNSET,
        renewal_configuration: RenewalConfiguration | Unset | None = UNSET,
        end_date: datetime | Unset | None = UNSET,
        ends_after: str | Unset | None = UNSET,
        while_paused: WhilePaused | Unset | None = UNSET,
        paused_days_max: int | Unset | None = UNSET,
        field_mask: Collection[
            Literal[
                "display_name",
                "description",
                "extended_fields",
                "renewal_configuration",
                "end_date",
                "ends_after",
                "while_paused",
                "paused_days_max",
            ]
        ]
        | None = None,
        reason: str | None = None,
    ) -> ProgramDefinition:
        """Change the given fields. None clears a field, and so does a mask that names it alone.

        Programs that there are keep their dates.

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
            renewal_configuration=renewal_configuration,
            end_date=end_date,
            ends_after=ends_after,
            while_paused=while_paused,
            paused_days_max=paused_days_max,
        )
        fields = document(program_definition=changed, field_mask=mask(field_mask), reason=reason)
        return await self._session.call("updateProgramDefinition", _ENTITY, fields)

    async def timetable(
        self,
        *,
        renewal_configuration: RenewalConfiguration | None = None,
        end_date: datetime | None = None,
        ends_after: str | None = None,
        while_paused: WhilePaused | None = None,
        paused_days_max: int | None = None,
        from_date: datetime | None = None,
        limit: int | None = None,
    ) -> Timetable:
        """Read what would happen to a program with these terms, 24 instants unless said.

        Nothing is stored. It would begin now, unless ``from_date`` says otherwise.
        """
        fields = document(
            renewal_configuration=renewal_configuration,
            end_date=end_date,
            ends_after=ends_after,
            while_paused=while_paused,
            paused_days_max=paused_days_max,
            from_date=from_date,
            limit=limit,
        )
        return await self._session.call("previewTimetable", _TIMETABLE, fields)

    async def delete(
        self,
        program_definition_id: str,
        *,
        cascade_type: Cascade | None = None,
        cascade_date: datetime | None = None,
        reason: str | None = None,
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
            reason=reason,
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
