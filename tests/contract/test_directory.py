"""The directory keeps its promises on both engines, whoever else works on it at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from benefit_programs.domain.errors import Invalid
from benefit_programs.domain.settings import IdMode, TenantSettings
from benefit_programs.domain.values import Identity, IdentityType
from benefit_programs.storage.console import ConsoleDirectory
from benefit_programs.storage.directory import (
    FIRST_KEY_ID,
    ApiKey,
    Directory,
    Grants,
    SiteTaken,
    UnknownKey,
    UnknownTenant,
    hash_secret,
)
from benefit_programs.storage.postgres import PostgresStore
from benefit_programs.storage.sqlite import SqliteStore

ON_POSTGRES_EVERY_DAY = True
pytestmark = pytest.mark.anyio

ROUNDS = 25
NOW = 1_795_000_000_000
SITE = "8f1d1f0e-6a3c-4a53-9d0b-1f6a5f2b7c11"
GRANTS = Grants(
    identity=Identity(IdentityType.APP, "c6f1f0a2-1111-4a53-9d0b-1f6a5f2b7c11"),
    scopes=("SCOPE.BENEFIT_PROGRAMS.READ_LIMITED",),
    permission_ids=("BENEFIT_PROGRAMS.POOL_READ",),
)


@pytest.fixture
async def stores(database_url: str) -> AsyncIterator[list[SqliteStore | PostgresStore]]:
    """Open one database three times, as three processes would."""
    opened: list[SqliteStore | PostgresStore]
    if database_url.startswith("sqlite"):
        path = Path(database_url.removeprefix("sqlite:///"))
        opened = [SqliteStore(path, serve=number == 0) for number in range(3)]
    else:
        opened = [await PostgresStore.open(database_url, connections_max=2) for _ in range(3)]
    yield opened
    for store in opened:
        await store.close()


@pytest.fixture
def directories(stores: list[SqliteStore | PostgresStore]) -> list[Directory]:
    return [Directory(store, clock=lambda: NOW) for store in stores]


@pytest.fixture
def directory(directories: list[Directory]) -> Directory:
    return directories[0]


async def test_tenant_is_found_by_id_and_by_site(directory: Directory) -> None:
    """A tenant keeps its name and site id, and is found by either id, in any case of letters."""
    tenant = await directory.create_tenant("Gym", site_id=SITE.upper())
    assert (tenant.name, tenant.site_id, tenant.created) == ("Gym", SITE, NOW)
    assert tenant == await directory.tenant(tenant.id)
    assert tenant == await directory.tenant_of_site(SITE.upper())
    assert await directory.tenants() == [tenant]


async def test_unknown_tenants_are_told(directory: Directory) -> None:
    """What isn't there is UnknownTenant by id, and nothing by site, however odd the id is."""
    with pytest.raises(UnknownTenant):
        await directory.tenant(17)
    with pytest.raises(UnknownTenant):
        await directory.change_settings(17, lambda settings: settings)
    assert await directory.tenant_of_site(SITE) is None
    assert await directory.tenant_of_site("'; drop table tenants; --") is None


async def test_site_has_one_tenant(directory: Directory) -> None:
    """A second tenant with the same site id is refused."""
    await directory.create_tenant("Gym", site_id=SITE)
    with pytest.raises(SiteTaken):
        await directory.create_tenant("Other", site_id=SITE)


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 129])
async def test_odd_names_are_refused(directory: Directory, name: str) -> None:
    """A name is 1 to 128 printable characters."""
    with pytest.raises(Invalid):
        await directory.create_tenant(name)


async def test_tenants_made_at_once_get_ids_of_their_own(directories: list[Directory]) -> None:
    """Three processes that make tenants at the same time make different ones."""
    makers = [directories[number % 3].create_tenant(f"Gym {number}") for number in range(9)]
    tenants = await asyncio.gather(*makers)
    assert sorted(tenant.id for tenant in tenants) == list(range(1, 10))


async def test_settings_start_with_their_defaults(directory: Directory) -> None:
    """A new tenant has the defaults; what it sets is kept, and the rest stays."""
    tenant = await directory.create_tenant("Gym")
    assert tenant.settings == TenantSettings()
    changed = await directory.change_settings(
        tenant.id, lambda old: msgspec.structs.replace(old, time_zone="Europe/Berlin")
    )
    assert changed == TenantSettings(time_zone="Europe/Berlin")
    await directory.change_settings(
        tenant.id, lambda old: msgspec.structs.replace(old, id_mode=IdMode.OPEN)
    )
    expected = TenantSettings(time_zone="Europe/Berlin", id_mode=IdMode.OPEN)
    assert await directory.settings(tenant.id) == expected


