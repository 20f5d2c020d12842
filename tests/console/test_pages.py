"""What pages are made of: escaped texts, nothing that runs in them, and files as published."""

from __future__ import annotations

import gzip
import hashlib
import re
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from jinja2 import UndefinedError

from benefit_programs.console import formats, rendering
from benefit_programs.console.flashes import Flashes
from benefit_programs.console.forms import read_form
from benefit_programs.console.languages import LANGUAGE, language
from benefit_programs.console.page import Done
from benefit_programs.console.rendering import TEMPLATES
from benefit_programs.console.static_files import FOLDER, static_file
from benefit_programs.console.visit import VISIT, Fields, Visit
from benefit_programs.console.words import STATES
from benefit_programs.domain.directory import Role
from benefit_programs.domain.errors import Invalid
from tests.support.console import FROM_HERE, MARKUP, Browser, make_world

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.inprocess import Service

STYLE_BYTES_MAX = 5_000
"""How large the style sheet may be as it is sent: compressed, without its comments."""

PUBLISHED = {
    "htmx-4.0.1.min.js": "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130",
    "hx-csp-4.0.1.min.js": "a7e1e6711ae6c3e50ad300fba7936cbe8d07599cdae313414a179ddd6b26e143",
}
"""The files of htmx, with the hashes of the package that has them (Zero-Clause BSD)."""

RUNS = re.compile(
    r"<style|\sstyle=|\son\w+\s*=\s*[\"']|\shx-on|javascript:|js:|<script(?![^>]*\ssrc=)",
    re.IGNORECASE,
)
"""What would run or be drawn from within a page."""


def test_htmx_is_as_published() -> None:
    """The files of htmx are those of its package, version by version."""
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in FOLDER.glob("*.min.js")
    }
    assert found == PUBLISHED
    assert "Zero-Clause BSD" in (FOLDER / "htmx-LICENSE.txt").read_text("utf-8")


@pytest.mark.parametrize("name", ["../page.py", "..%2fpage.py", "htmx-LICENSE.txt", "nothing.css"])
def test_other_files_are_not_served(name: str) -> None:
    """Only style, script and pictures of the one folder are served."""
    assert static_file(name) is None


def test_templates_run_nothing() -> None:
    """No template has script, style or htmx's code in it, nor turns escaping off."""
    for path in TEMPLATES.rglob("*.html"):
        text = path.read_text("utf-8")
        assert RUNS.findall(text) == [], path.name
        assert not re.search(r"\|\s*safe|autoescape", text), path.name


def test_the_style_has_what_pages_use() -> None:
    """Each class of the style sheet is that of some page, and the file stays small."""
    style = re.sub(r"/\*.*?\*/", "", (FOLDER / "console.css").read_text("utf-8"), flags=re.DOTALL)
    styled = set(re.findall(r"\.([a-z][\w-]*)", re.sub(r"\{[^{}]*\}", "", style)))
    sources = (*TEMPLATES.rglob("*.html"), *TEMPLATES.parent.rglob("*.py"))
    words = set(re.findall(r"[\w-]+", " ".join(each.read_text("utf-8") for each in sources)))
    states = {each.lower() for each in STATES} | {"l1", "l2", "l3", "l4", "htmx-request"}
    assert styled - words - states == set()
    assert len(gzip.compress(style.encode())) <= STYLE_BYTES_MAX


@pytest.mark.anyio
async def test_texts_of_callers_stay_texts(service: Service) -> None:
    """Markup in a name is shown as it was written, and nothing on any page runs."""
    pages = await (await make_world(service)).walk()
    for path, html in pages.items():
        assert RUNS.findall(re.sub(r"<script[^>]*\ssrc=[^>]*>", "", html)) == [], path
        assert "<b onclick" not in html, path
        assert html.count("hx-nonce") == 1, path
    assert "&lt;b onclick=" in pages["/people/{kind}/{id}"]


@pytest.mark.anyio
async def test_answers_say_what_browsers_may_do(service: Service) -> None:
    """Every page has the policy with its own nonce, and is kept by nobody."""
    visitor = Browser(service)
    nonces = set()
    for path in ("/sign-in", "/find", "/nowhere"):
        headers = (await visitor.get(path)).headers
        policy = headers["content-security-policy"]
        nonces.add(re.findall(r"'nonce-([\w-]{24})'", policy)[0])
        assert re.sub(r"nonce-[\w-]+", "nonce", policy) == (
            "default-src 'none'; script-src 'self' 'nonce'; style-src 'self'; img-src 'self' "
            "data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors "
            "'none'; require-trusted-types-for 'script'; trusted-types htmx"
        )
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
    assert len(nonces) == 3


