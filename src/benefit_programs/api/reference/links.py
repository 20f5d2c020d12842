"""Where an answer leads: which of its fields another method takes, as OpenAPI's links say it.

``_GIVEN`` says where an answer, or the request that it belongs to, names something; ``_TAKEN``
says which of that a method takes. A method is linked to whatever its answer names enough for.
"""

from __future__ import annotations

from typing import Any

from benefit_programs.api.method import Method
from benefit_programs.api.methods import METHODS
from benefit_programs.wire.codec.naming import to_one_word

_ANSWER = "$response.body#"
_REQUEST = "$request.body#"

_GIVEN: dict[str, dict[str, str]] = {
    "createProgramDefinition": {"programDefinition": f"{_ANSWER}/programDefinition"},
    "updateProgramDefinition": {"programDefinition": f"{_ANSWER}/programDefinition"},
    "createPoolDefinition": {"poolDefinition": f"{_ANSWER}/poolDefinition"},
    "updatePoolDefinition": {"poolDefinition": f"{_ANSWER}/poolDefinition"},
    "createItem": {"item": f"{_ANSWER}/item"},
    "updateItem": {"item": f"{_ANSWER}/item"},
    "provisionProgram": {"program": f"{_ANSWER}/program", "jobId": f"{_ANSWER}/jobId"},
    "updateProgram": {"program": f"{_ANSWER}/program"},
    "pauseProgram": {"pausedId": f"{_REQUEST}/programId", "jobId": f"{_ANSWER}/jobId"},
    "resumeProgram": {"actedOnId": f"{_REQUEST}/programId", "jobId": f"{_ANSWER}/jobId"},
    "renewProgram": {"actedOnId": f"{_REQUEST}/programId", "jobId": f"{_ANSWER}/jobId"},
    "endProgram": {"actedOnId": f"{_REQUEST}/programId", "jobId": f"{_ANSWER}/jobId"},
    "queryPools": {"pool": f"{_ANSWER}/pools/0"},
    "updatePool": {"pool": f"{_ANSWER}/pool"},
    "queryPoolItems": {"poolItem": f"{_ANSWER}/poolItems/0"},
    "redeemBenefit": {"transactionId": f"{_ANSWER}/transactionId", "redemption": _REQUEST},
    "reallocateBenefit": {"transactionId": f"{_ANSWER}/transactionId", "redemption": _REQUEST},
    "cancelRedemption": {"endingId": f"{_ANSWER}/transactionId"},
    "changeBalance": {
        "changeId": f"{_ANSWER}/transactionId",
        "changedPoolId": f"{_REQUEST}/poolId",
    },
    "revertBalanceChange": {"endingId": f"{_ANSWER}/transactionId"},
    "bulkDeleteItemsByFilter": {"jobId": f"{_ANSWER}/jobId"},
}

_POOL_ITEM = {
    "poolId": "poolItem/poolId",
    "namespace": "poolItem/namespace",
    "beneficiary": "poolItem/beneficiary",
    "benefitKey": "poolItem/benefitKey",
    "itemReference.externalId": "poolItem/externalId",
    "itemReference.providerAppId": "poolItem/providerAppId",
}
_CHAIN = {
    "transactionId": "transactionId",
    "namespace": "redemption/namespace",
    "beneficiary": "redemption/beneficiary",
}
_POOL_DEFINITION_OF = {
    "poolDefinition.programDefinitionIds": "[programDefinition/id]",
    "poolDefinition.namespace": "programDefinition/namespace",
}
_NEW_ITEM = {
    "item.itemSetId": "poolDefinition/details/benefits/0/itemSetId",
    "item.providerAppId": "poolDefinition/details/benefits/0/providerAppId",
    "item.namespace": "poolDefinition/namespace",
}

