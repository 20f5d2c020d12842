"""``benefits verify`` finds what is broken, and nothing where nothing is (docs/invariants.md)."""

from __future__ import annotations

import json
import re
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import apsw
import asyncpg
import pytest

from benefit_programs.bootstrap import open_database
from benefit_programs.config import Settings
from benefit_programs.domain.settings import IN_REQUEST_MAX
from benefit_programs.storage.verification import (
    INVARIANTS,
    PROGRESS_WHOLE,
    SAMPLES_MAX,
    Report,
    verify,
)
from tests.support.calls import benefit, details, guid
from tests.support.clock import Clock
from tests.support.databases import run_apart
from tests.support.dated import fill_with_dates
from tests.support.inprocess import new_tenant, open_application
from tests.support.lifecycle import act, limit_requests
from tests.support.lots import fill_with_lots
from tests.support.serving import run_benefits
from tests.support.wallet import add_item, open_another, open_wallet

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.support.databases import CopiedDatabases, Databases
    from tests.support.inprocess import Service

ENGINES = ["sqlite", "postgres"]
ON_POSTGRES_EVERY_DAY = True

INVARIANTS_FILE = Path(__file__).parent.parent.parent / "docs" / "invariants.md"
CHECKED = [
    *((table, name) for table in ("pools", "lots") for name in ("available", "reserved")),
    ("quotas", "used"),
]
DAILY = {
    "type": "POLICY",
    "policyOptions": {
        "type": "RATE_LIMITED",
        "rateLimitedOptions": {"times": 5, "timePeriod": "DAY"},
    },
}


async def fill(service: Service, clock: Clock) -> None:
    """Do to a tenant what leaves rows of every kind."""
    await fill_with_dates(service, clock)
    wallet = await open_wallet(service, benefit("towel", policyExpression=DAILY), benefit("bar"))
    kept = await wallet.redeem()
    moved = await wallet.reallocate(await wallet.redeem(count=2), "2026-12-01T10:00:00Z")
    await wallet.reallocate(moved, "2026-12-02T10:00:00Z")
    await wallet.cancel(await wallet.redeem("bar"))
    await wallet.revert(await wallet.redeem("bar"))
    adjusted = await wallet.adjust("12.5")
    await wallet.revert(adjusted["transactionId"])
    await wallet.leave(adjustOptions={"value": "0"})
    await wallet.set_balance("55.0001")
    gone = await add_item(service, wallet.benefit("bar"), "gone")
    await service.call("deleteItem", {"itemId": gone["id"]})
    await service.create_program_definition()
    other = await open_another(service, wallet.definition, beneficiary={"wixUserId": guid()})
    await other.redeem()
    await fill_with_lots(service, clock)
    assert kept != moved
    ada = {"beneficiary": {"memberId": guid()}, "displayName": "Ada Lovelace"}
    await service.call("setPerson", {"person": ada})
    await leave_work(service)
    await limit_requests(service, IN_REQUEST_MAX)


async def leave_work(service: Service) -> None:
    """Leave to jobs, and to renewals, one thing of each kind; one job is half done."""
    plan = await service.create_program_definition()
    pass_ = await service.create_pool_definition(programDefinitionIds=[plan["id"]])
    answers = [await service.provision(program_definition=plan) for _ in range(2)]
    added = {"namespace": "gym", "details": details(), "programDefinitionIds": [plan["id"]]}
    request = {"poolDefinition": added, "cascade": "NEXT_RENEWAL"}
    await service.call("createPoolDefinition", request)
    await limit_requests(service)
    await act(service, "pause", answers[0]["program"]["id"])
    await act(service, "renew", answers[1]["program"]["id"])
    change = {"id": pass_["id"], "revision": "1", "displayName": "Gold"}
    request = {"poolDefinition": change, "cascade": "IMMEDIATELY"}
    await service.call("updatePoolDefinition", request)
    await service.provision(program_definition=plan)


async def make_sound(url: str) -> None:
    clock = Clock()
    async with open_application(url, clock=clock, run_jobs=False) as application:
        for _ in range(2):
            await fill(await new_tenant(*application), clock)


@pytest.fixture(scope="module")
def sound_url(databases: Databases) -> Iterator[str]:
    url = databases.create()
    run_apart(make_sound(url))
    yield url
    databases.drop(url)


@pytest.fixture
def copy_url(databases: CopiedDatabases, sound_url: str) -> Iterator[str]:
    url = databases.copy(sound_url)
    yield url
    databases.drop(url)


