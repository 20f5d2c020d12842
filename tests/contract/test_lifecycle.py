"""Pause, resume, end, renew. Contract: section 3, Statuses, Renew, Idempotency keys."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from benefit_programs.domain.entities import Job, Operation, Transaction
from benefit_programs.domain.values import AMOUNT_MAX, CREDIT
from tests.support.calls import benefit, guid
from tests.support.lifecycle import (
    act,
    items_of,
    job_of,
    large_program,
    new_program,
    pool_rows,
    read,
    refused,
    run_jobs,
    set_balance,
)

if TYPE_CHECKING:
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

ACTIONS = ("pause", "resume", "end", "renew")
REQUESTED = {"pause": "PAUSED", "resume": "ACTIVE", "end": "ENDED", "renew": "ACTIVE"}
TABLE = {
    ("ACTIVE", "pause"): "PAUSED",
    ("ACTIVE", "resume"): None,
    ("ACTIVE", "end"): "ENDED",
    ("ACTIVE", "renew"): "ACTIVE",
    ("PAUSED", "pause"): None,
    ("PAUSED", "resume"): "ACTIVE",
    ("PAUSED", "end"): "ENDED",
    ("PAUSED", "renew"): "PAUSED",
    ("ENDED", "pause"): None,
    ("ENDED", "resume"): None,
    ("ENDED", "end"): None,
    ("ENDED", "renew"): None,
}
MANY = 101


@pytest.mark.parametrize(("before", "action"), TABLE)
async def test_statuses_change_by_the_table(service: Service, before: str, action: str) -> None:
    """Each action is done or refused, by the status of the program, with all of its pools."""
    program_id, after = await new_program(service, 2, status=before), TABLE[before, action]
    if after is None:
        refusal = await refused(service, action, program_id)
        assert (refusal.status, refusal.code) == (428, "PROGRAM_STATUS_TRANSITION_NOT_ALLOWED")
        assert refusal.data == {"currentStatus": before, "requestedStatus": REQUESTED[action]}
        after = before
    else:
        job_id = await act(service, action, program_id)
        job = await job_of(service, job_id)
        assert job["status"] == "FINISHED"
        assert job["counts"]["total"] == job["counts"]["successCount"] == 2
    assert (await read(service, program_id))["status"] == after
    assert {pool["status"] for pool in await service.pools_of(program_id)} == {after}


@pytest.mark.parametrize("action", ["pause", "resume", "end", "renew"])
async def test_an_action_tells_its_own_events(service: Service, action: str) -> None:
    """Program and pool grow by one revision and tell of the update and of the action."""
    slug = {"pause": "paused", "resume": "resumed", "end": "ended", "renew": "renewed"}[action]
    status = "PAUSED" if action == "resume" else "ACTIVE"
    program_id = await new_program(service, status=status)
    (pool,) = await service.pools_of(program_id)
    await act(service, action, program_id)
    assert (await read(service, program_id))["revision"] == "2"
    (changed,) = await service.pools_of(program_id)
    assert changed["revision"] == "2"
    assert changed.get("previousStatus") == (None if action == "renew" else status)
    assert await service.slugs_of(program_id) == ["created+provisioned", f"updated+{slug}"]
    slugs = await service.slugs_of(pool["id"])
    assert slugs[-1] == f"updated+{slug}"


@pytest.mark.parametrize("action", ["pause", "resume", "end", "renew"])
async def test_an_unknown_program_is_not_found(service: Service, action: str) -> None:
    """An action on what isn't there is refused before anything else is looked at."""
    refusal = await refused(service, action, guid())
    assert (refusal.status, refusal.code) == (404, "PROGRAM_NOT_FOUND")


@pytest.mark.parametrize("action", ["pause", "resume"])
async def test_a_used_key_is_refused_with_the_first_job(service: Service, action: str) -> None:
    """The key of a pause or a resumption counts before the status of the program does."""
    status = "PAUSED" if action == "resume" else "ACTIVE"
    program_id, key = await new_program(service, status=status), guid()
    job_id = await act(service, action, program_id, key)
    await act(service, "end", program_id)
    refusal = await refused(service, action, program_id, key)
    assert (refusal.status, refusal.code) == (409, "ALREADY_EXECUTED")
    assert refusal.data["jobId"] == job_id


