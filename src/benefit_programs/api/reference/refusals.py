"""Which errors each method answers with. Contract: Errors.

What every method may answer (a request that breaks rules, credentials, throttling, our own
failures) isn't repeated here.
"""

from __future__ import annotations

from itertools import chain

from benefit_programs.api import errors as edge
from benefit_programs.api.errors import STATUS_BY_ERROR
from benefit_programs.domain import errors
from benefit_programs.domain.errors import Refusal

Refusals = tuple[type[Refusal], ...]

BY_EVERY_METHOD: Refusals = (
    errors.Invalid,
    edge.Unauthenticated,
    edge.Forbidden,
    edge.TooLarge,
    edge.UnsupportedMediaType,
    edge.TooManyRequests,
    edge.Unexpected,
    edge.Unavailable,
    edge.StatementTimeout,
)

BY_ANY_ADDRESS: Refusals = (edge.NotFoundRoute, edge.MethodNotAllowed, edge.HeadTooLarge)
"""What answers a request that reaches no method."""

RESERVED: Refusals = (
    errors.ChainOperationInProgress,
    errors.TransactionNotSupersedable,
    errors.TransactionAlreadySuperseded,
)
"""Known to clients, and never sent while every write is one commit."""

_PROGRAM_DEFINITION: Refusals = (errors.ProgramDefinitionNotFound,)
_POOL_DEFINITION: Refusals = (errors.PoolDefinitionNotFound,)
_BOTH_DEFINITIONS = _PROGRAM_DEFINITION + _POOL_DEFINITION
_ITEM: Refusals = (errors.ItemNotFound,)
_NEW_ITEM: Refusals = (errors.ItemSetNotFound, errors.ItemAlreadyExists)
_BENEFIT_ITEMS: Refusals = (errors.PoolDefinitionBenefitNotFound,)
_PROGRAM: Refusals = (errors.ProgramNotFound,)
_POOL: Refusals = (errors.PoolNotFound,)
_REVISION: Refusals = (errors.InvalidRevision,)
_STATUS: Refusals = (errors.InProgress, errors.ProgramStatusTransitionNotAllowed)
_TRANSACTION: Refusals = (errors.TransactionNotFound,)
_CHAIN: Refusals = (
    errors.TransactionNotFound,
    errors.AlreadyExecuted,
    errors.ChainOperationInProgress,
    errors.NotLatestTransaction,
    errors.RedemptionAlreadyCanceled,
)

BY_METHOD: dict[str, Refusals] = {
    "createProgramDefinition": (errors.ProgramDefinitionAlreadyExists,),
    "updateProgramDefinition": _PROGRAM_DEFINITION + _REVISION,
    "deleteProgramDefinition": _PROGRAM_DEFINITION,
    "getProgramDefinition": _PROGRAM_DEFINITION,
    "getProgramDefinitionByExternalIdAndNamespace": _PROGRAM_DEFINITION,
    "createPoolDefinition": _PROGRAM_DEFINITION,
    "bulkCreatePoolDefinitions": _PROGRAM_DEFINITION,
    "updatePoolDefinition": _BOTH_DEFINITIONS + _REVISION,
    "bulkUpdatePoolDefinitions": _BOTH_DEFINITIONS + _REVISION,
    "deletePoolDefinition": _POOL_DEFINITION,
    "bulkDeletePoolDefinitions": _POOL_DEFINITION,
    "getPoolDefinition": _POOL_DEFINITION,
    "addPoolDefinitionToProgramDefinition": _BOTH_DEFINITIONS,
    "removePoolDefinitionFromProgramDefinition": _BOTH_DEFINITIONS,
    "findPoolDefinitionsByProgramDefinition": _PROGRAM_DEFINITION,
    "provisionProgram": (
        *_BOTH_DEFINITIONS,
        errors.InProgress,
        errors.ProgramAlreadyExists,
    ),
    "renewProgram": _PROGRAM + _STATUS,
    "pauseProgram": (*_PROGRAM, errors.AlreadyExecuted, *_STATUS),
    "resumeProgram": (*_PROGRAM, errors.AlreadyExecuted, *_STATUS),
    "endProgram": _PROGRAM + _STATUS,
    "updateProgram": _PROGRAM + _REVISION,
    "getProgram": _PROGRAM,
    "getProgramByExternalIdAndNamespace": _PROGRAM,
    "getPool": _POOL,
    "updatePool": _POOL + _REVISION,
    "bulkUpdatePools": _POOL + _REVISION,
    "redeemBenefit": (
        errors.PoolNotFound,
        errors.BenefitNotFound,
        errors.BenefitAlreadyRedeemed,
        errors.NotEnoughBalance,
        errors.PolicyExpressionEvaluatedToFalse,
        errors.PoolNotActive,
    ),
    "reallocateBenefit": (
        errors.PoolNotFound,
        *_CHAIN,
        errors.TransactionNotReallocatable,
        errors.PoolNotActive,
        errors.PolicyExpressionEvaluatedToFalse,
    ),
    "cancelRedemption": (*_CHAIN, errors.TransactionNotCancelable),
    "getEligibleBenefits": (errors.InvalidItemReference,),
    "checkBenefitEligibilityByFilter": (errors.InvalidItemReference,),
    "createItem": _NEW_ITEM,
    "bulkCreateItems": _NEW_ITEM,
    "deleteItem": _ITEM,
    "bulkDeleteItems": _ITEM,
    "updateItem": _ITEM + _REVISION,
    "bulkUpdateItems": _ITEM + _REVISION,
    "getItem": _ITEM,
    "countItems": (errors.TooManyToCount,),
    "removeItemsFromBenefit": (*_BENEFIT_ITEMS, errors.ReferenceNotFound),
    "addItemsToBenefit": (*_BENEFIT_ITEMS, errors.ItemAlreadyExists),
    "getBalance": (errors.BalanceNotFound,),
    "changeBalance": (
        errors.BalanceNotFound,
        errors.TransactionNotFound,
        errors.AlreadyExecuted,
        errors.BalanceAlreadyInitialized,
        errors.BalanceExceededLimits,
        errors.TransactionNotSupersedable,
        errors.TransactionAlreadySuperseded,
    ),
    "revertBalanceChange": (
        errors.TransactionNotFound,
        errors.ChangeAlreadyReverted,
        errors.NotEnoughBalanceToRevert,
    ),
    "getTransaction": _TRANSACTION,
    "getAsyncJob": (errors.JobNotFound,),
    "listAsyncJobItems": (errors.JobNotFound,),
}
"""What a method may answer beside ``BY_EVERY_METHOD``; in bulk, for its entries."""


def answered() -> list[type[Refusal]]:
    """All errors that the service answers with, by their status; others only commands tell."""
    known = {*BY_EVERY_METHOD, *BY_ANY_ADDRESS, *chain.from_iterable(BY_METHOD.values())}
    return [refusal for refusal in STATUS_BY_ERROR if refusal in known]


def refusals_of(name: str) -> dict[int, list[type[Refusal]]]:
    """The errors of a method by their status, both in order."""
    found: dict[int, list[type[Refusal]]] = {}
    for refusal in (*BY_EVERY_METHOD, *BY_METHOD.get(name, ())):
        found.setdefault(STATUS_BY_ERROR[refusal], []).append(refusal)
    return dict(sorted(found.items()))


def description_of(refusal: type[Refusal]) -> str:
    """What happened, as the answer says it."""
    return refusal.description.fget(refusal.__new__(refusal))  # type: ignore[attr-defined, no-any-return]
