"""What the OpenAPI document promises, tried with requests that are made up from it."""

from __future__ import annotations

import re
from copy import deepcopy
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from benefit_programs.api.handlers import HANDLERS
from benefit_programs.api.openapi import openapi_document
from tests.conformance.world import World, settle
from tests.support.databases import run_apart
from tests.support.service import Server

PARAMETER_LENGTH_MAX = 2_000
"""Longer parameters are allowed, but an HTTP server takes no address of any length."""

CHECKS = [
    not_a_server_error,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
]

short = settings(
    max_examples=6,
    derandomize=True,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
long = settings(short, max_examples=60)


def document_of_served_methods() -> dict[str, Any]:
    """The OpenAPI document of what this version serves, with parameters of common lengths."""
    document = deepcopy(openapi_document())
    document["paths"] = {plain(path): verbs for path, verbs in document["paths"].items()}
    for verbs in document["paths"].values():
        for verb, operation in list(verbs.items()):
            if operation["operationId"] not in HANDLERS:
                del verbs[verb]
            for parameter in operation["parameters"]:
                if parameter.get("in") == "path":
                    parameter["name"] = plain(parameter["name"])
                if parameter.get("in") == "query" and "maxLength" in parameter["schema"]:
                    parameter["schema"]["maxLength"] = PARAMETER_LENGTH_MAX
    return document


def plain(name: str) -> str:
    """A name of a parameter, or a path with it, without the dot that the tool can't do with."""
    return re.sub(r"(\w)\.(\w)", r"\1_\2", name)


schema = schemathesis.openapi.from_dict(document_of_served_methods())


class Known:
    """A tenant of the server, and ids of what it has."""

    def __init__(self, server: Server) -> None:
        self.url, self.key = server.url, server.make_key()
        self._world: World = run_apart(self._settle(server))

    async def _settle(self, server: Server) -> World:
        async with server.connect(self.key) as caller:
            return await settle(caller)

    def put_into(self, case: schemathesis.Case) -> None:
        """Put ids of what there is in the place of some that were made up."""
        for part in (case.path_parameters, case.query, case.body):
            self._fill(part)
        if isinstance(case.body, dict):
            for name in case.path_parameters or {}:
                owner = name.partition("_")[0]
                if isinstance(case.body.get(owner), dict):
                    case.body[owner].pop("id", None)
                case.body.pop(name, None)

    def _fill(self, value: Any) -> None:
        for name, inner in value.items() if isinstance(value, dict) else ():
            known = self._ids.get(name)
            if known is not None and isinstance(inner, str) and is_chosen(inner):
                value[name] = known
            self._fill(inner)
        for inner in value if isinstance(value, list) else ():
            self._fill(inner)

    @property
    def _ids(self) -> dict[str, str]:
        world = self._world
        return {
            "programDefinition_id": world.program_definition,
            "programDefinitionId": world.program_definition,
            "poolDefinition_id": world.pool_definition,
            "poolDefinitionId": world.pool_definition,
            "program_id": world.program,
            "programId": world.program,
            "pool_id": world.pool,
            "poolId": world.pool,
            "item_id": world.item,
            "itemId": world.item,
            "itemSetId": world.item_set,
            "externalId": world.item_external,
            "providerAppId": world.app,
            "memberId": world.member,
            "transactionId": world.redemption,
            "jobId": world.job,
            "benefitKey": "towel",
            "namespace": "gym",
            "revision": "1",
        }


def is_chosen(made_up: str) -> bool:
    """Three of four made-up values; the same ones in every run."""
    return sum(made_up.encode("utf-8", "surrogatepass")) % 4 > 0


@pytest.fixture(scope="module")
def lasting(server: Server) -> Known:
    return Known(server)


@pytest.fixture
def known(request: pytest.FixtureRequest, server: Server, lasting: Known) -> Known:
    """What most methods leave as it is can be shared by them."""
    name = request.node.name.lower()
    return Known(server) if "delete" in name or "programs/end" in name else lasting


def try_out(case: schemathesis.Case, known: Known) -> None:
    known.put_into(case)
    headers = {"authorization": known.key}
    case.call_and_validate(base_url=known.url, headers=headers, checks=CHECKS)


@schema.parametrize()
@short
def test_made_up_requests(case: schemathesis.Case, known: Known) -> None:
    """Whatever is sent, the answer is one that the document names, and no failure of ours."""
    try_out(case, known)


@pytest.mark.full
@pytest.mark.timeout(1200)
@schema.parametrize()
@long
def test_many_made_up_requests(case: schemathesis.Case, known: Known) -> None:
    """The same with many more requests."""
    try_out(case, known)