async def test_a_renewal_with_a_used_key_answers_again(service: Service) -> None:
    """The second answer names the first job, and nothing is done twice, even after the end."""
    program_id, key = await new_program(service), guid()
    job_id = await act(service, "renew", program_id, key)
    assert await act(service, "renew", program_id, key) == job_id
    await act(service, "end", program_id)
    assert await act(service, "renew", program_id, key) == job_id
    (pool,) = await pool_rows(service, program_id)
    assert pool.renewal_count == 1


async def test_keys_belong_to_a_program_and_an_action(service: Service) -> None:
    """The same key serves another program and another action."""
    key = guid()
    programs = [await new_program(service), await new_program(service)]
    for program_id in programs:
        await act(service, "pause", program_id, key)
        await act(service, "resume", program_id, key)
        await act(service, "renew", program_id, key)


async def test_a_refused_action_uses_up_no_key(service: Service) -> None:
    """A key whose action was refused works once the program allows the action."""
    program_id, key = await new_program(service, status="PAUSED"), guid()
    await refused(service, "pause", program_id, key)
    await act(service, "resume", program_id)
    await act(service, "pause", program_id, key)


async def test_at_once_one_action_of_a_key_is_done(service: Service) -> None:
    """Many calls at once with one key renew once and get the same answer."""
    program_id, key = await new_program(service), guid()
    calls = [act(service, "renew", program_id, key) for _ in range(20)]
    assert len(set(await asyncio.gather(*calls))) == 1
    (pool,) = await pool_rows(service, program_id)
    assert pool.renewal_count == 1


# What a renewal does to credits: amount, rollover, balance; then the balance, lapsed, granted.
ROLLOVERS: list[tuple[str, dict[str, Any] | None, str, float, float, float]] = [
    ("100", None, "40", 100, 40, 100),
    ("100", {"enabled": False}, "40", 100, 40, 100),
    ("100", {"enabled": False, "balanceCap": "5"}, "40", 100, 40, 100),
    ("100", {"enabled": True}, "40", 140, 0, 100),
    ("100", {"enabled": True, "balanceCap": "5"}, "40", 105, 35, 100),
    ("100", {"enabled": True, "balanceCap": "40"}, "40", 140, 0, 100),
    ("100", {"enabled": True, "balanceCap": "41"}, "40", 140, 0, 100),
    ("100", {"enabled": True, "balanceCap": "39.9999"}, "40", 139.9999, 0.0001, 100),
    ("100", {"enabled": True, "balanceCap": "0"}, "40", 100, 40, 100),
    ("0", {"enabled": True, "balanceCap": "5"}, "40", 5, 35, 0),
    ("0", None, "40", 0, 40, 0),
    ("0", {"enabled": True}, "0", 0, 0, 0),
    ("100", None, "0", 100, 0, 100),
]


@pytest.mark.parametrize(("amount", "rollover", "before", "after", "lapsed", "granted"), ROLLOVERS)
async def test_credits_lapse_roll_over_and_are_granted(
    service: Service,
    amount: str,
    rollover: dict[str, Any] | None,
    before: str,
    after: float,
    lapsed: float,
    granted: float,
) -> None:
    """The new balance is the amount and what rolls over; what lapses and is granted is booked."""
    credit = {"amount": amount} | ({"rolloverConfiguration": rollover} if rollover else {})
    program_id = await new_program(service, details={"benefits": [], "creditConfiguration": credit})
    (pool,) = await pool_rows(service, program_id)
    if before != amount:
        await set_balance(service, pool.id, before)
    (pool,) = await pool_rows(service, program_id)
    await act(service, "renew", program_id)
    (renewed,) = await pool_rows(service, program_id)
    assert renewed.available == round(after * CREDIT)
    assert renewed.renewal_count == 1
    booked = [
        (row.details.reason, row.source, row.target, row.amount, row.balance_revision)
        for row in await service.rows(Transaction)
        if row.operation in {Operation.EXPIRY, Operation.RENEWAL}
    ]
    expected = [
        ("Expiry", "AVAILABLE", "EXTERNAL", round(lapsed * CREDIT)),
        ("Renewal", "EXTERNAL", "AVAILABLE", round(granted * CREDIT)),
    ]
    written = [each for each in expected if each[-1]]
    numbers = range(pool.balance_revision + 1, pool.balance_revision + 1 + len(written))
    assert booked == [(*each, number) for each, number in zip(written, numbers, strict=True)]
    assert renewed.balance_revision == pool.balance_revision + len(written)


