"""The clock of a sandbox inside the caller's own process."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from benefit_programs.client import (
    AsyncBenefitPrograms,
    BenefitPrograms,
    DatabaseNotUsable,
    NotASandbox,
    ValidationError,
)

NEXT_CENTURY = datetime(2101, 1, 31, 9, tzinfo=UTC)


def test_open_makes_a_sandbox(database_url: str) -> None:
    """Its clock is set, read, and there again after the next opening."""
    with BenefitPrograms.open(database_url, sandbox=True) as client:
        assert client.clock.set(NEXT_CENTURY).date >= NEXT_CENTURY
        moved = client.clock.advance("P1M")
        assert (moved.date.month, moved.target_date, moved.job_id) == (2, None, None)
        made = client.program_definitions.create(namespace="club", external_id="gold")
        assert made.created_date >= moved.date
        with pytest.raises(ValidationError):
            client.clock.set(NEXT_CENTURY)
    with BenefitPrograms.open(database_url) as client:
        assert client.clock.get().date >= moved.date


def test_tenant_that_is_there_is_made_no_sandbox(database_url: str) -> None:
    """Neither by opening it so, nor by setting its clock."""
    with BenefitPrograms.open(database_url) as client:
        client.settings.get()
        with pytest.raises(NotASandbox):
            client.clock.advance("P1M")
    with pytest.raises(DatabaseNotUsable), BenefitPrograms.open(database_url, sandbox=True):
        pass


@pytest.mark.anyio
async def test_async_client_opens_a_sandbox_too(database_url: str) -> None:
    """In the caller's event loop."""
    async with AsyncBenefitPrograms.open(database_url, sandbox=True) as client:
        assert (await client.clock.set(NEXT_CENTURY)).date >= NEXT_CENTURY