@asynccontextmanager
async def raw_connection(url: str) -> AsyncIterator[Any]:
    """Run statements behind the service's back, past constraints."""
    if url.startswith("sqlite"):
        connection = apsw.Connection(url.removeprefix("sqlite:///"))
        connection.execute("pragma ignore_check_constraints = on")

        async def run(sql: str) -> None:
            connection.execute(sql).fetchall()

        yield run
        connection.close()
    else:
        own = await asyncpg.connect(url)
        for table, name in CHECKED:
            await own.execute(f"alter table {table} drop constraint ck_{table}_{name}")
        for kind in ("json", "uuid"):
            await own.execute(f"create cast (text as {kind}) with inout as assignment")
        yield own.execute
        await own.close()


async def verified(url: str, **options: Any) -> Report:
    async with open_database(Settings(database_url=url)) as store:
        return await verify(store, **options)


async def broken(url: str, *statements: str) -> Report:
    async with raw_connection(url) as run:
        for statement in statements:
            await run(statement)
    return await verified(url)


@pytest.mark.anyio
@pytest.mark.parametrize("page_size", [1, 3, 500])
async def test_a_sound_database_is_sound(sound_url: str, page_size: int) -> None:
    """What the service did breaks nothing, whatever the size of the pages."""
    report = await verified(sound_url, page_size=page_size)
    assert report.violations == []
    assert report.is_sound
    assert report.tenants == 3


def first(table: str, condition: str) -> str:
    """One row of tenant 2, chosen in the same way on both engines."""
    return (
        f"tenant_id = 2 and cast(id as text) = (select min(cast(id as text)) from {table}"
        f" where tenant_id = 2 and {condition})"
    )


ANY_ID = "00000000-0000-4000-8000-0000000000aa"
SLUG_OF_REDEEMING = "slug = 'benefit_redeemed'"
SLUG_OF_MOVING = "slug = 'benefit_reallocated'"
REDEEMED = first("transactions", "operation = 'REDEEM'")

