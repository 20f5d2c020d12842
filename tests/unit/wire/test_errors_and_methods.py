"""Answers to errors, and what the table of methods does with paths."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

from benefit_programs.api import handlers
from benefit_programs.api.errors import (
    MethodNotAllowed,
    TooManyRequests,
    application_error,
    error_body,
    error_headers,
)
from benefit_programs.api.method import Method
from benefit_programs.api.methods import METHODS
from benefit_programs.domain.entities import PoolStatus
from benefit_programs.domain.errors import (
    AlreadyExecuted,
    Invalid,
    InvalidRevision,
    NotEnoughBalance,
    PoolNotActive,
    PoolNotFound,
    ViolatedRule,
)
from benefit_programs.domain.explanations import BalanceAmount, PoolContext, PoolInfo
from benefit_programs.domain.values import ItemReference
from benefit_programs.wire.codec import encoder_for
from benefit_programs.wire.types.eligibility import BenefitResult, EligibleBenefit

GUID = "e8c3366e-0c4f-3024-a034-1e0c79146d4c"


def test_amounts_of_errors_are_decimal_text() -> None:
    """A refusal's data has the wire's form, and what is known of the pool beside it."""
    status, body = error_body(
        NotEnoughBalance(
            pool_id=GUID,
            item_reference=ItemReference("mug", GUID),
            available_balance=5_000,
            requested_balance=100_000,
            context=PoolContext(pool_info=PoolInfo(balance=BalanceAmount(available=5_000))),
        )
    )
    assert status == 428
    assert body["details"]["applicationError"] == {
        "code": "NOT_ENOUGH_BALANCE",
        "description": "The pool's balance can't pay for the items.",
        "data": {
            "poolId": GUID,
            "itemReference": {"externalId": "mug", "providerAppId": GUID},
            "availableBalance": "0.5",
            "requestedBalance": "10",
            "poolInfo": {"balance": {"available": "0.5"}},
        },
    }


def test_violations_are_told_in_full() -> None:
    """A validation error lists fields, rules and data."""
    refusal = Invalid.because("cascade", "is required", rule_name="cascade_is_required")
    status, body = error_body(refusal)
    assert status == 400
    assert body["details"] == {
        "validationError": {
            "fieldViolations": [
                {
                    "field": "cascade",
                    "description": "is required",
                    "violatedRule": "OTHER",
                    "ruleName": "cascade_is_required",
                }
            ]
        }
    }


def test_a_bad_entry_is_a_validation_error_with_its_violations() -> None:
    """In bulk answers violations stand in the data of the entry's error."""
    error = application_error(Invalid.because("items[0].id", "x", ViolatedRule.FORMAT))
    assert error["code"] == "VALIDATION_ERROR"
    assert error["data"]["fieldViolations"][0]["field"] == "items[0].id"


def test_a_wrong_revision_names_the_entity() -> None:
    """The id stands inside the violation of the revision."""
    status, body = error_body(InvalidRevision(entity_id=GUID))
    assert status == 409
    data = body["details"]["applicationError"]["data"]
    assert data == {"revisionViolation": {"entityId": GUID}}


def test_absent_facts_are_left_out() -> None:
    """Only what is known is told."""
    error = application_error(AlreadyExecuted(idempotency_key="k", job_id=GUID))
    assert error["data"] == {"idempotencyKey": "k", "jobId": GUID}


def test_what_is_not_known_is_ours() -> None:
    """Any other exception is a 500 that tells nothing of itself."""
    status, body = error_body(KeyError("secret"))
    assert status == 500
    assert "secret" not in str(body)


def test_headers_go_with_their_errors() -> None:
    """429 says when to come back, 405 what is allowed."""
    assert error_headers(TooManyRequests(retry_after=3)) == {"retry-after": "3"}
    assert error_headers(MethodNotAllowed(allowed=("GET", "POST"))) == {"allow": "GET, POST"}
    assert error_headers(PoolNotFound(pool_id=GUID)) == {}