async def test_a_pool_without_credits_only_counts_its_renewals(service: Service) -> None:
    """Without a credit configuration nothing lapses and nothing is granted."""
    free = {"benefits": [benefit("towel", price="0")]}
    program_id = await new_program(service, details=free)
    (pool,) = await service.pools_of(program_id)
    await set_balance(service, pool["id"], "7")
    await act(service, "renew", program_id)
    (row,) = await pool_rows(service, program_id)
    assert (row.available, row.renewal_count) == (7 * CREDIT, 1)


async def test_what_no_longer_fits_lapses(service: Service) -> None:
    """A renewal never takes a balance past the largest amount, and is never refused for it."""
    credit = {"amount": "922337203685477", "rolloverConfiguration": {"enabled": True}}
    program_id = await new_program(service, details={"benefits": [], "creditConfiguration": credit})
    await act(service, "renew", program_id)
    await act(service, "renew", program_id)
    (row,) = await pool_rows(service, program_id)
    assert row.available == AMOUNT_MAX
    assert row.renewal_count == 2


@pytest.mark.parametrize("action", ["pause", "end", "renew"])
async def test_a_large_program_changes_in_the_background(
    idle_service: Service, action: str
) -> None:
    """It shows what is going on, lets no other action in, and is done with all of its pools."""
    service = idle_service
    program_id, key = await large_program(service), guid()
    job_id = await act(service, action, program_id, key)
    for other in ACTIONS:
        refusal = await refused(service, other, program_id)
        assert (refusal.status, refusal.code) == (409, "IN_PROGRESS")
    program = await read(service, program_id)
    assert program["status"] == {"pause": "PAUSING", "end": "ENDING", "renew": "ACTIVE"}[action]
    assert program["targetStatus"] == {"pause": "PAUSED", "end": "ENDED", "renew": "ACTIVE"}[action]
    assert (await job_of(service, job_id))["status"] == "INITIALIZED"
    await run_jobs(service)
    job = await job_of(service, job_id)
    assert job["status"] == "FINISHED"
    assert job["counts"]["total"] == job["counts"]["successCount"] == MANY
    program = await read(service, program_id)
    expected = {"pause": "PAUSED", "end": "ENDED", "renew": "ACTIVE"}[action]
    assert (program["status"], program.get("targetStatus")) == (expected, None)
    rows = await pool_rows(service, program_id)
    assert {str(row.status) for row in rows} == {expected}
    assert {row.renewal_count for row in rows} == {int(action == "renew")}
    items = await items_of(service, job_id)
    assert sorted(items) == sorted(row.id for row in rows)


async def test_a_very_large_program_is_provisioned_in_the_background(
    idle_service: Service,
) -> None:
    """It is answered at once as PROVISIONING, and ends with a pool of each definition."""
    service, count = idle_service, 205
    program_id = await large_program(service, count)
    assert (await read(service, program_id))["status"] == "PROVISIONING"
    refusal = await refused(service, "pause", program_id)
    assert refusal.code == "IN_PROGRESS"
    await run_jobs(service)
    program = await read(service, program_id)
    assert (program["status"], program["revision"]) == ("ACTIVE", "2")
    assert len(await pool_rows(service, program_id)) == count
    assert await service.slugs_of(program_id) == ["created", "updated+provisioned"]
    (job,) = [row for row in await service.rows(Job) if row.subject_id == program_id]
    assert (job.total, job.success_count) == (count, count)