BREAKAGES: list[tuple[str, str, tuple[str, ...]]] = [
    (
        "I1",
        "an amount differs",
        (f"update transactions set amount = amount + 1 where {REDEEMED}",),
    ),
    (
        "I1",
        "credits appear from nowhere",
        (f"update pools set available = available + 1 where {first('pools', '1 = 1')}",),
    ),
    (
        "I1",
        "credits are reserved by nobody",
        (f"update pools set reserved = 1 where {first('pools', '1 = 1')}",),
    ),
    ("I2", "a pool below zero", ("update pools set available = -1 where tenant_id = 2",)),
    (
        "I2",
        "a transaction below zero",
        (f"update transactions set amount = -amount where {REDEEMED}",),
    ),
    ("I2", "a quota below zero", ("update quotas set used = -1 where tenant_id = 2",)),
    (
        "I3",
        "a revision skipped",
        (f"update transactions set balance_revision = 90 where {REDEEMED}",),
    ),
    (
        "I3",
        "another balance after",
        (f"update transactions set available_after = 7 where {REDEEMED}",),
    ),
    (
        "I3",
        "a revision too far",
        ("update pools set balance_revision = balance_revision + 1 where tenant_id = 2",),
    ),
    (
        "I3",
        "no newest transaction",
        ("update pools set last_transaction_id = null where tenant_id = 2",),
    ),
    (
        "I3",
        "an older one is the newest",
        (
            (
                "update pools set last_transaction_id = (select t.id from transactions t"
                " where t.tenant_id = pools.tenant_id and t.pool_id = pools.id"
                " and t.operation = 'PROVISION') where tenant_id = 2"
            ),
        ),
    ),
    (
        "I4",
        "two programs share an external id",
        (
            "drop index uq_programs_external_id",
            "update programs set external_id = 'same' where tenant_id = 2",
        ),
    ),
    (
        "I4",
        "two items share a reference",
        (
            "drop index uq_items_reference",
            (
                "insert into items select tenant_id, "
                f"'{ANY_ID}', revision, created, updated, item_set_id, provider_app_id, category,"
                " external_id, namespace, display_name, extended_fields, sequence"
                f" from items where {first('items', '1 = 1')}"
            ),
        ),
    ),
    (
        "I5",
        "a key with two transactions",
        (
            "drop index uq_transactions_idempotency_key",
            (
                "update transactions set idempotency_key = 'same'"
                " where tenant_id = 2 and operation = 'REDEEM'"
            ),
        ),
    ),
    (
        "I5",
        "a key that changed nothing, and something",
        (
            (
                "insert into idempotency_keys (tenant_id, subject_id, operation, idempotency_key,"
                " created) select tenant_id, pool_id, operation, idempotency_key, 1"
                " from transactions where tenant_id = 2 and operation = 'CHANGE'"
            ),
        ),
    ),
    (
        "I6",
        "given back twice",
        (
            "drop index uq_transactions_related",
            (
                "update transactions set related_transaction_id = (select t.id from transactions t"
                " where t.tenant_id = 2 and t.operation = 'REDEEM' order by t.id limit 1)"
                " where tenant_id = 2 and operation in ('CANCEL', 'REVERT')"
            ),
        ),
    ),
    (
        "I6",
        "another amount given back",
        ("update transactions set amount = 1 where tenant_id = 2 and operation = 'CANCEL'",),
    ),
    (
        "I6",
        "something given back for nothing",
        (
            (
                "update transactions set related_transaction_id = null"
                " where tenant_id = 2 and operation = 'REVERT'"
            ),
        ),
    ),
    (
        "I7",
        "a redemption moved twice",
        (
            "drop index uq_transactions_superseded",
            (
                "update transactions set superseded_transaction_id = correlation_id"
                " where tenant_id = 2 and operation = 'REALLOCATE'"
            ),
        ),
    ),
    (
        "I7",
        "a move of nothing",
        (
            (
                "update transactions set superseded_transaction_id = null"
                " where tenant_id = 2 and operation = 'REALLOCATE'"
            ),
        ),
    ),
    (
        "I7",
        "a chain without its beginning",
        (
            (
                f"update transactions set correlation_id = '{ANY_ID}'"
                " where tenant_id = 2 and operation = 'REALLOCATE'"
            ),
        ),
    ),
    (
        "I7",
        "moved after it was given back",
        (
            (
                "update transactions set correlation_id = (select t.correlation_id"
                " from transactions t where t.tenant_id = 2 and t.operation = 'CANCEL'"
                " order by t.id limit 1), balance_revision = 900"
                " where tenant_id = 2 and operation = 'REALLOCATE'"
            ),
        ),
    ),
    ("I8", "counted too often", ("update quotas set used = used + 1 where tenant_id = 2",)),
    ("I8", "not counted at all", ("delete from quotas where tenant_id = 2",)),
    (
        "I9",
        "credits that go round",
        (f"update transactions set source = 'EXTERNAL' where {REDEEMED}",),
    ),
    (
        "I9",
        "another price than its benefit's",
        (f"update transactions set amount = amount + 1 where {REDEEMED}",),
    ),
    (
        "I10",
        "an event lost",
        (f"delete from events where {first('events', SLUG_OF_REDEEMING)}",),
    ),
    ("I10", "a change untold", ("update pools set sequence = sequence + 1 where tenant_id = 2",)),
    ("I10", "a row gone untold", (f"delete from items where {first('items', '1 = 1')}",)),
    (
        "I10",
        "a deletion told of a row that is there",
        (
            (
                "update events set slug = 'deleted'"
                " where tenant_id = 2 and entity = 'program_definition'"
            ),
        ),
    ),
    (
        "I11",
        "a transaction untold",
        (f"update events set transaction_id = null where {first('events', SLUG_OF_MOVING)}",),
    ),
    (
        "I11",
        "a transaction told twice",
        (
            (
                "update events set transaction_id = (select t.id from transactions t"
                " where t.tenant_id = 2 and t.operation = 'CANCEL' order by t.id limit 1)"
                " where tenant_id = 2 and slug = 'benefit_reallocated'"
            ),
        ),
    ),
    (
        "I12",
        "another instant than the id's",
        ("update programs set created = created + 1 where tenant_id = 2",),
    ),
    (
        "I12",
        "a transaction of another instant",
        (f"update transactions set created = created - 1 where {REDEEMED}",),
    ),
    (
        "I13",
        "a snapshot of another tenant",
        (
            (
                "update pools set snapshot_id = (select s.id from snapshots s where s.tenant_id = 3"
                " limit 1) where tenant_id = 2"
            ),
        ),
    ),
    ("I13", "an item set that isn't there", ("delete from item_sets where tenant_id = 2",)),
    (
        "I13",
        "an item of another app than its set",
        (f"update items set provider_app_id = '{ANY_ID}' where tenant_id = 2",),
    ),
    ("I13", "transactions without a pool", ("delete from pools where tenant_id = 2",)),
    (
        "I14",
        "rows of nobody",
        (f"update jobs set tenant_id = 99 where {first('jobs', '1 = 1')}",),
    ),
    (
        "I15",
        "a paused pool of an active program",
        ("update pools set status = 'PAUSED' where tenant_id = 2",),
    ),
    (
        "I15",
        "a pool of somebody else",
        (f"update pools set member_id = '{ANY_ID}' where tenant_id = 2 and member_id is not null",),
    ),
    (
        "I15",
        "a program of nobody",
        ("update programs set member_id = null where tenant_id = 2",),
    ),
    (
        "I15",
        "two live pools of one definition",
        (
            (
                "update pools set program_id = (select p.id from programs p where p.tenant_id = 2"
                " order by p.id limit 1) where tenant_id = 2"
            ),
        ),
    ),
    (
        "I16",
        "more done than there was to do",
        ("update jobs set success_count = total + 1 where tenant_id = 2",),
    ),
    (
        "I16",
        "a job that nobody goes on with",
        ("update agenda set since = null where tenant_id = 2",),
    ),
    (
        "I16",
        "a job that tells of less than it did",
        ("delete from job_pages where tenant_id = 2 and number = 0",),
    ),
    (
        "I13",
        "pages of no job",
        (
            (
                "insert into job_pages (tenant_id, job_id, number, items)"
                f" values (2, '{ANY_ID}', 0, '[]')"
            ),
        ),
    ),
    (
        "I18",
        "a cascade whose job is gone",
        ("delete from jobs where tenant_id = 2 and kind = 'UPDATE_POOLS'",),
    ),
    (
        "I18",
        "a cascade whose job is done",
        ("update jobs set status = 'FINISHED' where tenant_id = 2 and kind = 'UPDATE_POOLS'",),
    ),
    (
        "I18",
        "a job of another order",
        ("update orders set job_id = null where tenant_id = 2 and kind = 'PAUSE_PROGRAM'",),
    ),
    (
        "I18",
        "a job without its order",
        ("delete from orders where tenant_id = 2 and kind = 'UPDATE_POOLS'",),
    ),
    (
        "I18",
        "an order without its snapshot",
        (
            (
                f"update orders set snapshot_id = '{ANY_ID}'"
                " where tenant_id = 2 and kind = 'UPDATE_POOLS'"
            ),
        ),
    ),
    (
        "I18",
        "an action whose job is gone",
        ("delete from jobs where tenant_id = 2 and kind = 'PAUSE_PROGRAM'",),
    ),
    (
        "I18",
        "an action of another program",
        (
            (
                f"update orders set program_id = '{ANY_ID}'"
                " where tenant_id = 2 and kind = 'PAUSE_PROGRAM'"
            ),
        ),
    ),
    (
        "I18",
        "an action with another end than its program expects",
        ("update orders set status = 'ENDED' where tenant_id = 2 and kind = 'PAUSE_PROGRAM'",),
    ),
    (
        "I18",
        "a program that waits for nothing",
        ("delete from orders where tenant_id = 2 and kind = 'PAUSE_PROGRAM'",),
    ),
    (
        "I18",
        "a pool to come whose job is gone",
        ("delete from jobs where tenant_id = 2 and kind = 'PROVISION_PROGRAM' and due = 0",),
    ),
    (
        "I18",
        "a pool to come without its snapshot",
        (f"update orders set snapshot_id = '{ANY_ID}' where tenant_id = 2 and phase = 'OPENING'",),
    ),
    (
        "I18",
        "an addition of what is gone",
        (
            (
                f"update orders set pool_definition_id = '{ANY_ID}'"
                " where tenant_id = 2 and kind = 'ADD_POOLS'"
            ),
        ),
    ),
    (
        "I18",
        "an addition of what was removed",
        ("delete from assignments where tenant_id = 2",),
    ),
    (
        "I18",
        "the end of programs whose definition is there",
        (
            (
                "update orders set kind = 'END_PROGRAMS', pool_definition_id = null"
                " where tenant_id = 2 and kind = 'ADD_POOLS'"
            ),
        ),
    ),
    (
        "I19",
        "an order that nobody has numbered",
        ("update agenda set newest_order = newest_order - 1 where tenant_id = 2",),
    ),
    (
        "I19",
        "a pool that is ahead of all orders",
        ("update pools set order_number = 1000000 where tenant_id = 2",),
    ),
    (
        "I19",
        "a pool that an order has passed by",
        (
            (
                "update orders set phase = 'REACHED', job_id = null"
                " where tenant_id = 2 and kind = 'UPDATE_POOLS'"
            ),
        ),
    ),
    (
        "I17",
        "another price to join than is said",
        ("update snapshot_benefits set price = price + 1 where tenant_id = 2",),
    ),
]

