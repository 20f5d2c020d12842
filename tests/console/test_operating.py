"""The pages of operators: who changed what, jobs, webhooks, access, settings and health."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING

import pytest

from tests.contract.test_operators import cascade, fail
from tests.support.calls import guid
from tests.support.console import Browser, make_world
from tests.support.lifecycle import run_jobs

if TYPE_CHECKING:
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

ENGINES = ["sqlite"]


async def operator_at(service: Service) -> Browser:
    visitor = Browser(service)
    await visitor.sign_in()
    return visitor


def value_of(html: str, field: str) -> str:
    """What a field of a page holds."""
    found = re.search(rf'<(?:input|textarea)[^>]* id="{field}"[^>]* value="([^"]*)"', html)
    assert found, field
    return unescape(found[1])


async def test_a_change_leads_to_who_did_it_and_whose_it_is(service: Service) -> None:
    """From a transaction's id to its request, its key and the person, and from those to more."""
    world, visitor = await make_world(service), await operator_at(service)
    html = (await visitor.get(f"/audit?entity={world.transaction_id}")).text
    assert html.count("<tr>") == 2, "the heading and the one entry"
    for shown in ("Redeemed", "test</a>", f"/people/member/{world.member_id}", "/audit?request="):
        assert shown in html, shown
    whole = (await visitor.get(f"/audit?entity={world.wallet.program['id']}")).text
    assert ("Sold" in whole, "Redeemed" in whole) == (True, True)
    member = (await visitor.get(f"/audit?member={world.member_id}&from=2020-01-01")).text
    assert "Redeemed" in member
    for nothing in (f"member={world.member_id}&to=2020-01-01", f"entity={guid()}"):
        assert "No change was found." in (await visitor.get(f"/audit?{nothing}")).text
    wrong = await visitor.get("/audit?from=soon")
    assert (wrong.status_code, "from: must be a date" in wrong.text) == (400, True)


async def test_access_is_given_by_a_link_that_is_shown_once(service: Service) -> None:
    """The link signs the colleague in; taken away it ends, and the undo makes a new link."""
    visitor = await operator_at(service)
    new = {"name": "Ada", "role": "FRONT_DESK"}
    link = value_of((await visitor.post("/access", new)).text, "link")
    assert link.startswith("http://127.0.0.1:8080/console/sign-in?token=")
    token = link.partition("token=")[2]
    assert token not in (await visitor.get("/access")).text
    ada = Browser(service)
    await ada.post("/sign-in", {"token": token})
    assert "Front desk" in (await ada.get("/find")).text
    html = (await visitor.get("/access")).text
    (ada_id,) = re.findall(r'name="id" value="([^"]+)"', html)
    assert "That is you" in html
    await visitor.post("/access/revoke", {"id": ada_id})
    assert (await ada.get("/find")).status_code == 303
    html = (await visitor.get("/access")).text
    assert "Ada has no access any more." in html
    assert '<input type="hidden" name="role" value="FRONT_DESK">' in html
    assert "Ada" in (await visitor.get("/access?show=past")).text
    assert value_of((await visitor.post("/access", new)).text, "link")
    refused = await visitor.post("/access", {"name": " ", "role": "READER"})
    assert (refused.status_code, "name:" in refused.text) == (400, True)


async def test_the_audit_names_who_signed_in(service: Service) -> None:
    """What somebody does on a page is told with the name, and found by it."""
    visitor, name = Browser(service), f"Ida {guid()[:8]}"
    owner = await operator_at(service)
    made = (await owner.post("/access", {"name": name, "role": "OPERATOR"})).text
    await visitor.post("/sign-in", {"token": value_of(made, "link").partition("token=")[2]})
    await visitor.post("/access/keys", {"name": "till", "role": "READER"})
    html = (await owner.get("/audit")).text
    (path,) = set(re.findall(rf'href="/console(/audit\?principal=[^"]+)">{name}</a>', html))
    assert "Key made" in (await owner.get(path)).text


