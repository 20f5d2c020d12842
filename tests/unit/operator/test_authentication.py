"""Who may call: keys, tenants and scopes. Contract: Credentials."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from benefit_programs.api.authentication import Authenticator, Principal, anybody_with
from benefit_programs.api.errors import Forbidden, Unauthenticated
from benefit_programs.api.method import OPERATING, Scope
from benefit_programs.domain.errors import Invalid
from benefit_programs.domain.settings import TenantSettings
from benefit_programs.domain.values import Identity, IdentityType
from benefit_programs.inprocess import Owner
from benefit_programs.storage.directory import ApiKey, Directory, Grants, Tenant
from benefit_programs.storage.schema import migrate
from benefit_programs.storage.sqlite import SqliteStore

pytestmark = pytest.mark.anyio

ADMINISTRATOR = Identity(IdentityType.WIX_USER, "0f7a4c1e-52b8-4f0b-9a55-3c6d1e8b7a90")
MANAGE = Grants(identity=ADMINISTRATOR, scopes=(str(Scope.MANAGE),))
NOWHERE = "ffffffff-ffff-4fff-8fff-ffffffffffff"


class Watch:
    """The two clocks, which only the test moves."""

    def __init__(self) -> None:
        self.now = 1_795_000_000_000
        self.seconds = 0.0

    def read_now(self) -> int:
        return self.now

    def read_seconds(self) -> float:
        return self.seconds


class CountingDirectory(Directory):
    """A real directory that counts how often it is asked for a key."""

    look_ups = 0

    async def key_by_hash(self, secret_hash: str) -> ApiKey | None:
        self.look_ups += 1
        await asyncio.sleep(0)
        return await super().key_by_hash(secret_hash)


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    path = tmp_path / "benefits.sqlite3"
    await migrate(f"sqlite:///{path}")
    store = SqliteStore(path)
    yield store
    await store.close()


@pytest.fixture
def directory(store: SqliteStore, watch: Watch) -> CountingDirectory:
    return CountingDirectory(store, clock=watch.read_now)


@pytest.fixture
def authenticator(directory: Directory, watch: Watch) -> Authenticator:
    return Authenticator(directory, watch.read_now, elapsed=watch.read_seconds)


@pytest.fixture
async def tenants(directory: Directory) -> list[Tenant]:
    return [await directory.create_tenant(name) for name in ("Gym", "Pool", "Spa")]


@pytest.fixture
async def secret(directory: Directory, tenants: list[Tenant]) -> str:
    new = await directory.create_key("till", tenant_ids=[tenants[0].id], grants=MANAGE)
    return new.secret


@pytest.mark.parametrize("form", ["{}", "Bearer {}", "bearer {}", "  Bearer   {} "])
async def test_key_opens_its_tenant(
    authenticator: Authenticator, tenants: list[Tenant], secret: str, form: str
) -> None:
    """A key comes as it is or after Bearer; the principal says whom and what it stands for."""
    principal = await authenticator.authenticate(form.format(secret), None)
    assert principal.tenant_id == tenants[0].id
    assert principal.site_id == tenants[0].site_id
    assert principal.caller == ADMINISTRATOR
    assert principal.settings == TenantSettings()
    assert not principal.is_member
    assert not principal.is_app


@pytest.mark.parametrize(
    "authorization",
    [None, "", "  ", "Bearer", "Bearer ", "bp_unknown", "x" * 600, "schl\u00fcssel"],
)
async def test_unknown_credentials_are_refused(
    authenticator: Authenticator, secret: str, authorization: str | None
) -> None:
    """No key, or one that nobody made, is Unauthenticated."""
    with pytest.raises(Unauthenticated):
        await authenticator.authenticate(authorization, None)


async def test_key_of_one_tenant_ignores_the_site(
    authenticator: Authenticator, tenants: list[Tenant], secret: str
) -> None:
    """A key of one tenant acts for it, whatever site is named."""
    for site_id in (tenants[1].site_id, NOWHERE, "nonsense", ""):
        principal = await authenticator.authenticate(secret, site_id)
        assert principal.tenant_id == tenants[0].id


async def test_site_chooses_among_several_tenants(
    authenticator: Authenticator, directory: Directory, tenants: list[Tenant]
) -> None:
    """For a key of several tenants the site chooses; a strange site is 403, none is 400."""
    both = [tenant.id for tenant in tenants[:2]]
    secret = (await directory.create_key("office", tenant_ids=both, grants=MANAGE)).secret
    for tenant in tenants[:2]:
        principal = await authenticator.authenticate(secret, tenant.site_id.upper())
        assert principal.tenant_id == tenant.id
    for site_id in (tenants[2].site_id, NOWHERE, "nonsense"):
        with pytest.raises(Forbidden):
            await authenticator.authenticate(secret, site_id)
    for absent in (None, ""):
        with pytest.raises(Invalid):
            await authenticator.authenticate(secret, absent)


async def test_expired_key_is_refused(
    authenticator: Authenticator, directory: Directory, tenants: list[Tenant], watch: Watch
) -> None:
    """A key is refused from the instant of its expiry on, even while it is kept."""
    new = await directory.create_key(
        "till", tenant_ids=[tenants[0].id], grants=MANAGE, expires=watch.now + 100
    )
    watch.now += 99
    await authenticator.authenticate(new.secret, None)
    watch.now += 1
    with pytest.raises(Unauthenticated):
        await authenticator.authenticate(new.secret, None)


async def test_revocation_here_counts_at_once(
    authenticator: Authenticator, directory: Directory, secret: str
) -> None:
    """A key that this process revokes is refused by the next request."""
    principal = await authenticator.authenticate(secret, None)
    await directory.revoke_key(principal.key_id)
    with pytest.raises(Unauthenticated):
        await authenticator.authenticate(secret, None)


async def test_revocation_elsewhere_counts_after_half_a_second(
    authenticator: Authenticator, store: SqliteStore, secret: str, watch: Watch
) -> None:
    """What another process revokes is refused once what is kept is half a second old."""
    principal = await authenticator.authenticate(secret, None)
    await Directory(store, clock=watch.read_now).revoke_key(principal.key_id)
    watch.seconds = 0.499
    await authenticator.authenticate(secret, None)
    watch.seconds = 0.5
    with pytest.raises(Unauthenticated):
        await authenticator.authenticate(secret, None)


async def test_settings_follow(
    authenticator: Authenticator,
    store: SqliteStore,
    directory: Directory,
    secret: str,
    watch: Watch,
) -> None:
    """Changed settings count at once if this process changed them, else after half a second."""
    principal = await authenticator.authenticate(secret, None)

    async def change(where: Directory, zone: str) -> None:
        await where.change_settings(
            principal.tenant_id, lambda old: msgspec.structs.replace(old, time_zone=zone)
        )

    await change(directory, "Europe/Berlin")
    assert (await authenticator.authenticate(secret, None)).settings.time_zone == "Europe/Berlin"
    await change(Directory(store, clock=watch.read_now), "Asia/Tokyo")
    watch.seconds += 0.5
    assert (await authenticator.authenticate(secret, None)).settings.time_zone == "Asia/Tokyo"


async def test_owner_of_a_database_follows_settings_too(
    store: SqliteStore, directory: Directory, watch: Watch
) -> None:
    """Whoever has opened a database without a server follows what others set, as servers do."""
    owner = Owner(directory, elapsed=watch.read_seconds)
    opened = await owner.authenticate(None, None)
    assert opened.settings.time_zone == "UTC"
    await Directory(store, clock=watch.read_now).change_settings(
        opened.tenant_id, lambda old: msgspec.structs.replace(old, time_zone="Asia/Tokyo")
    )
    watch.seconds = 0.5
    assert (await owner.authenticate(None, None)).settings.time_zone == "Asia/Tokyo"


async def test_requests_at_once_are_one_look_up(
    authenticator: Authenticator, directory: CountingDirectory, secret: str
) -> None:
    """Requests with one key at the same time look it up once, and later ones not at all."""
    calls = [authenticator.authenticate(secret, None) for _ in range(50)]
    assert len({principal.key_id for principal in await asyncio.gather(*calls)}) == 1
    await authenticator.authenticate(secret, None)
    assert directory.look_ups == 1


async def test_a_look_up_that_takes_long_is_not_joined(
    authenticator: Authenticator, directory: CountingDirectory, secret: str, watch: Watch
) -> None:
    """Whoever comes half a second after a look-up began looks up anew: it may be of before."""
    early = asyncio.ensure_future(authenticator.authenticate(secret, None))
    await asyncio.sleep(0)
    watch.seconds = 0.5
    await authenticator.authenticate(secret, None)
    await early
    assert directory.look_ups == 2


async def test_caller_who_leaves_takes_nobody_along(
    authenticator: Authenticator, secret: str
) -> None:
    """A request that is cancelled during the look-up leaves the others their answer."""
    leaving = asyncio.ensure_future(authenticator.authenticate(secret, None))
    staying = asyncio.ensure_future(authenticator.authenticate(secret, None))
    await asyncio.sleep(0)
    leaving.cancel()
    assert (await staying).caller == ADMINISTRATOR


async def test_revocation_during_a_look_up_is_not_forgotten(
    authenticator: Authenticator, directory: CountingDirectory, secret: str
) -> None:
    """What was looked up before a revocation is not kept after it."""
    key_id = (await directory.keys())[0].id
    early = asyncio.ensure_future(authenticator.authenticate(secret, None))
    await asyncio.sleep(0)
    await directory.revoke_key(key_id)
    await asyncio.wait([early])
    early.exception()
    with pytest.raises(Unauthenticated):
        await authenticator.authenticate(secret, None)


def principal_with(scopes: set[str], permission_ids: set[str] = frozenset()) -> Principal:  # type: ignore[assignment]
    ids = tuple(permission_ids)
    return anybody_with(Grants(identity=ADMINISTRATOR, scopes=tuple(scopes), permission_ids=ids))


def test_manage_allows_everything_but_operating() -> None:
    """MANAGE allows every scope but those of operators; any other scope allows itself alone."""
    manager = principal_with({Scope.MANAGE})
    assert {each for each in Scope if manager.may(each, ("ANY",))} == set(Scope) - OPERATING
    for scope in set(Scope) - {Scope.MANAGE}:
        assert [each for each in Scope if principal_with({scope}).may(each)] == [scope]


def test_narrowed_key_needs_every_permission() -> None:
    """A narrowed key allows only what needs nothing beyond its permission ids."""
    narrowed = principal_with({Scope.MANAGE}, {"A", "B"})
    assert narrowed.may(Scope.MANAGE, ("A",))
    assert narrowed.may(Scope.READ_LIMITED, ("A", "B"))
    assert not narrowed.may(Scope.READ_LIMITED, ("A", "C"))
    assert not narrowed.may(Scope.MANAGE, ("C",))


def test_narrowed_key_reads_jobs_by_their_scope() -> None:
    """Jobs once had no permission id: who has their scope by name needs none for them."""
    assert principal_with({Scope.READ_JOBS}, {"A"}).may(Scope.READ_JOBS, ("JOBS",))
    assert not principal_with({Scope.MANAGE}, {"A"}).may(Scope.READ_JOBS, ("JOBS",))
    assert principal_with({Scope.MANAGE}, {"JOBS"}).may(Scope.READ_JOBS, ("JOBS",))
    assert not principal_with({Scope.OPERATE}, {"A"}).may(Scope.OPERATE, ("JOBS",))


async def test_key_of_the_installation_names_any_tenant(
    authenticator: Authenticator, directory: Directory, tenants: list[Tenant]
) -> None:
    """It acts for the tenant of the header, also a later one, and for its own without it."""
    grants = Grants(identity=ADMINISTRATOR, scopes=(str(Scope.INSTALLATION),))
    key = await directory.create_key("all", tenant_ids=[tenants[1].id], grants=grants)
    later = await directory.create_tenant("later")
    for site_id, tenant in ((None, tenants[1]), ("", tenants[1]), (later.site_id.upper(), later)):
        principal = await authenticator.authenticate(key.secret, site_id)
        assert principal.tenant_id == tenant.id
    for site_id in (NOWHERE, "nonsense"):
        with pytest.raises(Forbidden):
            await authenticator.authenticate(key.secret, site_id)


@pytest.mark.parametrize("kind", [IdentityType.APP, IdentityType.MEMBER])
async def test_only_administrators_open_all_tenants(
    authenticator: Authenticator, directory: Directory, tenants: list[Tenant], kind: IdentityType
) -> None:
    """A key of an app or a member with that scope still ignores the header."""
    grants = Grants(identity=Identity(kind, NOWHERE), scopes=(str(Scope.INSTALLATION),))
    key = await directory.create_key("all", tenant_ids=[tenants[1].id], grants=grants)
    principal = await authenticator.authenticate(key.secret, tenants[0].site_id)
    assert principal.tenant_id == tenants[1].id