LAPSED = first("lots", "status = 'EXPIRED' and origin = 'GRANT'")
SPENT_AND_LAPSED = first("lots", "status = 'EXPIRED' and granted = 200000")
LIVE_LOT = first("lots", "status = 'LIVE' and origin = 'GRANT'")
LIVE_POOL = (
    "tenant_id = 2 and cast(id as text) = (select min(cast(pool_id as text)) from lots"
    " where tenant_id = 2 and status = 'LIVE' and origin = 'GRANT')"
)
OPEN = "tenant_id = 2 and status = 'OPEN'"


def rewrite(was: str, to: str, condition: str, table: str = "transactions.details") -> str:
    """Put other words into a document, in the same way on both engines."""
    name, column = table.split(".")
    changed = f"replace(cast({column} as text), '{was}', '{to}')"
    return f"update {name} set {column} = {changed} where {condition}"


def of_first(operation: str, more: str = "1 = 1") -> str:
    """The first transaction of an operation that draws on stored lots."""
    return first("transactions", f"operation = '{operation}' and {more}")


WITH_DRAWS = "cast(details as text) like '%draws%'"

BREAKAGES += [
    (
        "I6",
        "more given back than a capture took",
        (
            (
                "update transactions set amount = amount + 1 where tenant_id = 2"
                " and operation = 'CANCEL' and related_transaction_id in (select t.id"
                " from transactions t where t.tenant_id = 2 and t.operation = 'CAPTURE')"
            ),
        ),
    ),
    (
        "I6",
        "a part that gives back too much",
        (f"update transactions set amount = amount + 1 where {of_first('CANCEL_PART')}",),
    ),
    (
        "I6",
        "parts of more items than there are",
        (rewrite('"item_count":1', '"item_count":9', of_first("CANCEL_PART")),),
    ),
    (
        "I7",
        "a release of nothing that was reserved",
        (
            (
                "update transactions set correlation_id = (select t.id from transactions t"
                " where t.tenant_id = 2 and t.operation = 'REDEEM' order by t.id limit 1)"
                f" where {of_first('RELEASE')}"
            ),
        ),
    ),
    (
        "I8",
        "a reservation that counts on no limit",
        (f"update reservations set quota_shares = '[]' where {OPEN}",),
    ),
    (
        "I8",
        "a part that frees no limit",
        (rewrite('"count":1', '"count":0', "tenant_id = 2 and operation = 'CANCEL_PART'"),),
    ),
    (
        "I10",
        "a lot whose change nobody told",
        (f"update lots set sequence = sequence + 1 where {LIVE_LOT}",),
    ),
    (
        "I11",
        "a reservation told as a redemption",
        (
            (
                "update events set slug = 'benefit_redeemed'"
                " where tenant_id = 2 and slug = 'benefit_reserved'"
            ),
        ),
    ),
    (
        "I12",
        "a lot of another instant",
        ("update lots set created = created + 1 where tenant_id = 2",),
    ),
    ("I13", "lots without a pool", ("update lots set pool_id = id where tenant_id = 2",)),
    ("I14", "a lot of nobody", (f"update lots set tenant_id = 99 where {LIVE_LOT}",)),
    ("I14", "a reservation of nobody", (f"update reservations set tenant_id = 99 where {OPEN}",)),
    (
        "I20",
        "more in lots than there is",
        (f"update pools set in_lots = available + 1 where {LIVE_POOL}",),
    ),
    ("I20", "less in lots than they hold", (f"update pools set in_lots = 0 where {LIVE_POOL}",)),
    (
        "I20",
        "in lots without a lot",
        (f"update pools set in_lots = 1 where {first('pools', 'in_lots = 0')}",),
    ),
    (
        "I20",
        "credits of a lot from nowhere",
        (
            f"update lots set available = available + 1 where {LIVE_LOT}",
            f"update pools set in_lots = in_lots + 1 where {LIVE_POOL}",
        ),
    ),
    (
        "I20",
        "credits of a lot that lapsed",
        (f"update lots set available = 1 where {LAPSED}",),
    ),
    ("I20", "a lot below zero", (f"update lots set available = -1 where {LIVE_LOT}",)),
    ("I20", "more than came", (f"update lots set granted = available - 1 where {LIVE_LOT}",)),
    ("I20", "a lot that is live and empty", (f"update lots set status = 'LIVE' where {LAPSED}",)),
    ("I20", "a lot lost", (f"delete from lots where {LIVE_LOT}",)),
    (
        "I20",
        "a lot of another pool",
        (
            (
                "update lots set pool_id = (select min(cast(p.id as text)) from pools p"
                f" where p.tenant_id = 2 and p.in_lots = 0) where {LIVE_LOT}"
            ),
        ),
    ),
    (
        "I20",
        "parts that are less than the whole",
        (rewrite('"amount":', '"amount":1', of_first("REDEEM", WITH_DRAWS)),),
    ),
    (
        "I20",
        "what a lot gave before it had it",
        (
            (
                "update transactions set balance_revision = 1000 - balance_revision"
                f" where pool_id = (select pool_id from lots where {LIVE_LOT})"
            ),
        ),
    ),
    (
        "I20",
        "draws on lots where there are none",
        (
            (
                'update transactions set details = \'{"draws":[{"lot_id":"x","amount":1}]}\''
                " where tenant_id = 2 and pool_id not in (select pool_id from lots)"
            ),
        ),
    ),
    ("I21", "nothing due in a pool", ("update pools set due = null where tenant_id = 2",)),
    ("I21", "due too late", (f"update pools set due = due + 10000000000 where {LIVE_POOL}",)),
    (
        "I21",
        "a reservation that is due before its pool",
        (f"update reservations set expiration_date = 0 where {OPEN}",),
    ),
    (
        "I21",
        "nobody comes by",
        ("update agenda set since = null where tenant_id = 2 and kind = 'due'",),
    ),
    ("I21", "no agenda", ("delete from agenda where tenant_id = 2 and kind = 'due'",)),
    (
        "I21",
        "somebody comes by too late",
        ("update agenda set since = since + 10000000000 where tenant_id = 2 and kind = 'due'",),
    ),
    (
        "I21",
        "lapsed before its time",
        (f"update lots set expiration_date = expiration_date + 10000000000 where {LAPSED}",),
    ),
    (
        "I21",
        "begun at another time",
        (f"update lots set effective_date = effective_date - 1 where {LIVE_LOT}",),
    ),
    (
        "I21",
        "a reservation lapsed before its time",
        (
            (
                "update reservations set expiration_date = expiration_date + 1"
                " where tenant_id = 2 and status = 'LAPSED'"
            ),
        ),
    ),
    ("I22", "a lot out of turn", (f"update lots set rank = '0' where {LIVE_LOT}",)),
    (
        "I22",
        "another priority than its turn",
        ("update lots set priority = 1 where tenant_id = 2",),
    ),
    (
        "I22",
        "a lot that ends before it begins",
        (
            (
                "update lots set expiration_date = effective_date"
                " where tenant_id = 2 and status = 'FUTURE'"
            ),
        ),
    ),
    (
        "I22",
        "given after it had lapsed",
        (
            (
                "update transactions set balance_revision = 900 where tenant_id = 2"
                " and operation = 'REDEEM' and cast(details as text) like '%' || ("
                f"select cast(id as text) from lots where {SPENT_AND_LAPSED}) || '%'"
            ),
        ),
    ),
    ("I23", "reserved by nobody", (f"update pools set reserved = 1 where {LIVE_POOL}",)),
    ("I23", "a reservation lost", (f"delete from reservations where {OPEN}",)),
    ("I23", "a reservation of more", (f"update reservations set count = 9 where {OPEN}",)),
    (
        "I23",
        "a reservation over that holds",
        (f"update reservations set status = 'CANCELED' where {OPEN}",),
    ),
    (
        "I23",
        "a reservation of less of its lots",
        (rewrite('"amount":1', '"amount":2', OPEN, "reservations.draws"),),
    ),
    (
        "I23",
        "more captured than was spent",
        (
            (
                "update reservations set count = count + 1, captured = captured + 1"
                " where tenant_id = 2 and status = 'CAPTURED'"
            ),
        ),
    ),
    (
        "I23",
        "another price than was reserved",
        ("update reservations set price = price + 1 where tenant_id = 2",),
    ),
    (
        "I23",
        "captured of nothing",
        (rewrite("reservation_id", "other", "tenant_id = 2 and operation = 'CAPTURE'"),),
    ),
    (
        "I3",
        "less reserved than before",
        (rewrite('"reserved_after":', '"reserved_after":1', of_first("RESERVE")),),
    ),
]