_TAKEN: tuple[tuple[str, dict[str, str]], ...] = (
    ("getProgramDefinition", {"programDefinitionId": "programDefinition/id"}),
    (
        "getProgramDefinitionByExternalIdAndNamespace",
        {"namespace": "programDefinition/namespace", "externalId": "programDefinition/externalId"},
    ),
    (
        "updateProgramDefinition",
        {
            "programDefinition.id": "programDefinition/id",
            "programDefinition.revision": "programDefinition/revision",
        },
    ),
    ("deleteProgramDefinition", {"programDefinitionId": "programDefinition/id"}),
    ("createPoolDefinition", _POOL_DEFINITION_OF),
    (
        "findPoolDefinitionsByProgramDefinition",
        {
            "programDefinitionId": "programDefinition/id",
            "namespace": "programDefinition/namespace",
        },
    ),
    (
        "provisionProgram",
        {"poolDefinitionLookupId.programDefinitionId": "programDefinition/id"},
    ),
    ("getPoolDefinition", {"poolDefinitionId": "poolDefinition/id"}),
    (
        "updatePoolDefinition",
        {
            "poolDefinition.id": "poolDefinition/id",
            "poolDefinition.revision": "poolDefinition/revision",
        },
    ),
    ("deletePoolDefinition", {"poolDefinitionId": "poolDefinition/id"}),
    ("addPoolDefinitionToProgramDefinition", {"poolDefinitionId": "poolDefinition/id"}),
    (
        "removePoolDefinitionFromProgramDefinition",
        {
            "poolDefinitionId": "poolDefinition/id",
            "programDefinitionId": "poolDefinition/programDefinitionIds/0",
        },
    ),
    (
        "provisionProgram",
        {"poolDefinitionLookupId.poolDefinitionId": "poolDefinition/id"},
    ),
    ("createItem", _NEW_ITEM),
    (
        "addItemsToBenefit",
        {
            "poolDefinitionId": "poolDefinition/id",
            "benefitKey": "poolDefinition/details/benefits/0/benefitKey",
        },
    ),
    ("queryPoolDefinitionItems", {"query.filter.poolDefinitionId": "poolDefinition/id"}),
    ("getItem", {"itemId": "item/id"}),
    ("updateItem", {"item.id": "item/id", "item.revision": "item/revision"}),
    ("deleteItem", {"itemId": "item/id"}),
    ("getProgram", {"programId": "program/id"}),
    (
        "getProgramByExternalIdAndNamespace",
        {"namespace": "program/namespace", "externalId": "program/externalId"},
    ),
    ("updateProgram", {"program.id": "program/id", "program.revision": "program/revision"}),
    ("pauseProgram", {"programId": "program/id"}),
    ("renewProgram", {"programId": "program/id"}),
    ("endProgram", {"programId": "program/id"}),
    ("queryPools", {"query.filter.programId": "program/id"}),
    ("queryPoolItems", {"query.filter.programId": "program/id"}),
    ("getProgram", {"programId": "actedOnId"}),
    ("resumeProgram", {"programId": "pausedId"}),
    ("getAsyncJob", {"jobId": "jobId"}),
    ("listAsyncJobItems", {"jobId": "jobId"}),
    ("getPool", {"poolId": "pool/id"}),
    ("updatePool", {"pool.id": "pool/id", "pool.revision": "pool/revision"}),
    ("getBalance", {"poolId": "pool/id"}),
    ("changeBalance", {"poolId": "pool/id"}),
    ("getBalance", {"poolId": "changedPoolId"}),
    ("redeemBenefit", _POOL_ITEM),
    ("checkBenefitEligibility", _POOL_ITEM),
    ("getTransaction", {"transactionId": "transactionId"}),
    ("reallocateBenefit", _CHAIN),
    ("cancelRedemption", {"transactionId": "transactionId"}),
    ("getTransaction", {"transactionId": "changeId"}),
    ("revertBalanceChange", {"transactionId": "changeId"}),
    ("getTransaction", {"transactionId": "endingId"}),
)

_NOTE = "The parts of the request that the answer knows; the rest is the caller's."


def links_of(method: Method) -> dict[str, dict[str, Any]]:
    """The links of a method's answer, by the methods that they lead to."""
    given = _GIVEN.get(method.name, {})
    return {
        target: _link(
            METHODS[target], {field: _expression(given, what) for field, what in taken.items()}
        )
        for target, taken in _TAKEN
        if all(_first(what) in given for what in taken.values())
    }


def _first(what: str) -> str:
    return what.strip("[]").partition("/")[0]


def _expression(given: dict[str, str], what: str) -> Any:
    first, slash, rest = what.strip("[]").partition("/")
    expression = given[first] + slash + rest
    return [expression] if what.startswith("[") else expression


def _link(target: Method, values: dict[str, Any]) -> dict[str, Any]:
    in_body = target.request_in == "body"
    body: dict[str, Any] = {}
    parameters = {}
    for field, value in values.items():
        if in_body and field not in target.path_parameters:
            _put(body, field.split("."), value)
        else:
            parameters[to_one_word(field) if field in target.path_parameters else field] = value
    link: dict[str, Any] = {"operationId": target.name}
    if parameters:
        link["parameters"] = parameters
    if body:
        link |= {"requestBody": body, "description": _NOTE}
    return link


def _put(document: dict[str, Any], names: list[str], value: Any) -> None:
    *outer, last = names
    for name in outer:
        document = document.setdefault(name, {})
    document[last] = value
