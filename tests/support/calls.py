"""Calls of the contract's methods over HTTP, each answer checked against its declared type."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx

from benefit_programs.api.method import Method
from benefit_programs.api.methods import METHODS
from tests.support.answers import require_answer, require_error

Document = dict[str, Any]

NAMESPACE = "gym"
PAGES_MAX = 1_000


def guid() -> str:
    return str(uuid4())


def details(*benefits: Document, amount: str | None = "100", **more: Any) -> Document:
    """Details of a pool definition; without benefits it has one, at the price of 10."""
    credit = {} if amount is None else {"creditConfiguration": {"amount": amount}}
    return {"benefits": list(benefits) or [benefit("towel")], **credit, **more}


def benefit(key: str, *, price: str = "10", **more: Any) -> Document:
    """A benefit of a provider app that nobody else has."""
    return {"benefitKey": key, "price": price, "providerAppId": guid(), **more}


class Refused(Exception):
    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.status = response.status_code
        self.body: Document = response.json()
        application_error = self.body["details"].get("applicationError", {})
        self.code: str | None = application_error.get("code")
        self.data: Document = application_error.get("data", {})
        validation_error = self.body["details"].get("validationError", {})
        self.violations: list[Document] = validation_error.get("fieldViolations", [])
        super().__init__(f"{self.status} {response.text}")

    @property
    def fields(self) -> dict[str, str]:
        """The rule that each field breaks."""
        return {each["field"]: each["violatedRule"] for each in self.violations}


class Caller:
    """Somebody with a key."""

    def __init__(self, client: httpx.AsyncClient, key: str | None) -> None:
        self.client = client
        self.key = key

    async def call(
        self, name: str, document: Document | None = None, **headers: str
    ) -> dict[str, Any]:
        """Call a method of the contract and return its answer. Raises Refused.

        The document is the whole request: its path's fields and, for GET and DELETE, its query
        parameters are taken from it. Headers are named with underscores.
        """
        response = await self.send(name, document, **headers)
        if response.status_code != httpx.codes.OK:
            raise Refused(response)
        answer: dict[str, Any] = response.json()
        require_answer(METHODS[name].response, answer)
        return answer

    async def refusal(self, name: str, document: Document | None = None, **headers: str) -> Refused:
        """Call a method that must answer with an error, and return the error."""
        response = await self.send(name, document, **headers)
        assert response.status_code != httpx.codes.OK, f"{name} was not refused: {response.text}"
        return Refused(response)

    async def send(
        self, name: str, document: Document | None = None, **headers: str
    ) -> httpx.Response:
        """Call a method, whatever it answers."""
        method, document = METHODS[name], document or {}
        path = _path(method, document)
        if method.request_in == "query":
            return await self.request(
                method.verb, path, params=_parameters(document), headers=_named(headers)
            )
        return await self.request(method.verb, path, json=document, headers=_named(headers))

    async def request(
        self, verb: str, path: str, *, headers: dict[str, str] | None = None, **options: Any
    ) -> httpx.Response:
        """Send any request; what belongs to every answer is checked."""
        own = {} if self.key is None else {"authorization": self.key}
        response = await self.client.request(verb, path, headers=own | (headers or {}), **options)
        require_envelope(response)
        return response

    async def pages(self, name: str, query: Document | None = None) -> list[list[Document]]:
        """All pages of a query, forwards; what a page says about itself is checked."""
        limit = (query or {}).get("cursorPaging", {}).get("limit")
        pages: list[list[Document]] = []
        asked = query or {}
        for _ in range(PAGES_MAX):
            rows, metadata = page_of(await self.call(name, {"query": asked}))
            pages.append(rows)
            cursors = metadata["cursors"]
            assert metadata["count"] == len(rows)
            assert metadata["hasNext"] == ("next" in cursors)
            assert ("prev" in cursors) == (len(pages) > 1 and bool(rows))
            if not metadata["hasNext"]:
                return pages
            asked = {"cursorPaging": {"limit": limit, "cursor": cursors["next"]}}
        raise AssertionError("the pages don't end")

    async def create_program_definition(self, **fields: Any) -> dict[str, Any]:
        """Make a program definition; what isn't said is made up."""
        new = {"namespace": NAMESPACE, "externalId": guid(), **fields}
        answer = await self.call("createProgramDefinition", {"programDefinition": new})
        return answer["programDefinition"]  # type: ignore[no-any-return]

    async def create_pool_definition(self, **fields: Any) -> dict[str, Any]:
        """Make a pool definition; what isn't said is made up."""
        new = {"namespace": NAMESPACE, "details": details(), **fields}
        request = {"poolDefinition": new, "cascade": "FUTURE_PROVISIONS"}
        answer = await self.call("createPoolDefinition", request)
        return answer["poolDefinition"]  # type: ignore[no-any-return]

    async def provision(
        self,
        *,
        program_definition: Document | None = None,
        pool_definition: Document | None = None,
        **fields: Any,
    ) -> dict[str, Any]:
        """Provision a program from a definition; the answer has the job and the program."""
        lookup = (
            {"programDefinitionId": program_definition["id"]}
            if program_definition is not None
            else {"poolDefinitionId": (pool_definition or {}).get("id")}
        )
        request = {
            "poolDefinitionLookupId": lookup,
            "beneficiary": {"memberId": guid()},
            "namespace": NAMESPACE,
            "externalProgramId": guid(),
            **fields,
        }
        return await self.call("provisionProgram", request)

    async def pools_of(self, program_id: str) -> list[dict[str, Any]]:
        """The pools of a program, oldest first."""
        query = {
            "filter": {"programId": program_id},
            "sort": [{"fieldName": "createdDate", "order": "ASC"}],
        }
        return (await self.call("queryPools", {"query": query}))["pools"]  # type: ignore[no-any-return]


def page_of(answer: Document) -> tuple[list[Document], Document]:
    """The rows of a query's answer, whatever they are called, and its metadata."""
    metadata = answer["metadata"]
    (rows,) = (value for name, value in answer.items() if name != "metadata")
    return rows, metadata


def require_envelope(response: httpx.Response) -> None:
    """Fail unless an answer has the headers and, if it is an error, the body of every answer."""
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-request-id"] == response.headers["x-wix-request-id"]
    assert response.status_code not in {201, 202, 204}
    if response.status_code != httpx.codes.OK:
        require_error(response.json())


def _path(method: Method, document: Document) -> str:
    path = method.path
    for dotted in method.path_parameters:
        value: Any = document
        for name in dotted.split("."):
            value = value[name]
        path = path.replace("{" + dotted + "}", quote(value, safe=""))
    return path


def _parameters(document: Document, prefix: str = "") -> list[tuple[str, str]]:
    """Nested keys are dotted, lists repeat the key."""
    pairs: list[tuple[str, str]] = []
    for name, value in document.items():
        if isinstance(value, dict):
            pairs += _parameters(value, f"{prefix}{name}.")
        elif isinstance(value, list):
            pairs += [(prefix + name, str(each)) for each in value]
        else:
            pairs.append((prefix + name, str(value)))
    return pairs


def _named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