DATED = "tenant_id = 2 and due is not null"


ENDED = first("programs", "status = 'ENDED' and calendar is not null")


def change_of(kind: str, program: str = "null") -> str:
    """A change that waits, of nothing or of some program."""
    return (
        "insert into scheduled_changes (tenant_id, id, created, updated, kind, status, date,"
        f" program_id) select 2, p.id, p.created, p.created, '{kind}', 'WAITING', 1, {program}"
        f" from programs p where {ENDED}"
    )


LATE_RENEWAL = "operation = 'RENEWAL' and cast(details as text) like '%\"due\":%'"
LATE_RENEWALS = f"tenant_id = 2 and {LATE_RENEWAL}"

BREAKAGES += [
    ("I24", "a date that is forgotten", (f"update programs set due = null where {DATED}",)),
    ("I24", "a date that is too late", (f"update programs set due = due + 1 where {DATED}",)),
    (
        "I24",
        "something happens after the end",
        ("update programs set due = 1 where tenant_id = 2 and status = 'ENDED'",),
    ),
    (
        "I24",
        "another end than the calendar's",
        ("update programs set end_date = end_date + 1 where tenant_id = 2",),
    ),
    (
        "I24",
        "no next renewal",
        (f"update programs set next_renewal = null, due = end_date where {DATED}",),
    ),
    (
        "I24",
        "a renewal before its cycle",
        (f"update programs set next_renewal = 1, due = 1 where {DATED}",),
    ),
    ("I24", "dates without a calendar", (f"update programs set calendar = null where {DATED}",)),
    (
        "I24",
        "nobody comes by for a program",
        ("update agenda set since = null where tenant_id = 2 and kind = 'due'",),
    ),
    ("I24", "a change that waits for what is over", (change_of("END", "p.id"),)),
    ("I24", "a cascade that nobody begins", (change_of("CASCADE"),)),
    (
        "I25",
        "renewed twice at one instant",
        (
            (
                "update transactions set details = (select min(cast(t.details as text))"
                f" from transactions t where {LATE_RENEWAL} and t.tenant_id = 2)"
                f" where {LATE_RENEWALS}"
            ),
        ),
    ),
    (
        "I25",
        "booked before it was due",
        (rewrite('"due":', '"due":9', LATE_RENEWALS),),
    ),
    (
        "I26",
        "a pool that doesn't know when",
        ("update pools set program_due = null where tenant_id = 2",),
    ),
    (
        "I26",
        "a pool that knows another date",
        ("update pools set program_due = program_due + 1 where tenant_id = 2",),
    ),
    (
        "I26",
        "a pool that has ended and waits",
        ("update pools set program_due = 1 where tenant_id = 2 and status = 'ENDED'",),
    ),
    (
        "I26",
        "a clock that goes on in a pause",
        ("update pools set stopped = null where tenant_id = 2",),
    ),
    (
        "I26",
        "a clock that stands without a pause",
        ("update pools set stopped = created where tenant_id = 2 and status = 'ACTIVE'",),
    ),
    (
        "I26",
        "a clock that stood before the pause",
        ("update pools set stopped = stopped - 1 where tenant_id = 2",),
    ),
    (
        "I27",
        "a person who lost a word",
        ("delete from person_words where tenant_id = 2 and word = 'ada'",),
    ),
    (
        "I27",
        "a word of another text",
        ("update people set search = ' eva ' where tenant_id = 2",),
    ),
    ("I27", "words of nobody", ("delete from people where tenant_id = 2",)),
    (
        "I15",
        "a person who is nobody",
        ("update people set member_id = null where tenant_id = 2",),
    ),
    ("I26", "a lot that wasn't moved", (f"update pools set shift = 5 where {LIVE_POOL}",)),
    ("I26", "a lot that moved alone", (f"update lots set shift = 5 where {LIVE_LOT}",)),
]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("invariant", "statements"),
    [pytest.param(each[0], tuple(each[2]), id=f"{each[0]} {each[1]}") for each in BREAKAGES],
)
async def test_every_breakage_is_found(
    copy_url: str, invariant: str, statements: tuple[str, ...]
) -> None:
    """Whoever breaks an invariant behind the service's back is found out."""
    report = await broken(copy_url, *statements)
    assert invariant in report.broken, report
    named = [each for each in report.violations if each.invariant == invariant]
    assert named
    assert {each.tenant_id for each in named} == {99 if invariant == "I14" else 2}
    assert all(each.detail for each in named)


