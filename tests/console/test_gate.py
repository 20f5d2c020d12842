"""The gate: who sees which pages, and from where something may be changed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from benefit_programs.api.method import Scope
from benefit_programs.api.roles import grants_of
from benefit_programs.config import WrongSetting, read_settings
from benefit_programs.console.routes import PAGES
from benefit_programs.domain.directory import Role
from benefit_programs.domain.values import Identity, IdentityType
from benefit_programs.storage.console import (
    INVITATION_MILLISECONDS_MAX,
    SESSION_IDLE_MILLISECONDS_MAX,
    SESSION_MILLISECONDS_MAX,
)
from benefit_programs.storage.directory import Grants
from tests.support.calls import guid
from tests.support.console import Browser, users_of
from tests.support.inprocess import LOOPBACK, new_tenant, open_application

if TYPE_CHECKING:
    from benefit_programs.console.page import Page
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

OWN = [each for each in PAGES if not each.is_public]
CHANGING = [each for each in PAGES if each.verb == "POST"]


def path_of(page: Page) -> str:
    """A path that the page answers, with ids that nothing has."""
    return re.sub(r"\{\w+\}", lambda _: guid(), page.path.replace("{kind}", "member"))


async def test_strangers_are_sent_to_sign_in(service: Service) -> None:
    """Without a session every page but those to sign in leads there, and nothing is changed."""
    stranger = Browser(service)
    for page in OWN:
        if page.verb == "GET":
            answer = await stranger.get(path_of(page))
            assert (answer.status_code, page.path) == (303, page.path)
            assert answer.headers["location"].startswith("/console/sign-in?next=") or (
                page.path == "/find" and answer.headers["location"] == "/console/sign-in"
            )
        else:
            assert (await stranger.post(path_of(page))).status_code == 401, page.path
    assert (await stranger.get("/there-is-none")).status_code == 303


@pytest.mark.parametrize("role", list(Role))
async def test_roles_see_their_pages_alone(service: Service, role: Role) -> None:
    """A page that a role isn't listed for is refused, the others aren't."""
    visitor = Browser(service)
    await visitor.sign_in(role)
    for page in OWN:
        if page.path == "/sign-out":
            continue
        ask = visitor.get if page.verb == "GET" else visitor.post
        status = (await ask(path_of(page))).status_code
        if page.path.endswith("/withdraw"):
            # Who may withdraw what is planned, the API's permission says.
            assert status == 403 or role in page.roles, (page.path, status)
            continue
        assert (status == 403) == (role not in page.roles), (page.path, status)
        assert status not in (401, 500), page.path


async def test_menu_has_the_pages_of_the_role(service: Service) -> None:
    """The menu links to no page that the visitor may not see."""
    visitor = Browser(service)
    await visitor.sign_in(Role.READER)
    linked = set(
        re.findall(r'href="/console(/[^"?]*)" data-key', (await visitor.get("/find")).text)
    )
    assert linked == {each.path for each in PAGES if each.menu and Role.READER in each.roles}


@pytest.mark.parametrize(
    "headers",
    [
        {"sec_fetch_site": "cross-site", "origin": "http://127.0.0.1:8080"},
        {"sec_fetch_site": "same-site"},
        {"origin": "https://elsewhere.example"},
        {"origin": "null"},
        {"accept": "*/*"},
    ],
)
async def test_other_sites_change_nothing(service: Service, headers: dict[str, str]) -> None:
    """What changes something is refused unless the browser says that our own page sends it."""
    visitor = Browser(service)
    await visitor.sign_in()
    for page in CHANGING:
        answer = await visitor.post(path_of(page), {"key": guid()}, **headers)
        assert answer.status_code == 403, page.path
    assert (await visitor.get("/find")).status_code == 200


async def test_origin_stands_in_for_old_browsers(service: Service) -> None:
    """A browser that says no more than the origin may change something from our own pages."""
    visitor = Browser(service)
    await visitor.sign_in()
    answer = await visitor.post("/sign-out", origin="http://127.0.0.1:8080")
    assert answer.headers["location"] == "/console/sign-in"
    assert (await visitor.get("/find")).status_code == 303


async def test_a_link_signs_in_once(service: Service) -> None:
    """To look at a link doesn't use it up, to sign in with it does."""
    users = users_of(service)
    _, secret = await users.invite("Ada", tenant_id=service.tenant.id, role=Role.READER)
    first, second = Browser(service), Browser(service)
    assert "Sign in as Ada" in (await first.get(f"/sign-in?token={secret}")).text
    answer = await first.post("/sign-in", {"token": secret, "next": "/people/member/1"})
    assert answer.headers["location"] == "/console/people/member/1"
    assert (await second.post("/sign-in", {"token": secret})).status_code == 200
    assert "was used before" in (await second.get(f"/sign-in?token={secret}")).text
    assert (await second.get("/find")).status_code == 303


