"""Async jobs: work that may continue after its request was answered."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from benefit_programs.client.generated.enums import JobItemStatus, JobStatus
from benefit_programs.client.types.base import Part
from benefit_programs.client.types.bulk import EntryError


class JobCreatorApp(Part, frozen=True, kw_only=True):
    """The app that asked for a job."""

    app_id: str | None = None


class JobCreator(Part, frozen=True, kw_only=True):
    """Who asked for a job."""

    type: str | None = None
    app_id_options: JobCreatorApp | None = None


class JobCounts(Part, frozen=True, kw_only=True):
    """The progress of a job."""

    total: int | None = None
    success_count: int | None = None
    fail_count: int | None = None
    error_by_code_count: dict[str, int] = msgspec.field(default_factory=dict)


class Job(Part, frozen=True, kw_only=True):
    """Work that may continue after its request was answered."""

    id: str
    status: JobStatus
    created_date: datetime
    updated_date: datetime
    metadata: dict[str, Any] = msgspec.field(default_factory=dict)
    created_by: JobCreator | None = None
    counts: JobCounts = JobCounts()

    @property
    def has_ended(self) -> bool:
        """Whether the job has ended."""
        return self.status in (JobStatus.FINISHED, JobStatus.FAILED)


class JobItem(Part, frozen=True, kw_only=True):
    """The result of a job for one entity."""

    id: str
    status: JobItemStatus
    job_id: str | None = None
    created_date: datetime | None = None
    updated_date: datetime | None = None
    metadata: dict[str, Any] = msgspec.field(default_factory=dict)
    error: EntryError | None = None
