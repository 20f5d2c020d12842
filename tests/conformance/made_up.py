"""Requests that are made up from the OpenAPI document, and what their answers must be."""

from __future__ import annotations

import re
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.config import SchemathesisConfig

from benefit_programs.api.methods import METHODS
from benefit_programs.api.openapi import openapi_document
from tests.conformance.world import World, settle
from tests.support.databases import run_apart
from tests.support.service import Server

if TYPE_CHECKING:
    from schemathesis.checks import CheckContext, CheckFunction
    from schemathesis.core.transport import Response

CONFIG = {
    # What is sent beside it has the key; and no text of the contract holds NUL.
    "generation": {"with-security-parameters": False, "allow-x00": False},
    "phases": {
        "stateful": {"generation": {"mode": "positive"}, "inference": {"algorithms": []}},
    },
}

short = settings(
    max_examples=3,
    derandomize=True,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
# The explicit phase goes through every edge of every field, and through verbs and headers.
long = settings(short, max_examples=40, phases=[Phase.explicit, Phase.generate])
stateful = settings(short, max_examples=250, stateful_step_count=14)


schema = schemathesis.openapi.from_dict(
    deepcopy(openapi_document()), config=SchemathesisConfig.from_dict(CONFIG)
)
load_all_checks()

BULK = {name for name, method in METHODS.items() if method.bulk_field}

BEYOND_A_SCHEMA = {"OTHER", "VALIDATION", "FIELD_NOT_ALLOWED"}
"""Rules that no schema can state: about the meaning of a value, or about several fields."""

ALSO_BEYOND = (
    # Only the service makes them, or knows what they may hold.
    ("FORMAT", r".*[cC]ursor"),
    (".*", r"(query\.)?filter(\..*)?"),
    # Printable is what Unicode says, and an object in a parameter is text to a schema.
    ("FORMAT", r".*external\w*Id", "PRINTABLE_STRING"),
    ("FORMAT", r"filter\..*filters\[\d+\]"),
    # What people are told by, and what finds them.
    ("FORMAT", r".*", "LINE|EMAIL|PHONE|TEXT|WORDS"),
    ("MAX_SIZE", "text"),
    # Sizes in bytes, and the last digits of what 64 bits hold.
    ("MAX_LENGTH", r".*(additionalData|namespaces|schema)"),
    ("DECIMAL_LTE|FORMAT", r".*", "INT64"),
    ("DECIMAL_LTE", r".*"),
    ("DECIMAL_GTE", r"adjustOptions\.(upperLimit|lowerLimit)"),
    # How long a duration is, in whatever units.
    ("MIN|MAX", r".*([eE]xpiresAfter|endsAfter|every|advance)"),
    # A provider keeps its secret, so that only a new one needs it.
    ("REQUIRED_FIELD", r"settings\.policyProviders\[\d+\]\.secret"),
)


def is_told_by_the_document(violation: dict[str, Any]) -> bool:
    """Whether a caller that obeys the document can't have broken this rule."""
    if violation["violatedRule"] in BEYOND_A_SCHEMA:
        return False
    said = (
        violation["violatedRule"],
        violation["field"],
        violation.get("data", {}).get("type", ""),
    )
    return not any(
        all(re.fullmatch(part, words) for part, words in zip(each, said, strict=False))
        for each in ALSO_BEYOND
    )


def refusals_follow_the_document(_: CheckContext, response: Response, case: Any) -> None:
    """A request that is what the document says is refused only for what no schema can say."""
    if not case.meta.generation.mode.is_positive or response.status_code != 400:
        return
    if has_snake_case_field(case.body):
        return
    told = response.json()["details"].get("validationError", {}).get("fieldViolations", [])
    assert [each for each in told if is_told_by_the_document(each)] == []


def has_snake_case_field(value: Any) -> bool:
    """Whether a made-up name may be that of a field, as it is in protocol buffers.

    The service takes such names too, and the document knows them for names that mean nothing.
    """
    if isinstance(value, dict) and any(
        re.fullmatch(r"[a-z]+(_[a-z0-9]+)+", name) for name in value
    ):
        return True
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(map(has_snake_case_field, inner))


def has_null_field(value: Any) -> bool:
    inner = value.values() if isinstance(value, dict) else ()
    if any(each is None for each in inner):
        return True
    return any(map(has_null_field, value if isinstance(value, list) else inner))


def checks_of(case: schemathesis.Case) -> list[CheckFunction]:
    """All checks there are, but where the document's prose says more than its schemas.

    What a bulk request's entries break is told in the answer's body, and a field that is null is
    as good as absent.
    """
    left_out = {"positive_data_acceptance"}
    if case.operation.definition.raw["operationId"] in BULK or has_null_field(case.body):
        left_out.add("negative_data_rejection")
    known = [check for check in CHECKS.get_all() if check.__name__ not in left_out]
    return [*known, refusals_follow_the_document]


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
                owner = name.removesuffix("Id")
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
            "programDefinitionId": world.program_definition,
            "poolDefinitionId": world.pool_definition,
            "programId": world.program,
            "poolId": world.pool,
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


ALTERING = ("delete", "programs/end", "settings")
"""What methods do, by their addresses, that leaves nothing for others, or changes their rules."""


def try_out(case: schemathesis.Case, known: Known) -> None:
    if case.meta.generation.mode.is_positive:
        known.put_into(case)
    headers = {"authorization": known.key}
    case.call_and_validate(base_url=known.url, headers=headers, checks=checks_of(case))