async def test_settings_changed_at_once_are_all_kept(directories: list[Directory]) -> None:
    """Changes by several processes at the same time don't undo each other."""
    tenant = await directories[0].create_tenant("Gym")

    def one_day_more(old: TenantSettings) -> TenantSettings:
        return msgspec.structs.replace(old, job_retention_days=old.job_retention_days + 1)

    changes = [directories[n % 3].change_settings(tenant.id, one_day_more) for n in range(9)]
    await asyncio.gather(*changes)
    assert (await directories[0].settings(tenant.id)).job_retention_days == 39


@pytest.mark.parametrize(
    "name",
    [
        *("Nowhere/Land", "../UTC", "", "UTC\0", "europe/berlin", "localtime", "posixrules"),
        *("Factory", "posix/Europe/Berlin", "right/UTC", "posix", "Europe", "tzdata.zi", "+01:00"),
    ],
)
async def test_unknown_time_zones_are_refused(directory: Directory, name: str) -> None:
    """A time zone that can't be judged in is refused, and nothing is changed."""
    tenant = await directory.create_tenant("Gym")
    with pytest.raises(Invalid):
        await directory.change_settings(tenant.id, lambda _: TenantSettings(time_zone=name))
    assert await directory.settings(tenant.id) == TenantSettings()


@pytest.mark.parametrize("name", ["Europe/Berlin", "UTC", "Etc/GMT-14", "US/Pacific", "NZ"])
async def test_what_iana_lists_is_a_time_zone(directory: Directory, name: str) -> None:
    """Zones of the IANA list are taken, and links to them by their names of before."""
    tenant = await directory.create_tenant("Gym")
    settings = TenantSettings(time_zone=name)
    assert await directory.change_settings(tenant.id, lambda _: settings) == settings


async def test_a_zone_that_was_taken_once_hinders_nothing(
    directory: Directory, stores: list[SqliteStore | PostgresStore]
) -> None:
    """A tenant with a zone that is no longer taken may change its other settings."""
    tenant = await directory.create_tenant("Gym")
    sql = "update tenants set settings = $1 where id = $2"
    await stores[0].execute(sql, ('{"time_zone":"localtime"}', tenant.id))

    def change(old: TenantSettings) -> TenantSettings:
        return msgspec.structs.replace(old, job_retention_days=7)

    changed = await directory.change_settings(tenant.id, change)
    assert (changed.time_zone, changed.job_retention_days) == ("localtime", 7)


async def test_key_is_found_by_its_secret(directory: Directory) -> None:
    """A key comes back whole by the hash of its secret; the secret itself is stored nowhere."""
    tenant = await directory.create_tenant("Gym")
    new = await directory.create_key("till", tenant_ids=[tenant.id], grants=GRANTS, expires=NOW + 1)
    expected = ApiKey(
        id=new.key.id,
        name="till",
        created=NOW,
        tenant_ids=(tenant.id,),
        grants=GRANTS,
        expires=NOW + 1,
    )
    assert new.secret.startswith("bp_")
    assert len(new.secret) == 46
    assert await directory.key_by_hash(hash_secret(new.secret)) == expected == new.key
    assert await directory.keys() == [expected]
    assert await directory.key_by_hash(new.secret) is None


def test_key_ends_at_its_expiry() -> None:
    """A key is valid before the instant at which it expires, and not from then on."""
    key = ApiKey(id="1", name="k", created=0, tenant_ids=(1,), grants=GRANTS, expires=NOW)
    assert key.is_valid(at=NOW - 1)
    assert not key.is_valid(at=NOW)


async def test_key_needs_tenants_that_exist(directory: Directory) -> None:
    """A key for no tenant, or for one that isn't there, is refused."""
    with pytest.raises(Invalid):
        await directory.create_key("till", tenant_ids=[], grants=GRANTS)
    with pytest.raises(UnknownTenant):
        await directory.create_key("till", tenant_ids=[4], grants=GRANTS)
    assert await directory.keys() == []


async def test_revoked_key_stays_revoked(directories: list[Directory]) -> None:
    """Revoking is for ever, seen by every process, and keeps the instant of the first time."""
    tenant = await directories[0].create_tenant("Gym")
    new = await directories[0].create_key("till", tenant_ids=[tenant.id], grants=GRANTS)
    revoked = await directories[1].revoke_key(new.key.id.upper())
    assert revoked.revoked == NOW
    again = await directories[2].revoke_key(new.key.id)
    assert again == revoked == await directories[0].key_by_hash(hash_secret(new.secret))