def test_the_paths_id_is_put_into_the_request() -> None:
    """A path's field goes where its dots say, without touching the caller's document."""
    method = METHODS["updateProgram"]
    document = {"program": {"revision": "1"}}
    merged = method.merge_path(document, {"program.id": GUID})
    assert merged == {"program": {"revision": "1", "id": GUID}}
    assert document == {"program": {"revision": "1"}}


@pytest.mark.parametrize("name", ["poolDefinition", "pool_definition"])
def test_an_entity_may_repeat_the_paths_id_only(name: str) -> None:
    """The same id in any case is fine, another one is refused."""
    method = METHODS["updatePoolDefinition"]
    path = {"poolDefinition.id": GUID}
    same = method.merge_path({name: {"id": GUID.upper()}}, path)
    assert same == {name: {"id": GUID}}
    with pytest.raises(Invalid) as refused:
        method.merge_path({name: {"id": GUID.replace("e", "f")}}, path)
    assert refused.value.violations[0].field == "poolDefinition.id"


def test_a_missing_entity_stays_missing() -> None:
    """The path's id makes no entity: decoding then says what is missing."""
    method = METHODS["updateItem"]
    assert method.merge_path({}, {"item.id": GUID}) == {}
    assert method.merge_path([], {"item.id": GUID}) == []


def test_bulk_methods_know_their_entries() -> None:
    """Fourteen methods take entries that succeed or fail alone."""
    assert {method.name: method.bulk_field for method in METHODS.values() if method.bulk_field} == {
        "bulkCreatePoolDefinitions": "pool_definitions",
        "bulkUpdatePoolDefinitions": "pool_definitions",
        "bulkDeletePoolDefinitions": "pool_definition_ids",
        "bulkUpdatePools": "pools",
        "bulkRedeemBenefits": "redemptions",
        "bulkReserveBenefits": "reservations",
        "bulkCaptureBenefitReservations": "reservations",
        "bulkCancelBenefitReservations": "reservations",
        "bulkCreateItems": "items",
        "bulkSetPeople": "people",
        "bulkDeleteItems": "item_ids",
        "bulkUpdateItems": "items",
        "removeItemsFromBenefit": "item_references",
        "addItemsToBenefit": "item_references",
    }


def test_refusals_are_results_of_eligibility() -> None:
    """A refusal that the contract has an option for becomes that option, with what it tells."""
    refusal = PoolNotActive(
        pool_id=GUID,
        pool_status=PoolStatus.ENDED,
        context=PoolContext(pool_info=PoolInfo(display_name="Gym")),
    )
    assert encoder_for(BenefitResult)(BenefitResult.of(refusal)) == {
        "type": "POOL_NOT_ACTIVE",
        "poolNotActiveOptions": {
            "poolId": GUID,
            "poolStatus": "ENDED",
            "poolInfo": {"displayName": "Gym"},
        },
    }


def test_other_refusals_are_no_results() -> None:
    """A refusal without an option goes on as a refusal."""
    with pytest.raises(AlreadyExecuted):
        BenefitResult.of(AlreadyExecuted(idempotency_key="k"))


def test_a_benefit_that_pays_is_a_result() -> None:
    """An eligible benefit stands in its own option."""
    result = BenefitResult.of(EligibleBenefit(pool_id=GUID, benefit_key="gym10", price=100_000))
    assert encoder_for(BenefitResult)(result) == {
        "type": "ELIGIBLE_BENEFIT",
        "eligibleBenefitOptions": {"poolId": GUID, "benefitKey": "gym10", "price": "10"},
    }


def test_no_module_of_handlers_is_forgotten() -> None:
    """Each method that a module of handlers has is in the table, once."""
    found = [
        each
        for module in pkgutil.iter_modules(handlers.__path__)
        for each in vars(importlib.import_module(f"{handlers.__name__}.{module.name}")).values()
        if isinstance(each, Method)
    ]
    assert sorted(each.name for each in found) == sorted(METHODS)


def test_a_method_is_named_as_its_request() -> None:
    """The name that a row says is the one that the function's request has."""
    for name, method in METHODS.items():
        assert method.request.__name__ == f"{name[0].upper()}{name[1:]}Request"