@pytest.mark.anyio
async def test_files_are_kept_for_ever(service: Service) -> None:
    """Every file that a page loads is there, and its address changes with its content."""
    visitor = Browser(service)
    html = (await visitor.get("/sign-in")).text
    loaded = re.findall(r'(?:src|href)="(/console/static/[^"]+)"', html)
    assert len(loaded) >= 5
    for address in loaded:
        answer = await visitor.client.get(address)
        assert answer.status_code == httpx.codes.OK
        assert "immutable" in answer.headers["cache-control"]
        assert re.search(r"\?v=[0-9a-f]{12}$", address)


@pytest.mark.anyio
async def test_another_tenant_s_ids_find_nothing(service: Service) -> None:
    """Ids of another tenant find nobody, and no page shows what is theirs."""
    theirs = await make_world(await service.another_tenant())
    visitor = Browser(service)
    await visitor.sign_in()
    for text in (theirs.member_id, theirs.transaction_id, theirs.wallet.pool_id):
        answer = await visitor.get(f"/find?q={text}")
        assert (answer.status_code, "Nothing was found" in answer.text) == (200, True)
    person = await visitor.get(f"/people/member/{theirs.member_id}")
    assert "There is nothing to use now." in person.text


@pytest.mark.anyio
async def test_anything_of_somebody_s_finds_the_person(service: Service) -> None:
    """A member's id, a program, an order, a pack and an entry of the ledger lead to the person."""
    world = await make_world(service)
    visitor = Browser(service)
    await visitor.sign_in(Role.READER)
    program = world.wallet.program
    ids = (world.member_id, program["id"], MARKUP, world.wallet.pool_id, world.transaction_id)
    for text in ids:
        answer = await visitor.get("/find", params={"q": text})
        assert answer.headers.get("location") == f"/console/people/member/{world.member_id}", text


@pytest.mark.anyio
async def test_a_person_shows_what_is_left_and_why(service: Service) -> None:
    """The balance is the API's, and each entry of the ledger has what was left after it."""
    world = await make_world(service)
    visitor = Browser(service)
    await visitor.sign_in(Role.FRONT_DESK)
    html = (await visitor.get(f"/people/member/{world.member_id}")).text
    assert "<strong>1,235</strong>" in html
    for linked in (f"/programs/{world.wallet.program['id']}", f"/pools/{world.wallet.pool_id}"):
        assert f'href="/console{linked}"' in html
    after = re.findall(r'class="number"><strong>([\d,.]+)</strong>', html)
    assert after == ["1,235", "1,234.5", "1,244.5"]


@pytest.mark.anyio
async def test_problems_are_told_in_words(service: Service) -> None:
    """A page that there isn't has words, the request's id, and a way on."""
    visitor = Browser(service)
    await visitor.sign_in()
    answer = await visitor.get("/nowhere", headers={"x-request-id": "desk-7"})
    assert answer.status_code == 404
    assert "There is no such page." in answer.text
    assert "<code>desk-7</code>" in answer.text
    assert 'href="/console/find" data-key="f"' in answer.text
    assert answer.headers["x-request-id"] == "desk-7"
    assert (await visitor.client.put("/console/find", headers=FROM_HERE)).status_code == 405


@pytest.mark.anyio
async def test_addresses_stay_below_a_proxy_s_path(service: Service) -> None:
    """Where a proxy has put the service below a path, links and redirections go there."""
    visitor = Browser(service, x_forwarded_prefix="/benefits/")
    answer = await visitor.get("/find")
    assert answer.headers["location"] == "/benefits/console/sign-in"
    assert 'action="/benefits/console/sign-in"' in (await visitor.get("/sign-in")).text
    odd = Browser(service, x_forwarded_prefix="//evil.example")
    assert (await odd.get("/find")).headers["location"] == "/console/sign-in"


@pytest.mark.anyio
@pytest.mark.usefixtures("own_pages")
async def test_a_change_is_told_once_and_can_be_undone(service: Service) -> None:
    """The next page says what was done with a form that undoes it, the page after that doesn't."""
    visitor = Browser(service)
    await visitor.sign_in()
    answer = await visitor.post("/test/do", {"what": MARKUP})
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/find")
    html = (await visitor.get("/find")).text
    assert "Did &lt;b onclick" in html
    assert '<form method="post" action="/console/test/undo">' in html
    assert '<input type="hidden" name="a" value="1">' in html
    notice = html.partition('id="notice"')[2]
    assert len(re.findall(r'name="key" value="[0-9a-f-]{36}"', notice)) == 1
    assert "Did" not in (await visitor.get("/find")).text


@pytest.mark.anyio
@pytest.mark.usefixtures("own_pages")
async def test_a_refused_change_is_told_in_its_form(service: Service) -> None:
    """Without script a refusal is a page; htmx is told to show it in the form that was sent."""
    visitor = Browser(service)
    await visitor.sign_in()
    plain = await visitor.post("/test/undo", {"key": "k-1"})
    assert (plain.status_code, "lots" in plain.text) == (428, True)
    said: dict[str, Any] = {"sec_fetch_site": "same-origin", "hx_request": "true"}
    headers = (await visitor.post("/test/undo", {"key": "k-1"}, **said)).headers
    assert headers["hx-retarget"] == "#problem-k-1"
    assert headers["hx-reselect"] == "#problem"
    assert headers["hx-push-url"] == "false"