def test_every_invariant_is_broken_once() -> None:
    """There is a breakage above for each invariant."""
    assert {each[0] for each in BREAKAGES} == set(INVARIANTS)


def test_the_document_has_every_invariant() -> None:
    """docs/invariants.md explains the invariants that are checked, by number and in their words."""
    headings = re.findall(r"^### (I\d+)\. (.+)$", INVARIANTS_FILE.read_text("utf-8"), re.MULTILINE)
    assert {number: text[0].lower() + text[1:] for number, text in headings} == INVARIANTS


@pytest.mark.anyio
async def test_many_broken_rows_are_counted_and_few_named(copy_url: str) -> None:
    """However much is broken, the report stays short and its numbers are right."""
    report = await broken(copy_url, "update events set created = created + 1 where tenant_id = 2")
    assert report.broken["I12"] > SAMPLES_MAX
    assert len([each for each in report.violations if each.invariant == "I12"]) == SAMPLES_MAX


@pytest.mark.anyio
async def test_only_the_tenant_that_is_named_is_looked_at(copy_url: str) -> None:
    """With a tenant named, what another one broke isn't told."""
    await broken(copy_url, "update pools set sequence = sequence + 1 where tenant_id = 2")
    assert (await verified(copy_url, tenant_ids=[3])).is_sound
    assert not (await verified(copy_url, tenant_ids=[2])).is_sound