@pytest.mark.parametrize("key_id", ["c6f1f0a2-1111-4a53-9d0b-1f6a5f2b7c11", "no-guid", ""])
async def test_unknown_keys_are_told(directory: Directory, key_id: str) -> None:
    """Revoking a key that isn't there is UnknownKey."""
    with pytest.raises(UnknownKey):
        await directory.revoke_key(key_id)


async def test_listeners_hear_of_changes(directory: Directory) -> None:
    """Whoever keeps what the directory says is told when it changes."""
    heard: list[str] = []
    tenant = await directory.create_tenant("Gym")
    new = await directory.create_key("till", tenant_ids=[tenant.id], grants=GRANTS)
    directory.on_change(lambda: heard.append("change"))
    await directory.revoke_key(new.key.id)
    await directory.change_settings(tenant.id, lambda old: old)
    assert heard == ["change", "change"]


async def test_first_start_makes_one_tenant_and_one_key(directories: list[Directory]) -> None:
    """Of several first starts at the same time, one makes the first key."""
    tenants = await asyncio.gather(*(each.ensure_default_tenant() for each in directories))
    assert len({tenant.site_id for tenant in tenants}) == 1
    secrets = await asyncio.gather(
        *(each.create_first_key(tenant_id=tenants[0].id, grants=GRANTS) for each in directories)
    )
    assert [key.id for key in await directories[0].keys()] == [FIRST_KEY_ID]
    (made,) = filter(None, secrets)
    assert await directories[1].key_by_hash(hash_secret(made))


async def test_later_start_makes_no_key(directory: Directory) -> None:
    """Once there has been a key, revoked or not, no start makes a first one."""
    tenant = await directory.ensure_default_tenant()
    new = await directory.create_key("till", tenant_ids=[tenant.id], grants=GRANTS)
    await directory.revoke_key(new.key.id)
    assert await directory.create_first_key(tenant_id=tenant.id, grants=GRANTS) is None


async def test_chosen_key_is_accepted_once(directory: Directory) -> None:
    """A key of the operator's choice is made once, and revoking it outlasts the next start."""
    tenant = await directory.ensure_default_tenant()
    assert await directory.ensure_key("a-key-of-my-choice", tenant_id=tenant.id, grants=GRANTS)
    (key,) = await directory.keys()
    await directory.revoke_key(key.id)
    assert not await directory.ensure_key("a-key-of-my-choice", tenant_id=tenant.id, grants=GRANTS)
    (key,) = await directory.keys()
    assert key.revoked == NOW


async def test_secret_is_one_for_all(directories: list[Directory]) -> None:
    """Processes that ask for a secret at the same time get the same 32 bytes, now and later."""
    secrets = await asyncio.gather(*(each.ensure_secret("cursor") for each in directories * 3))
    assert len(set(secrets)) == 1
    assert len(secrets[0]) == 32
    assert await directories[1].ensure_secret("cursor") == secrets[0]
    assert await directories[1].ensure_secret("other") != secrets[0]


async def test_of_many_invitations_at_once_one_makes_the_user(
    stores: list[SqliteStore | PostgresStore], directory: Directory
) -> None:
    """All get a link for the same user; of those who ask with one address for another, one does."""
    tenant_id = (await directory.ensure_default_tenant()).id
    users = [ConsoleDirectory(store, clock=lambda: NOW) for store in stores]
    for each in stores:
        await each.fetch_quick("select 1", ())
    # Time and again: what one of them sees half done is seldom.
    for number in range(ROUNDS):
        name, email = f"Ada {number}", f"ada{number}@gym.example"
        asked = (
            each.invite(name, tenant_id=tenant_id, role="READER", email=email) for each in users
        )
        invited = await asyncio.gather(*asked)
        assert len({user.id for user, _ in invited}) == 1
        assert len({secret for _, secret in invited}) == len(users)
    asked = (
        each.invite(name, tenant_id=tenant_id, role="READER", email="eve@gym.example")
        for each, name in zip(users, ("Eve", "Eva", "Ewa"), strict=True)
    )
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert sorted(isinstance(each, Invalid) for each in answers) == [False, True, True]
    assert len(await users[0].users()) == ROUNDS + 1