async def test_after_sign_in_nobody_is_led_away(service: Service) -> None:
    """What a link says about the next page leads to no other host."""
    for elsewhere in ("//evil.example", "https://evil.example", "/\\evil.example"):
        _, secret = await users_of(service).invite(
            guid(), tenant_id=service.tenant.id, role=Role.READER
        )
        visitor = Browser(service)
        answer = await visitor.post("/sign-in", {"token": secret, "next": elsewhere})
        assert answer.headers["location"] == "/console/find"


async def test_revoked_users_are_out_at_once(service: Service) -> None:
    """The next request after a revocation is a stranger's."""
    visitor = Browser(service)
    user_id = await visitor.sign_in()
    assert (await visitor.get("/find")).status_code == 200
    await users_of(service).revoke(user_id, tenant_id=service.tenant.id)
    assert (await visitor.get("/find")).status_code == 303


async def test_sessions_and_links_end(database_url: str) -> None:
    """A link lasts 15 minutes, a session 12 hours without a request and 7 days in all."""
    now = [1_800_000_000_000]
    async with open_application(database_url, clock=lambda: now[0]) as (running, client):
        service = await new_tenant(running, client)
        users = users_of(service)
        _, late = await users.invite("late", tenant_id=service.tenant.id, role=Role.READER)
        now[0] += INVITATION_MILLISECONDS_MAX
        assert await users.accept(late) is None
        idle, busy = Browser(service), Browser(service)
        await idle.sign_in()
        await busy.sign_in()
        ends = now[0] + SESSION_MILLISECONDS_MAX
        assert (await idle.get("/find")).status_code == 200
        now[0] += SESSION_IDLE_MILLISECONDS_MAX
        assert (await idle.get("/find")).status_code == 303
        await busy.sign_in()
        ends = now[0] + SESSION_MILLISECONDS_MAX
        while now[0] + SESSION_IDLE_MILLISECONDS_MAX - 1 < ends:
            now[0] += SESSION_IDLE_MILLISECONDS_MAX - 1
            assert (await busy.get("/find")).status_code == 200
        now[0] = ends
        assert (await busy.get("/find")).status_code == 303


async def test_a_key_opens_a_session_of_its_rights(service: Service) -> None:
    """An API key is exchanged for a session of the largest role whose rights it has."""
    directory = service.running.services.directory
    administrator = Identity(IdentityType.WIX_USER, guid())
    manages = Grants(identity=administrator, scopes=(str(Scope.MANAGE),))
    for grants, role in (
        (grants_of(Role.OPERATOR, administrator), "Operator"),
        (manages, "Manager"),
        (grants_of(Role.FRONT_DESK, administrator), "Front desk"),
    ):
        key = await directory.create_key("k", tenant_ids=[service.tenant.id], grants=grants)
        visitor = Browser(service)
        await visitor.post("/sign-in", {"api_key": key.secret})
        assert role in (await visitor.get("/find")).text
        await directory.revoke_key(key.key.id)
        assert (await visitor.get("/find")).status_code == 303


async def test_a_member_s_key_opens_nothing(service: Service) -> None:
    """The console is for those who run the service: a member's key isn't enough."""
    member = await service.as_member(guid())
    visitor = Browser(service)
    answer = await visitor.post("/sign-in", {"api_key": member.key or ""})
    assert "no API key that opens the console" in answer.text
    assert (await visitor.get("/find")).status_code == 303


async def test_addresses_can_t_try_for_ever(service: Service) -> None:
    """An address that tries to sign in again and again must wait."""
    guesser = Browser(service, address="127.0.0.9")
    statuses = [(await guesser.post("/sign-in", {"token": guid()})).status_code for _ in range(12)]
    assert statuses[0] == 200
    assert 429 in statuses
    other = Browser(service, address="127.0.0.10")
    assert (await other.post("/sign-in", {"token": guid()})).status_code == 200


