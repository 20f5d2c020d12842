"""The links of the OpenAPI document: what an answer tells is what the next request takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from benefit_programs.api.methods import METHODS
from benefit_programs.api.openapi import openapi_document
from benefit_programs.wire.codec.naming import to_one_word
from tests.conformance.world import REQUESTS, World, settle
from tests.support.calls import guid

if TYPE_CHECKING:
    from tests.support.inprocess import Service

ENGINES = ["sqlite"]

OPERATIONS = {
    operation["operationId"]: operation
    for verbs in openapi_document()["paths"].values()
    for operation in verbs.values()
}


class Link(NamedTuple):
    source: str
    target: str
    said: dict[str, Any]


LINKS = [
    Link(source, link["operationId"], link)
    for source, operation in OPERATIONS.items()
    for link in operation["responses"]["200"].get("links", {}).values()
]
every_link = pytest.mark.parametrize("link", LINKS, ids=lambda each: f"{each.source}-{each.target}")

NEW_NAMES: dict[str, tuple[str, ...]] = {
    "createProgramDefinition": ("programDefinition", "externalId"),
    "provisionProgram": ("externalProgramId",),
    "createItem": ("item", "externalId"),
    "addItemsToBenefit": ("itemReferences", "0", "externalId"),
}
"""What must be unique in a tenant, and so can't be what the world has."""

ELSEWHERE: dict[str, tuple[str, ...]] = {
    "addPoolDefinitionToProgramDefinition": ("programDefinitionId",),
}
"""What must be another than the one that the answer is about."""


async def request_of(service: Service, world: World, name: str) -> dict[str, Any]:
    """A request that succeeds in the world."""
    request = REQUESTS[name](world)
    if name in NEW_NAMES:
        put(request, NEW_NAMES[name], guid())
    if name in ELSEWHERE:
        put(request, ELSEWHERE[name], (await service.create_program_definition())["id"])
    return request


def put(document: Any, steps: tuple[str, ...], value: Any) -> None:
    *outer, last = steps
    for step in outer:
        document = document[int(step)] if isinstance(document, list) else document[step]
    document[last] = value


def merge(document: dict[str, Any], more: dict[str, Any]) -> None:
    for name, value in more.items():
        if isinstance(value, dict) and isinstance(document.get(name), dict):
            merge(document[name], value)
        else:
            document[name] = value


def evaluate(expression: Any, request: Any, answer: Any) -> Any:
    """What an expression stands for, in whatever it stands."""
    if isinstance(expression, dict):
        return {name: evaluate(inner, request, answer) for name, inner in expression.items()}
    if isinstance(expression, list):
        return [evaluate(inner, request, answer) for inner in expression]
    place, _, pointer = expression.partition("#/")
    value = {"$request.body": request, "$response.body": answer}[place]
    for step in pointer.split("/"):
        value = value[int(step)] if isinstance(value, list) else value[step]
    return value


@every_link
@pytest.mark.anyio
async def test_links_can_be_followed(service: Service, link: Link) -> None:
    """A request of the caller's own with what a link puts into it is answered with success."""
    world = await settle(service)
    if link.source == "resumeProgram":
        await service.call("pauseProgram", REQUESTS["pauseProgram"](world))
    request = await request_of(service, world, link.source)
    answer = await service.call(link.source, request)
    following = await request_of(service, world, link.target)
    if link.target == "provisionProgram":
        following["poolDefinitionLookupId"] = {}
    dotted = {to_one_word(name): name for name in METHODS[link.target].path_parameters}
    for name, expression in link.said.get("parameters", {}).items():
        steps = dotted.get(name, name).split(".")
        merge(following, nested(steps, evaluate(expression, request, answer)))
    merge(following, evaluate(link.said.get("requestBody", {}), request, answer))
    await service.call(link.target, following)


def nested(names: list[str], value: Any) -> dict[str, Any]:
    first, *others = names
    return {first: nested(others, value) if others else value}


@every_link
def test_parameters_of_links_are_the_targets(link: Link) -> None:
    """What a link sets beside a body are parameters of the method that it leads to."""
    parameters = {each.get("name") for each in OPERATIONS[link.target]["parameters"]}
    assert link.said.get("parameters", {}).keys() <= parameters
    assert ("requestBody" in link.said) <= (METHODS[link.target].request_in == "body")


def test_whatever_is_made_leads_on() -> None:
    """Each method that makes something is linked to those that read, change and remove it."""
    made = {
        "createProgramDefinition": {"get", "update", "delete"},
        "createPoolDefinition": {"get", "update", "delete"},
        "createItem": {"get", "update", "delete"},
        "provisionProgram": {"get", "update", "pause", "renew", "end"},
    }
    for name, verbs in made.items():
        entity = name.removeprefix("create").removeprefix("provision")
        targets = {link.target for link in LINKS if link.source == name}
        assert {verb + entity for verb in verbs} <= targets
