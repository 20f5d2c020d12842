"""Async jobs: work that may go on after its request was answered."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import msgspec

from benefit_programs.domain.constraints import FreeForm, ReadOnly
from benefit_programs.domain.entities import JobStatus
from benefit_programs.wire.types.common import (
    AppId,
    ApplicationError,
    CursorPaging,
    CursorPagingMetadata,
    EntityId,
    Number,
    Timestamp,
)


class JobItemStatus(StrEnum):
    """What became of one thing that a job worked on."""

    UNKNOWN = "UNKNOWN"
    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"


class JobCreatorApp(msgspec.Struct, frozen=True, kw_only=True):
    """The app that a job was made for."""

    app_id: AppId | None = None


class JobCreator(msgspec.Struct, frozen=True, kw_only=True):
    """For whom a job was made."""

    type: str | None = None
    app_id_options: JobCreatorApp | None = None


class JobCounts(msgspec.Struct, frozen=True, kw_only=True):
    """How far a job is."""

    total: Number | None = None
    success_count: Number | None = None
    fail_count: Number | None = None
    error_by_code_count: Annotated[dict[str, Any], FreeForm()] | None = None


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A job as it is answered."""

    id: Annotated[EntityId, ReadOnly()] | None = None
    metadata: Annotated[dict[str, Any], FreeForm()] | None = None
    status: JobStatus | None = None
    created_date: Annotated[Timestamp, ReadOnly()] | None = None
    updated_date: Annotated[Timestamp, ReadOnly()] | None = None
    created_by: JobCreator | None = None
    counts: JobCounts | None = None


class JobItem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a job worked on."""

    id: str | None = None
    job_id: EntityId | None = None
    status: JobItemStatus | None = None
    created_date: Timestamp | None = None
    updated_date: Timestamp | None = None
    metadata: Annotated[dict[str, Any], FreeForm()] | None = None
    error: ApplicationError | None = None


class GetAsyncJobRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Read a job."""

    job_id: EntityId


class GetAsyncJobResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The job."""

    job: Job | None = None


class ListAsyncJobItemsRequest(msgspec.Struct, frozen=True, kw_only=True):
    """List what a job worked on."""

    job_id: EntityId
    paging: CursorPaging | None = None


class ListAsyncJobItemsResponse(msgspec.Struct, frozen=True, kw_only=True):
    """A page of what a job worked on."""

    job_items: tuple[JobItem, ...] | None = None
    metadata: CursorPagingMetadata | None = None