async def test_a_trusted_proxy_says_who_comes(database_url: str) -> None:
    """Only what a trusted proxy says about the user counts, and strangers are told to ask."""
    async with open_application(database_url, console_trusted_proxies=LOOPBACK) as found:
        service = await new_tenant(*found)
        await users_of(service).invite(
            "Ada", tenant_id=service.tenant.id, role=Role.READER, email="Ada@gym.example"
        )
        ada = Browser(service, address="127.0.0.1", x_forwarded_email="ada@gym.example")
        assert "Ada" in (await ada.get("/find")).text
        forged = Browser(service, address="10.0.0.7", x_forwarded_email="ada@gym.example")
        assert (await forged.get("/find")).status_code == 303
        eve = Browser(service, address="127.0.0.1", x_forwarded_email="eve@gym.example")
        answer = await eve.get("/find")
        assert answer.status_code == 403
        assert "Ask for an invitation for eve@gym.example." in answer.text


async def test_who_works_for_several_chooses(database_url: str) -> None:
    """A session says for which tenant; another's user can't be chosen, nor one that was revoked."""
    async with open_application(database_url, console_trusted_proxies=LOOPBACK) as found:
        service = await new_tenant(*found)
        other, third = await service.another_tenant(), await service.another_tenant()
        users, ids = users_of(service), []
        for each, role in ((service, Role.READER), (other, Role.MANAGER), (third, Role.READER)):
            email = f"{'ada' if each is not third else 'eve'}@gym.example"
            user, _ = await users.invite("Ada", tenant_id=each.tenant.id, role=role, email=email)
            ids.append(user.id)
        ada = Browser(service, address="127.0.0.1", x_forwarded_email="ada@gym.example")
        assert (await ada.get("/ledger")).headers["location"] == "/console/sign-in?next=%2Fledger"
        shown = (await ada.get("/sign-in?next=%2Fledger")).text
        assert [each in shown for each in ids] == [True, True, False]
        assert "no access there" in (await ada.post("/sign-in", {"user": ids[2]})).text
        chosen = await ada.post("/sign-in", {"user": ids[1], "next": "/ledger"})
        assert chosen.headers["location"] == "/console/ledger"
        assert "Manager" in (await ada.get("/find")).text
        await ada.post("/sign-out")
        await ada.post("/sign-in", {"user": ids[0]})
        assert "Reader" in (await ada.get("/find")).text
        await users.revoke(ids[0], tenant_id=service.tenant.id)
        assert "Manager" in (await ada.get("/find")).text


@pytest.mark.parametrize(
    ("url", "headers", "cookie"),
    [
        ("http://127.0.0.1:8080", {}, "benefits-console="),
        ("http://localhost:8080", {"x_forwarded_proto": "https"}, "__Host-benefits-console="),
        ("https://desk.gym.example", {}, "__Host-benefits-console="),
    ],
)
async def test_cookies_are_for_the_browser_alone(
    service: Service, url: str, headers: dict[str, str], cookie: str
) -> None:
    """The cookie is out of reach of scripts and other sites, and secret except on this machine."""
    visitor = Browser(service, url=url, **headers)
    _, secret = await users_of(service).invite(
        guid(), tenant_id=service.tenant.id, role=Role.READER
    )
    said = (await visitor.post("/sign-in", {"token": secret})).headers["set-cookie"]
    assert said.startswith(cookie)
    assert {"HttpOnly", "Path=/", "SameSite=lax"} <= set(said.split("; "))
    assert ("Secure" in said.split("; ")) == cookie.startswith("__Host-")


async def test_where_secrets_are_not_safe_nobody_signs_in(service: Service) -> None:
    """Over plain http from another machine the link isn't used up, and the page says why."""
    visitor = Browser(service, url="http://desk.gym.example")
    users = users_of(service)
    _, secret = await users.invite(guid(), tenant_id=service.tenant.id, role=Role.READER)
    answer = await visitor.post("/sign-in", {"token": secret}, origin="http://desk.gym.example")
    assert "needs https" in answer.text
    assert await users.invited(secret) is not None


def test_networks_of_proxies_are_checked() -> None:
    """A proxy that is no network stops the start."""
    with pytest.raises(WrongSetting, match="BENEFITS_CONSOLE_TRUSTED_PROXIES"):
        read_settings(environment={"BENEFITS_CONSOLE_TRUSTED_PROXIES": "everybody"})