def test_fields_are_read_as_people_write_them() -> None:
    """Amounts may have a comma, dates are those of the zone, and what is missing is refused."""
    zone = ZoneInfo("Europe/Berlin")
    form = Fields(a="1,5", b=" 1 000 ", day="2026-12-01", at="2026-07-01T10:30", no="soon", none="")
    assert (form.amount("a"), form.amount("b")) == ("1.5", "1000")
    assert form.instant("day", zone) == "2026-11-30T23:00:00Z"
    assert form.instant("at", zone) == "2026-07-01T08:30:00Z"
    assert form.instant("none", zone) is form.instant("missing", zone) is None
    with pytest.raises(Invalid):
        form.instant("no", zone)
    with pytest.raises(Invalid):
        form.amount("missing")


def test_only_the_service_writes_what_was_done() -> None:
    """A cookie of another session, or one that was made up, says nothing."""
    flashes = Flashes(b"secret" * 6)
    cookie = flashes.write(Done("/find", "Done."), "ada")
    assert flashes.read(cookie, "ada") == {"said": "Done.", "undo": None}
    assert flashes.read(cookie, "eve") == {}
    assert Flashes(b"another" * 6).read(cookie, "ada") == {}
    for made_up in (None, "", "no base64", cookie[:-4]):
        assert flashes.read(made_up, "ada") == {}


def test_forms_come_in_two_ways() -> None:
    """Fields are read from both kinds of forms, files as their text."""
    body = (
        b'--x\r\ncontent-disposition: form-data; name="key"\r\n\r\n7\r\n'
        b'--x\r\ncontent-disposition: form-data; name="file"; filename="a.csv"\r\n'
        b"content-type: text/csv\r\n\r\nid,name\n1,\xc3\x84da\n\r\n--x--\r\n"
    )
    assert read_form(None, b"a=1&b=%C3%A4&a=2&c=") == {"a": "2", "b": "ä", "c": ""}
    found = read_form("multipart/form-data; boundary=x", body)
    assert found == {"key": "7", "file": "id,name\n1,Äda\n"}
    with pytest.raises(Invalid):
        read_form(None, b"\xff")


@pytest.fixture
def drawn() -> Iterator[Callable[..., str]]:
    """Draws a part of a page."""
    visit = Visit(
        page=None,
        visitor=None,
        prefix="/desk",
        request_id="",
        nonce="",
        address="",
        origin="",
        is_secure=True,
        query=Fields(),
        call_method=None,  # type: ignore[arg-type]
        gate=None,  # type: ignore[arg-type]
    )
    token = VISIT.set(visit)
    yield (
        lambda text, **shown: (
            rendering._environment()
            .from_string(f'{{% import "parts.html" as parts %}}{text}')
            .render(**shown)
        )
    )
    VISIT.reset(token)


def test_lists_go_on_while_there_is_more(drawn: Callable[..., str]) -> None:
    """A list links to its next page, with what was asked; the last page has no link."""
    text = '{{ parts.pager(answer.metadata, "/ledger", q="a b") }}'
    more = {"metadata": {"cursors": {"next": "c+1"}, "hasNext": True}}
    assert 'href="/desk/console/ledger?cursor=c%2B1&amp;q=a+b"' in drawn(text, answer=more)
    for last in ({"metadata": {"cursors": {}}}, {}):
        assert drawn(text, answer=last).strip() == ""


def test_names_that_nobody_gave_are_mistakes(drawn: Callable[..., str]) -> None:
    """A field that an answer leaves out is empty; a template's own slip fails."""
    assert drawn("{{ pool.a.b }}{% if pool.c %}x{% endif %}", pool={}) == ""
    for slip in ("{{ pol }}", "{% if pol %}x{% endif %}", "{{ pol.id }}"):
        with pytest.raises(UndefinedError):
            drawn(slip)


@pytest.mark.parametrize(
    ("tag", "amount", "text"),
    [
        ("en", "1234567.25", "1,234,567.25"),
        ("de", "1234567.25", "1.234.567,25"),
        ("en", "-10", "\N{MINUS SIGN}10"),
        ("en", "0.0001", "0.0001"),
        ("en", None, "0"),
    ],
)
def test_credits_are_exact(tag: str, amount: str | None, text: str) -> None:
    """Amounts are shown whole, with the marks of the language."""
    token = LANGUAGE.set(language(tag))
    shown = formats.credits_text(amount)
    LANGUAGE.reset(token)
    assert shown == text
