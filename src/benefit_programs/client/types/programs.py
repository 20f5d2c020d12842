"""Programs: the pools of one beneficiary, managed together."""

from __future__ import annotations

from datetime import datetime

from benefit_programs.client.generated.enums import ProgramStatus, WhilePaused
from benefit_programs.client.types.base import Part
from benefit_programs.client.types.calendars import Cycle, RenewalConfiguration
from benefit_programs.client.types.common import ExtendedFields, ProgramDefinitionInfo
from benefit_programs.client.types.identities import Identity


class Program(Part, frozen=True, kw_only=True):
    """The pools of one beneficiary, managed together."""

    id: str
    revision: int
    created_date: datetime
    updated_date: datetime
    status: ProgramStatus
    namespace: str
    external_id: str
    beneficiary: Identity
    display_name: str | None = None
    program_definition_id: str | None = None
    program_definition: ProgramDefinitionInfo | None = None
    target_status: ProgramStatus | None = None
    extended_fields: ExtendedFields | None = None
    renewal_configuration: RenewalConfiguration | None = None
    end_date: datetime | None = None
    while_paused: WhilePaused | None = None
    paused_days_max: int | None = None
    next_renewal_date: datetime | None = None
    cycle: Cycle | None = None
    paused_since_date: datetime | None = None
    paused_until_date: datetime | None = None


class ProvisionedProgram(Part, frozen=True, kw_only=True):
    """A new program, and the job that provisions it.

    Ordinary programs are ready. Very large ones are PROVISIONING until the job ends.
    """

    program: Program
    job_id: str


class StartedJob(Part, frozen=True, kw_only=True):
    """The job of an action; mostly it has ended by the time of the answer."""

    job_id: str