@pytest.mark.anyio
async def test_who_waits_is_told_how_far_it_has_come(sound_url: str) -> None:
    """What was looked at grows from nothing to the whole, and each step has a name."""
    told: list[tuple[int, str]] = []
    await verified(sound_url, page_size=3, progress=lambda *step: told.append(step))
    parts = [part for part, _ in told]
    assert parts == sorted(parts)
    assert (parts[0], parts[-1]) == (0, PROGRESS_WHOLE)
    assert {"pools of tenant 2", "I10 of tenant 3"} <= {what for _, what in told}


@pytest.mark.anyio
async def test_what_is_there_is_counted(sound_url: str) -> None:
    """A report counts the rows of its tenants, and names the newest transaction."""
    whole, second, third = [
        (await verified(sound_url, tenant_ids=ids)).contents for ids in (None, [2], [3])
    ]
    assert whole.rows == {name: n + third.rows[name] for name, n in second.rows.items()}
    assert min(second.rows.values()) > 0
    async with open_database(Settings(database_url=sound_url)) as store:
        rows = await store.fetch("select cast(id as text), created from transactions", ())
        tables = {name: f"select count(*) from {name}" for name in whole.rows}
        counts = {name: (await store.fetch(sql, ()))[0][0] for name, sql in tables.items()}
    assert whole.rows == counts
    assert whole.newest is not None
    assert (whole.newest.id, whole.newest.created) == max(rows)


