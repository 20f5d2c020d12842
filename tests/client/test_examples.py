"""The examples run against a real service."""

from __future__ import annotations

from uuid import uuid4

import httpx

from benefit_programs.client import BenefitPrograms, Member, PeopleProvider, ProvidedPerson
from tests.support.examples import free_port, serving
from tests.support.gym import Gym

ENGINES = ["sqlite"]


def test_webhooks_are_received(http_client: BenefitPrograms) -> None:
    """The receiver acts on what the service has delivered, and refuses what others send."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    gym = Gym(http_client)
    hook = http_client.webhooks.create(url, namespaces=[gym.namespace])
    with serving("receive_webhooks", port, WEBHOOK_SECRET=hook.secret) as receiver:
        program, pool = gym.provision()
        gym.redeem(pool)
        assert receiver.stdout is not None
        assert receiver.stdout.readline() == f"deliver towel-1 to {program.beneficiary.id}\n"
        assert httpx.post(url, content=b"{}").status_code == 401
        assert http_client.webhooks.test(hook.webhook_endpoint.id).attempt.status_code == 204
    http_client.webhooks.delete(hook.webhook_endpoint.id)


def test_people_are_provided(http_client: BenefitPrograms) -> None:
    """The provider finds people by words and by ids, and answers nobody but the service."""
    port, secret = free_port(), "a-secret-of-at-least-16-characters"
    url = f"http://127.0.0.1:{port}/"
    ada = Member("5e6c2f1a-7b3d-4c8e-9f10-2a4b6c8d0e11")
    with serving("provide_people", port, PROVIDER_SECRET=secret):
        set_to = PeopleProvider(url=url, secret=secret)
        assert http_client.settings.update(people_provider=set_to).people_provider == (
            PeopleProvider(url=url)
        )
        try:
            known = ProvidedPerson(
                beneficiary=ada,
                display_name="Ada Lovelace",
                email="ada@example.com",
                phone="+49 30 1234567",
            )
            assert http_client.people.find("LOV ada@", limit=5).provided == (known,)
            found = http_client.people.look_up([ada, Member(str(uuid4()))])
            assert (found.provided, found.provider_problem) == ((known,), None)
            assert found.names() == {ada: "Ada Lovelace"}
            assert http_client.people.look_up([ada], directory_only=True).provided == ()
            assert httpx.post(url, json={"beneficiaries": []}).status_code == 401
        finally:
            http_client.settings.update(people_provider=None)
