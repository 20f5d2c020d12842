"""Async jobs: work that may continue after its request was answered."""

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
    QueryRequest,
    Timestamp,
)


class JobItemStatus(StrEnum):
    """Whether a job succeeded with an entity."""

    UNKNOWN = "UNKNOWN"
    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"


class JobCreatorApp(msgspec.Struct, frozen=True, kw_only=True):
    """The app that asked for a job."""

    app_id: AppId | None = None


class JobCreator(msgspec.Struct, frozen=True, kw_only=True):
    """Who asked for a job."""

    type: str | None = None
    app_id_options: JobCreatorApp | None = None


class JobCounts(msgspec.Struct, frozen=True, kw_only=True):
    """The progress of a job."""

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
    """The result of a job for one entity."""

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
    """List the results of a job."""

    job_id: EntityId
    paging: CursorPaging | None = None


class ListAsyncJobItemsResponse(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the results of a job."""

    job_items: tuple[JobItem, ...] | None = None
    metadata: CursorPagingMetadata | None = None


class QueryAsyncJobsRequest(QueryRequest, frozen=True, kw_only=True):
    """Find jobs, the newest first."""


class QueryAsyncJobsResponse(msgspec.Struct, frozen=True, kw_only=True):
    """A page of jobs."""

    jobs: tuple[Job, ...] | None = None
    metadata: CursorPagingMetadata | None = None


class RetryAsyncJobRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Continue a failed job where it stopped."""

    job_id: EntityId


class CancelAsyncJobRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Give up a cascade. What it has done stays; pools that it hasn't reached stay as they are."""

    job_id: EntityId


class ChangedAsyncJobResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The job as it is now."""

    job: Job | None = None