def test_the_command_ends_with_its_findings(copy_url: str) -> None:
    """The command ends with 0 where all is sound and with 6 where it isn't, and tells why."""
    sound = run_benefits("verify", BENEFITS_DATABASE_URL=copy_url)
    assert (sound.returncode, sound.stderr) == (0, "")
    assert "every invariant holds" in sound.stdout
    run_apart(broken(copy_url, "update quotas set used = used + 1 where tenant_id = 2"))
    found = run_benefits("verify", "--json", "--tenant", "2", BENEFITS_DATABASE_URL=copy_url)
    assert found.returncode == 6
    told = json.loads(found.stdout)
    assert told["sound"] is False
    assert {each["invariant"] for each in told["violations"]} == {"I8"}
    assert [each["id"] for each in told["invariants"] if each["broken"]] == ["I8"]
    unknown = run_benefits("verify", "--tenant", "77", BENEFITS_DATABASE_URL=copy_url)
    assert unknown.returncode == 5


def test_nothing_is_made_where_nothing_is(tmp_path: Path) -> None:
    """Verifying a database that isn't there says so, and leaves no file behind."""
    ended = run_benefits("verify", "--data-dir", str(tmp_path / "none"))
    assert ended.returncode == 3
    assert "benefits migrate" in ended.stderr
    assert not (tmp_path / "none").exists()
