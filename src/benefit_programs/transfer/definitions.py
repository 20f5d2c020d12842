"""What programs of a file are made from, looked up once for all rows that name it."""

from __future__ import annotations

from collections import OrderedDict

import msgspec

from benefit_programs.domain.errors import (
    PoolDefinitionNotFound,
    ProgramDefinitionNotFound,
    Refusal,
)
from benefit_programs.domain.lookups import (
    ASSIGNMENTS_OF_PROGRAM_DEFINITION,
    POOL_DEFINITION,
    PROGRAM_DEFINITION,
    PROGRAM_DEFINITION_BY_EXTERNAL_ID,
    SNAPSHOT,
)
from benefit_programs.domain.programs import PROVISION_IN_REQUEST_MAX
from benefit_programs.domain.values import Credits
from benefit_programs.transfer.commands import too_many_pools
from benefit_programs.transfer.lookups import Lookups, rows_of
from benefit_programs.transfer.records import Origin

CACHED_MAX = 1_000
"""How many definitions are kept in memory, the most recently used ones."""


class Plan(msgspec.Struct, frozen=True):
    """What a program gets: a definition, and the credits of its pools by their definitions."""

    program_definition_id: str | None
    pool_definition_id: str | None
    credits: dict[str, Credits]


class Definitions:
    """The definitions of one tenant, as they were when they were first asked for."""

    def __init__(self, store: Lookups, tenant_id: int) -> None:
        self._store = store
        self._tenant_id = tenant_id
        self._known: OrderedDict[tuple[Origin, str], Plan | Refusal] = OrderedDict()

    async def plan(self, origin: Origin, namespace: str) -> Plan:
        """What a program of this origin gets.

        Raises ProgramDefinitionNotFound, PoolDefinitionNotFound, or Invalid for too many pools.
        """
        key = (origin, namespace)
        found = self._known.get(key)
        if found is None:
            try:
                found = await self._find(origin, namespace)
            except Refusal as refusal:
                found = refusal
            self._known[key] = found
            if len(self._known) > CACHED_MAX:
                self._known.popitem(last=False)
        else:
            self._known.move_to_end(key)
        if isinstance(found, Refusal):
            raise found
        return found

    async def _find(self, origin: Origin, namespace: str) -> Plan:
        if origin.pool_definition_id is not None:
            credit = await self._credits([origin.pool_definition_id])
            if not credit:
                raise PoolDefinitionNotFound(pool_definition_id=origin.pool_definition_id)
            return Plan(None, origin.pool_definition_id, credit)
        definition_id = await self._program_definition_id(origin, namespace)
        assignments = await rows_of(
            self._store, self._tenant_id, ASSIGNMENTS_OF_PROGRAM_DEFINITION, [(definition_id,)]
        )
        if len(assignments) > PROVISION_IN_REQUEST_MAX:
            raise too_many_pools()
        ids = [assignment.pool_definition_id for assignment in assignments]
        return Plan(definition_id, None, await self._credits(ids))

    async def _program_definition_id(self, origin: Origin, namespace: str) -> str:
        if origin.program_definition_id is not None:
            keys = [(origin.program_definition_id,)]
            found = await rows_of(self._store, self._tenant_id, PROGRAM_DEFINITION, keys)
        else:
            named = origin.program_definition_namespace or namespace
            found = await rows_of(
                self._store,
                self._tenant_id,
                PROGRAM_DEFINITION_BY_EXTERNAL_ID,
                [(named, origin.program_definition_external_id)],
            )
        if not found:
            raise ProgramDefinitionNotFound(
                program_definition_id=origin.program_definition_id,
                external_id=origin.program_definition_external_id,
            )
        return found[0].id

    async def _credits(self, ids: list[str]) -> dict[str, Credits]:
        """What pools of these definitions are opened with."""
        if not ids:
            return {}
        keys = [(each,) for each in ids]
        definitions = await rows_of(self._store, self._tenant_id, POOL_DEFINITION, keys)
        wanted = {(each.snapshot_id,) for each in definitions}
        snapshots = {
            row.id: row for row in await rows_of(self._store, self._tenant_id, SNAPSHOT, wanted)
        }
        return {each.id: snapshots[each.snapshot_id].details.credit_amount for each in definitions}
