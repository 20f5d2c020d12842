"""Pool definitions."""

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
    masked,
    reads,
    reads_field,
    reads_list,
    reads_nothing,
    reads_rows,
)
from benefit_programs.client.generated.enums import Cascade
from benefit_programs.client.generated.filters import PoolDefinitionFilter, PoolDefinitionSort
from benefit_programs.client.types.bulk import BulkResult
from benefit_programs.client.types.common import UNSET, Namespaces, Unset
from benefit_programs.client.types.definitions import (
    NewPoolDefinition,
    PoolDefinition,
    PoolDefinitionChange,
)
from benefit_programs.client.types.details import Details, DetailsChange

AsyncPoolDefinitionQuery: TypeAlias = AsyncQuery[
    PoolDefinition, PoolDefinitionFilter, PoolDefinitionSort
]

_ENTITY = reads_field("poolDefinition", PoolDefinition)
_ROWS = reads_rows("poolDefinitions", PoolDefinition)
_LIST = reads_list("poolDefinitions", PoolDefinition)
_BULK = reads(BulkResult[PoolDefinition])


class AsyncPoolDefinitions(AsyncMethods):
    """Templates of pools, with benefits and a credit configuration.

    A cascade says when a change reaches existing pools: at once, when they renew, or never. With a
    ``cascade_date`` the cascade waits for that date.
    """

    async def create(
        self,
        *,
        namespace: str,
        details: Details,
        display_name: str | None = None,
        description: str | None = None,
        program_definition_ids: Sequence[str] | None = None,
        extended_fields: Namespaces | None = None,
        cascade: Cascade | None = None,
        cascade_date: datetime | None = None,
    ) -> PoolDefinition:
        """Create a pool definition. With program definition ids it needs a cascade.

        Raises:
            ValidationError: A field breaks a rule.
            ProgramDefinitionNotFound: One of the program definitions doesn't exist.
        """
        new = document(
            namespace=namespace,
            details=details,
            display_name=display_name,
            description=description,
            program_definition_ids=program_definition_ids,
            extended_fields=extended_fields,
        )
        fields = document(pool_definition=new, cascade=cascade, cascade_date=cascade_date)
        return await self._session.call("createPoolDefinition", _ENTITY, fields)

    async def bulk_create(
        self,
        pool_definitions: Sequence[NewPoolDefinition],
        *,
        cascade: Cascade | None = None,
        cascade_date: datetime | None = None,
        return_entity: bool = False,
    ) -> BulkResult[PoolDefinition]:
        """Create 1 to 100 pool definitions; each succeeds or fails alone."""
        fields = document(
            pool_definitions=pool_definitions,
            cascade=cascade,
            cascade_date=cascade_date,
            return_entity=return_entity,
        )
        return await self._session.call("bulkCreatePoolDefinitions", _BULK, fields)

    async def update(  # noqa: PLR0913 - a field each
        self,
        pool_definition_id: str,
        *,
        revision: int,
        cascade: Cascade,
        cascade_date: datetime | None = None,
        display_name: str | Unset | None = UNSET,
        description: str | Unset | None = UNSET,
        details: Details | DetailsChange | Unset = UNSET,
        extended_fields: Namespaces | Unset = UNSET,
        field_mask: Collection[Literal["display_name", "description", "details", "extended_fields"]]
        | None = None,
        reason: str | None = None,
    ) -> PoolDefinition:
        """Change the given fields. None clears a field, and so does a mask that names it alone.

        Raises:
            PoolDefinitionNotFound: There is no such pool definition.
            InvalidRevision: It was changed since this revision was read.
        """
        changed = changes(
            id=pool_definition_id,
            revision=revision,
            display_name=display_name,
            description=description,
            details=details,
            extended_fields=extended_fields,
        )
        fields = document(
            pool_definition=changed,
            field_mask=mask(field_mask),
            cascade=cascade,
            cascade_date=cascade_date,
            reason=reason,
        )
        return await self._session.call("updatePoolDefinition", _ENTITY, fields)

    async def bulk_update(
        self,
        pool_definitions: Sequence[PoolDefinitionChange],
        *,
        cascade: Cascade,
        cascade_date: datetime | None = None,
        return_entity: bool = False,
    ) -> BulkResult[PoolDefinition]:
        """Change 1 to 100 pool definitions; each succeeds or fails alone."""
        entries = [masked("poolDefinition", each) for each in pool_definitions]
        fields = document(
            pool_definitions=entries,
            cascade=cascade,
            cascade_date=cascade_date,
            return_entity=return_entity,
        )
        return await self._session.call("bulkUpdatePoolDefinitions", _BULK, fields)

    async def delete(
        self,
        pool_definition_id: str,
        *,
        cascade: Cascade,
        cascade_date: datetime | None = None,
        reason: str | None = None,
    ) -> None:
        """Delete a pool definition; the cascade says when its pools end.

        Raises:
            PoolDefinitionNotFound: There is no such pool definition.
        """
        fields = document(
            pool_definition_id=pool_definition_id,
            cascade=cascade,
            cascade_date=cascade_date,
            reason=reason,
        )
        await self._session.call("deletePoolDefinition", reads_nothing, fields)

    async def bulk_delete(
        self,
        pool_definition_ids: Sequence[str],
        *,
        cascade: Cascade,
        cascade_date: datetime | None = None,
    ) -> BulkResult[PoolDefinition]:
        """Delete 1 to 100 pool definitions; each succeeds or fails alone."""
        fields = document(
            pool_definition_ids=pool_definition_ids, cascade=cascade, cascade_date=cascade_date
        )
        return await self._session.call("bulkDeletePoolDefinitions", _BULK, fields)

    async def get(self, pool_definition_id: str) -> PoolDefinition:
        """Read a pool definition.

        Raises:
            PoolDefinitionNotFound: There is no such pool definition.
        """
        fields = document(pool_definition_id=pool_definition_id)
        return await self._session.call("getPoolDefinition", _ENTITY, fields)

    def query(
        self,
        filter: PoolDefinitionFilter | None = None,  # noqa: A002 - the contract's own word
        *,
        sort: Sequence[PoolDefinitionSort] = (),
    ) -> AsyncPoolDefinitionQuery:
        """Find pool definitions."""
        return begin(self._session, Plan(name="queryPoolDefinitions", read=_ROWS), filter, sort)

    async def add_to_program_definition(
        self,
        pool_definition_id: str,
        *,
        program_definition_id: str,
        cascade: Cascade,
        cascade_date: datetime | None = None,
    ) -> PoolDefinition:
        """Add a pool definition to a program definition; the cascade says when programs follow.

        Raises:
            PoolDefinitionNotFound: There is no such pool definition.
            ProgramDefinitionNotFound: There is no such program definition.
        """
        fields = document(
            pool_definition_id=pool_definition_id,
            program_definition_id=program_definition_id,
            cascade=cascade,
            cascade_date=cascade_date,
        )
        name = "addPoolDefinitionToProgramDefinition"
        return await self._session.call(name, _ENTITY, fields)

    async def remove_from_program_definition(
        self,
        pool_definition_id: str,
        *,
        program_definition_id: str,
        cascade: Cascade,
        cascade_date: datetime | None = None,
    ) -> PoolDefinition:
        """Remove a pool definition from a program definition; the cascade says when its pools end.

        Raises:
            PoolDefinitionNotFound: There is no such pool definition.
            ProgramDefinitionNotFound: There is no such program definition.
        """
        fields = document(
            pool_definition_id=pool_definition_id,
            program_definition_id=program_definition_id,
            cascade=cascade,
            cascade_date=cascade_date,
        )
        name = "removePoolDefinitionFromProgramDefinition"
        return await self._session.call(name, _ENTITY, fields)

    async def find_by_program_definition(
        self, program_definition_id: str, *, namespace: str
    ) -> tuple[PoolDefinition, ...]:
        """Find the pool definitions of a program definition."""
        fields = document(program_definition_id=program_definition_id, namespace=namespace)
        name = "findPoolDefinitionsByProgramDefinition"
        return await self._session.call(name, _LIST, fields)