async def test_a_key_is_shown_once_and_revoked(service: Service) -> None:
    """The key opens the API until it is revoked; one that isn't a role's shows its scopes."""
    visitor = await operator_at(service)
    made = (await visitor.post("/access/keys", {"name": "till", "role": "MANAGER"})).text
    secret = value_of(made, "secret")
    headers = {"authorization": secret}
    address = "/benefit-programs/v1/settings"
    assert (await service.client.get(address, headers=headers)).status_code == 200
    html = (await visitor.get("/access/keys")).text
    assert (secret in html, "INSTALLATION" in html) == (False, True)
    (key_id,) = re.findall(r'value="([^"]+)"><button[^>]*>Revoke<span class="hidden"> till<', html)
    await visitor.post("/access/keys/revoke", {"id": key_id})
    assert (await service.client.get(address, headers=headers)).status_code == 401
    assert "till" in (await visitor.get("/access/keys?show=past")).text


async def test_settings_are_saved_and_brought_back(service: Service) -> None:
    """Only what differs is saved; the undo restores it; what can't be is told with its field."""
    visitor = await operator_at(service)
    html = (await visitor.get("/settings")).text
    assert value_of(html, "timeZone") == "UTC"
    form = {"timeZone": "Europe/Berlin", "jobRetentionDays": "40", "strictRequests": "yes"}
    await visitor.post("/settings", form)
    html = (await visitor.get("/settings")).text
    assert (value_of(html, "timeZone"), value_of(html, "jobRetentionDays")) == (
        "Europe/Berlin",
        "40",
    )
    assert re.search(r'id="strictRequests"[^>]* checked', html)
    notice = html.partition('id="notice"')[2]
    undo = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', notice)[1:4])
    assert undo == {"timeZone": "UTC", "jobRetentionDays": "30", "strictRequests": "no"}
    await visitor.post("/settings", undo)
    assert value_of((await visitor.get("/settings")).text, "timeZone") == "UTC"
    await visitor.post("/settings", undo)
    assert "Nothing was changed." in (await visitor.get("/settings")).text
    for field, wrong in (("timeZone", "Atlantis"), ("auditRetentionDays", "many")):
        refused = await visitor.post("/settings", {field: wrong})
        assert (refused.status_code, field in refused.text) == (400, True), field


async def test_a_failed_job_says_why_and_goes_on(idle_service: Service) -> None:
    """The list has the reason with a button beside it: two clicks from anywhere."""
    job_id = await cascade(idle_service)
    await fail(idle_service, job_id)
    visitor = await operator_at(idle_service)
    assert "1 job has failed" in (await visitor.get("/health")).text
    html = (await visitor.get("/jobs?show=failed")).text
    assert '<p class="problem">' in html
    assert f'action="/console/jobs/{job_id}/retry"' in html
    done = await visitor.post(f"/jobs/{job_id}/retry", {"key": guid()})
    assert done.headers["location"] == f"/console/jobs/{job_id}"
    await run_jobs(idle_service)
    html = (await visitor.get(f"/jobs/{job_id}")).text
    assert ">done</span>" in html
    again = await visitor.post(f"/jobs/{job_id}/cancel", {"key": guid()})
    assert again.status_code == 428
    assert "There are no such jobs." in (await visitor.get("/jobs?show=failed")).text


async def test_webhooks_are_added_tested_and_switched(service: Service) -> None:
    """The secret is shown once, a test that fails says why, and a switch has its undo."""
    visitor = await operator_at(service)
    made = (await visitor.post("/webhooks", {"url": "http://127.0.0.1:9/hooks"})).text
    assert value_of(made, "secret").startswith("whsec_")
    (path,) = re.findall(r'href="/console(/webhooks/[^"]+)">http://127.0.0.1:9/hooks<', made)
    await visitor.post(f"{path}/test")
    assert "The test was not taken" in (await visitor.get(path)).text
    await visitor.post(f"{path}/switch", {"active": "no"})
    html = (await visitor.get(path)).text
    assert "It is told of nothing more." in html
    assert '<input type="hidden" name="active" value="yes">' in html
    assert "There are no such deliveries." in html
    refused = await visitor.post("/webhooks", {"url": "ftp://shop.example"})
    assert (refused.status_code, "url" in refused.text) == (400, True)
    missing = await visitor.post(f"{path}/resend", {"delivery": guid()})
    assert missing.status_code == 404
