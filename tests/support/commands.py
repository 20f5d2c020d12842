"""Commands that go to the engine of a service as they are."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from benefit_programs.domain.command import Command
from benefit_programs.domain.context import Context
from benefit_programs.domain.entities import ProgramDefinition
from benefit_programs.domain.program_definitions import CreateProgramDefinition
from benefit_programs.domain.settings import TenantSettings
from benefit_programs.domain.state import Changes, Needs, State
from benefit_programs.domain.values import Identity, IdentityType
from tests.support.calls import NAMESPACE

if TYPE_CHECKING:
    from tests.support.inprocess import Service

CALLER = Identity(IdentityType.WIX_USER, "6d2b9a54-2f0c-4a1e-8f6e-0b1d5c0c6a01")


class Blind(CreateProgramDefinition, frozen=True, kw_only=True):
    """A command that doesn't look whether the database will take what it makes."""

    def ask(self, needs: Needs, state: State) -> None:
        """Ask for nothing."""

    def decide(self, state: State, context: Context) -> Changes[ProgramDefinition]:  # noqa: ARG002
        """Make a definition without any question."""
        definition = ProgramDefinition(
            id=context.new_id(),
            revision=1,
            created=context.now,
            updated=context.now,
            namespace=self.namespace,
            external_id=self.external_id,
        )
        changes = Changes(definition)
        changes.save(definition)
        return changes


def create(external_id: str) -> CreateProgramDefinition:
    return CreateProgramDefinition(namespace=NAMESPACE, external_id=external_id)


def submit(service: Service, command: Command[Any]) -> asyncio.Future[Any]:
    return service.engine.submit(
        command, tenant_id=service.tenant.id, caller=CALLER, settings=TenantSettings()
    )


async def external_ids(service: Service) -> list[str]:
    return [row.external_id for row in await service.rows(ProgramDefinition)]
