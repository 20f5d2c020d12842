"""The table of the contract's methods, which routes, reference and checks are made of."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Any, Literal

import msgspec

from benefit_programs.api.codec.fields import entries_of, fields_by_name
from benefit_programs.api.types import (
    async_jobs,
    balances,
    eligibility,
    items,
    pool_definition_items,
    pool_definitions,
    pool_items,
    pools,
    program_definitions,
    programs,
    transactions,
)
from benefit_programs.domain.errors import Invalid, ViolatedRule


class Scope(StrEnum):
    """What a key must be allowed to call a method; MANAGE includes the other two of programs."""

    MANAGE = "SCOPE.BENEFIT_PROGRAMS.MANAGE"
    READ_LIMITED = "SCOPE.BENEFIT_PROGRAMS.READ_LIMITED"
    READ = "SCOPE.BENEFIT_PROGRAMS.READ"
    READ_JOBS = "SCOPE.ASYNC_JOB.READ"


Verb = Literal["GET", "POST", "PATCH", "DELETE"]

_PARAMETER = re.compile(r"\{([^}]+)\}")


class Method(msgspec.Struct, frozen=True):
    """One method of the contract."""

    name: str
    verb: Verb
    path: str
    request: type[Any]
    response: type[Any]
    scope: Scope
    permission_ids: tuple[str, ...] = ()

    @property
    def request_in(self) -> Literal["body", "query"]:
        """Where the request stands besides the path."""
        return "query" if self.verb in ("GET", "DELETE") else "body"

    @property
    def path_parameters(self) -> tuple[str, ...]:
        """The dotted wire names of the fields that the path holds."""
        return tuple(_PARAMETER.findall(self.path))

    @property
    def bulk_field(self) -> str | None:
        """The attribute of the list whose entries succeed or fail one by one."""
        entries = entries_of(self.request)
        return entries.attribute if entries else None

    def merge_path(self, document: object, parameters: dict[str, str]) -> object:
        """The request's document with the fields of its path.

        A field that the document has too must be the same there, else Invalid is raised. A
        document, or an object in it, that isn't there or is no object stays as it is: decoding
        it tells what is wrong.
        """
        if not isinstance(document, dict):
            return document
        merged = dict(document)
        for dotted, value in parameters.items():
            _merge(merged, self.request, dotted.split("."), value, dotted)
        return merged


def _merge(
    document: dict[str, Any], type_: type[Any], names: list[str], value: str, dotted: str
) -> None:
    field = fields_by_name(type_)[names[0]]
    sent = next((name for name in field.names if document.get(name) is not None), names[0])
    if len(names) > 1:
        inner = document.get(sent)
        if isinstance(inner, dict):
            document[sent] = dict(inner)
            _merge(document[sent], field.shape.kind, names[1:], value, dotted)
        return
    other = document.get(sent, value)
    if isinstance(other, str) and other.lower() != value.lower():
        raise Invalid.because(
            dotted, "differs from the id in the path", ViolatedRule.FIELD_NOT_ALLOWED
        )
    document[sent] = value


GET: Literal["GET"] = "GET"
POST: Literal["POST"] = "POST"
PATCH: Literal["PATCH"] = "PATCH"
DELETE: Literal["DELETE"] = "DELETE"

MANAGE = Scope.MANAGE
READ_LIMITED = Scope.READ_LIMITED
READ = Scope.READ
READ_JOBS = Scope.READ_JOBS

_ROWS = (
    Method(
        "createProgramDefinition",
        POST,
        "/benefit-programs/v1/program-definitions",
        program_definitions.CreateProgramDefinitionRequest,
        program_definitions.CreateProgramDefinitionResponse,
        MANAGE,
        ("BENEFIT_PROGRAMS.PROGRAM_DEFINITION_CREATE",),
    ),
    Method(
        "updateProgramDefinition",
        PATCH,
        "/benefit-programs/v1/program-definitions/{programDefinition.id}",
        program_definitions.UpdateProgramDefinitionRequest,
        program_definitions.UpdateProgramDefinitionResponse,
        MANAGE,
        ("BENEFIT_PROGRAMS.PROGRAM_DEFINITION_UPDATE",),
    ),
    Method(
        "deleteProgramDefinition",
        DELETE,
        "/benefit-programs/v1/program-definitions/{programDefinitionId}",
        program_definitions.DeleteProgramDefinitionRequest,
        program_definitions.DeleteProgramDefinitionResponse,
        MANAGE,
        ("BENEFIT_PROGRAMS.PROGRAM_DEFINITION_DELETE",),
    ),
    Method(
        "getProgramDefinition",
        GET,
        "/benefit-programs/v1/program-definitions/{programDefinitionId}",
        program_definitions.GetProgramDefinitionRequest,
        program_definitions.GetProgramDefinitionResponse,
        READ_LIMITED,
        ("BENEFIT_PROGRAMS.PROGRAM_DEFINITION_READ",),
    ),
    Method(
        "getProgramDefinitionByExternalIdAndNamespace",
        GET,
        "/benefit-programs/v1/program-definitions/by-namespace-and-external-id",
        program_definitions.GetProgramDefinitionByExternalIdAndNamespaceRequest,
        program_definitions.GetProgramDefinitionByExternalIdAndNamespaceResponse,
        READ_LIMITED,
        ("BENEFIT_PROGRAMS.PROGRAM_DEFINITION_READ",),
    ),
    Method(
        "queryProgramDefinitions",
        POST,
        "/benefit-programs/v1/program-definitions/query",
        program_definitions.QueryProgramDefinitionsRequest,
        program_definitions.QueryProgramDefinitionsResponse,
        READ_LIMITED,
        ("BENEFIT_PROGRAMS.PROGRAM_DEFINITION_READ",),
    ),
    Method(
        "createPoolDefinition",
        POST,
        "/benefit-programs/v1/pool-definitions",
        pool_definitions.CreatePoolDefinitionRequest,
        pool_definitions.CreatePoolDefinitionResponse,
        MANAGE,
        ("BENEFIT_PROGRAMS.POOL_DEFINITION_CREATE",),
    ),
    Method(
        "bulkCreatePoolDefinitions",
        POST,
        "/benefit-programs/v1/bulk/pool-definitions/create",
        pool_definitions.BulkCreatePoolDefinitionsRequest,
        pool_definitions.BulkCreatePoolDefinitionsResponse,
        MANAGE,
        ("BENEFIT_PROGRAMS.POOL_DEFINITION_CREATE",),
    ),
    Method(
        "updatePoolDefinition",
        PATCH,
        "/benefit-programs/v1/pool-definitions/{poolDefinition.id}",
        pool_definitions.UpdatePoolDefinitionRequest,
        pool_definitions.UpdatePoolDefinitionResponse,
        MANAGE,
        ("BENEFIT_PROGRAMS.POOL_DEFINITION_UPDATE",),
    ),
    Method(
        "bulkUpdatePoolDefinitions",
        POST,
        "/benefit-programs/v1/bulk/pool-definitions/update",
        pool_definitions.BulkUpdatePoolDefinitionsRequest,
        pool_definitions.BulkUpdatePoolDefinitionsResponse,
        MANAGE,
        ("BENEFIT_PROGRAMS.POOL_DEFINITION_UPDATE",),
    ),
    Method(
        "deletePoolDefinition",
        DELETE,
        "/benefit-programs/v1/pool-definitions/{poolDefinitionId}",
        pool_definitions.DeletePoolDefinitionRequest,
        pool_definitions.DeletePoolDefinitionResponse,
        MANAGE,
        ("BENEFIT_PROGRAMS.POOL_DEFINITION_DELETE",),
    ),
    Method(
        "bulkDeletePoolDefinitions",
        POST,
        "/benefit-programs/v1/bulk/pool-definitions/delete",
        pool_definitions.BulkDeletePoolDefinitionsRequest,
        pool_definitions.BulkDeletePoolDefinitionsResponse,
        MANAGE,
        ("BENEFIT_PROGRAMS.POOL_DEFINITION_DELETE",),
    ),
    Method(
        "getPoolDefinition",
        GET,
        "/benefit-programs/v1/pool-definitions/{poolDefinitionId}",
        pool_definitions.GetPoolDefinitionRequest,
        pool_definitions.GetPoolDefinitionResponse,
        READ_LIMITED,
        ("BENEFIT_PROGRAMS.POOL_DEFINITION_READ",),
    ),
    Method(
        "queryPoolDefinitions",
        POST,
        "/benefit-programs/v1/pool-definitions/query",
        pool_definitions.QueryPoolDefinitionsRequest,
        pool_definitions.QueryPoolDefinitionsResponse,
        READ_LIMITED,
        ("BENEFIT_PROGRAMS.POOL_DEFINITION_READ",),
    ),
    Method(
        "addPoolDefinitionToProgramDefinition",
        POST,
        "/benefit-programs/v1/pool-definitions/program-definition/assign",
        pool_definitions.AddPoolDefinitionToProgramDefinitionRequest,
        pool_definitions.AddPoolDefinitionToProgramDefinitionResponse,
        MANAGE,
        ("BENEFIT_PROGRAMS.POOL_DEFINITION_UPDATE",),
    ),
    Method(
        "removePoolDefinitionFromProgramDefinition",
        POST,
        "/benefit-programs/v1/pool-definitions/program-definition/remove",
        pool_definitions.RemovePoolDefinitionFromProgramDefinitionRequest,
        pool_definitions.RemovePoolDefinitionFromProgramDefinitionResponse,
        MANAGE,
        ("BENEFIT_PROGRAMS.POOL_DEFINITION_UPDATE",),
    ),
    Method(
        "findPoolDefinitionsByProgramDefinition",
        POST,
        "/benefit-programs/v1/pool-definitions/find-pool-definitions-by-program-definition",
        pool_definitions.FindPoolDefinitionsByProgramDefinitionRequest,
        pool_definitions.FindPoolDefinitionsByProgramDefinitionResponse,
        READ_LIMITED,
        ("BENEFIT_PROGRAMS.POOL_DEFINITION_READ",),
    ),
    Method(
        "provisionProgram",
        POST,
        "/benefit-programs/v1/programs/provision",
        programs.ProvisionProgramRequest,
        programs.ProvisionProgramResponse,
        MANAGE,
        ("BENEFIT_PROGRAMS.PROGRAM_PROVISION",),
    ),
    Method(
        "renewProgram",
        POST,
        "/benefit-programs/v1/programs/renew",
        programs.RenewProgramRequest,
        programs.RenewProgramResponse,
        MANAGE,
        ("BENEFIT_PROGRAMS.PROGRAM_RENEW",),
    ),
    Method(
        "pauseProgram",
        POST,
        "/benefit-programs/v1/programs/pause",
        programs.PauseProgramRequest,
        programs.PauseProgramResponse,
        MANAGE,
        ("BENEFIT_PROGRAMS.PROGRAM_PAUSE",),
    ),
    Method(
        "resumeProgram",
        POST,
        "/benefit-programs/v1/programs/resume",
        programs.ResumeProgramRequest,
        programs.ResumeProgramResponse,
        MANAGE,
        ("BENEFIT_PROGRAMS.PROGRAM_RESUME",),
    ),
    Method(
        "endProgram",
        POST,
        "/benefit-programs/v1/programs/end",
        programs.EndProgramRequest,
        programs.EndProgramResponse,
        MANAGE,
        ("BENEFIT_PROGRAMS.PROGRAM_END",),
    ),
    Method(
        "updateProgram",
        PATCH,
        "/benefit-programs/v1/programs/{program.id}",
        programs.UpdateProgramRequest,
        programs.UpdateProgramResponse,
        MANAGE,
        ("BENEFIT_PROGRAMS.PROGRAM_UPDATE",),
    ),
    Method(
        "getProgram",
        GET,
        "/benefit-programs/v1/programs/{programId}",
        programs.GetProgramRequest,
        programs.GetProgramResponse,
        READ_LIMITED,
        ("BENEFIT_PROGRAMS.PROGRAM_READ",),
    ),
    Method(
        "queryPrograms",
        POST,
        "/benefit-programs/v1/programs/query",
        programs.QueryProgramsRequest,
        programs.QueryProgramsResponse,
        READ_LIMITED,
        ("BENEFIT_PROGRAMS.PROGRAM_READ",),
    ),
    Method(
        "getProgramByExternalIdAndNamespace",
        GET,
        "/benefit-programs/v1/programs/by-namespace-and-external-id",
        programs.GetProgramByExternalIdAndNamespaceRequest,
        programs.GetProgramByExternalIdAndNamespaceResponse,
        READ_LIMITED,
        ("BENEFIT_PROGRAMS.PROGRAM_READ",),
    ),
    Method(
        "getPool",
        GET,
        "/benefit-programs/v1/pools/{poolId}",
        pools.GetPoolRequest,
        pools.GetPoolResponse,
        READ_LIMITED,
        ("BENEFIT_PROGRAMS.POOL_READ",),
    ),
    Method(
        "updatePool",
        PATCH,
        "/benefit-programs/v1/pools/{pool.id}",
        pools.UpdatePoolRequest,
        pools.UpdatePoolResponse,
        MANAGE,
        ("BENEFIT_PROGRAMS.POOL_UPDATE",),
    ),
    Method(
        "queryPools",
        POST,
        "/benefit-programs/v1/pools/query",
        pools.QueryPoolsRequest,
        pools.QueryPoolsResponse,
        READ_LIMITED,
        ("BENEFIT_PROGRAMS.POOL_READ",),
    ),
    Method(
        "redeemBenefit",
        POST,
        "/benefit-programs/v1/benefits/redeem",
        pools.RedeemBenefitRequest,
        pools.RedeemBenefitResponse,
        MANAGE,
        ("BENEFIT_PROGRAMS.POOL_REDEEM",),
    ),
    Method(
        "reallocateBenefit",
        POST,
        "/benefit-programs/v1/benefits/reallocate",
        pools.ReallocateBenefitRequest,
        pools.ReallocateBenefitResponse,
        MANAGE,
        ("benefit_programs:v1:pool:reallocate_benefit",),
    ),
    Method(
        "cancelRedemption",
        POST,
        "/benefit-programs/v1/benefits/cancel-redemption",
        pools.CancelRedemptionRequest,
        pools.CancelRedemptionResponse,
        MANAGE,
        ("benefit_programs:v1:pool:cancel_redemption",),
    ),
    Method(
        "checkBenefitEligibility",
        POST,
        "/benefit-programs/v1/pools/check-eligibility",
        eligibility.CheckBenefitEligibilityRequest,
        eligibility.CheckBenefitEligibilityResponse,
        MANAGE,
        ("BENEFIT_PROGRAMS.POOL_REDEEM",),
    ),
    Method(
        "bulkCheckBenefitEligibility",
        POST,
        "/benefit-programs/v1/bulk/benefits/check-eligibility",
        eligibility.BulkCheckBenefitEligibilityRequest,
        eligibility.BulkCheckBenefitEligibilityResponse,
        MANAGE,
        ("BENEFIT_PROGRAMS.POOL_REDEEM",),
    ),
    Method(
        "getEligibleBenefits",
        POST,
        "/benefit-programs/v1/pools/eligible-pools",
        eligibility.GetEligibleBenefitsRequest,
        eligibility.GetEligibleBenefitsResponse,
        READ_LIMITED,
        ("BENEFIT_PROGRAMS.POOL_READ",),
    ),
    Method(
        "bulkUpdatePools",
        POST,
        "/benefit-programs/v1/bulk/pools",
        pools.BulkUpdatePoolsRequest,
        pools.BulkUpdatePoolsResponse,
        MANAGE,
        ("BENEFIT_PROGRAMS.POOL_UPDATE",),
    ),
    Method(
        "checkBenefitEligibilityByFilter",
        POST,
        "/benefit-programs/v1/pools/check-benefit-eligibility-by-filter",
        eligibility.CheckBenefitEligibilityByFilterRequest,
        eligibility.CheckBenefitEligibilityByFilterResponse,
        MANAGE,
        ("benefit_programs:v1:pool:check_benefit_eligibility_by_filter",),
    ),
    Method(
        "createItem",
        POST,
        "/benefit-programs/v1/items",
        items.CreateItemRequest,
        items.CreateItemResponse,
        MANAGE,
        ("BENEFIT_PROGRAMS.ITEM_CREATE",),
    ),
    Method(
        "bulkCreateItems",
        POST,
        "/benefit-programs/v1/bulk/items/create",
        items.BulkCreateItemsRequest,
        items.BulkCreateItemsResponse,
        MANAGE,
        ("BENEFIT_PROGRAMS.ITEM_CREATE",),
    ),
    Method(
        "deleteItem",
        POST,
        "/benefit-programs/v1/items/{itemId}/delete",
        items.DeleteItemRequest,
        items.DeleteItemResponse,
        MANAGE,
        ("BENEFIT_PROGRAMS.ITEM_DELETE",),
    ),
    Method(
        "bulkDeleteItems",
        POST,
        "/benefit-programs/v1/bulk/items/delete",
        items.BulkDeleteItemsRequest,
        items.BulkDeleteItemsResponse,
        MANAGE,
        ("BENEFIT_PROGRAMS.ITEM_DELETE",),
    ),
    Method(
        "bulkDeleteItemsByFilter",
        POST,
        "/benefit-programs/v1/bulk/items/delete-by-filter",
        items.BulkDeleteItemsByFilterRequest,
        items.BulkDeleteItemsByFilterResponse,
        MANAGE,
        ("BENEFIT_PROGRAMS.ITEM_DELETE",),
    ),
    Method(
        "updateItem",
        PATCH,
        "/benefit-programs/v1/items/{item.id}",
        items.UpdateItemRequest,
        items.UpdateItemResponse,
        MANAGE,
        ("BENEFIT_PROGRAMS.ITEM_UPDATE",),
    ),
    Method(
        "bulkUpdateItems",
        POST,
        "/benefit-programs/v1/bulk/items/update",
        items.BulkUpdateItemsRequest,
        items.BulkUpdateItemsResponse,
        MANAGE,
        ("BENEFIT_PROGRAMS.ITEM_UPDATE",),
    ),
    Method(
        "getItem",
        GET,
        "/benefit-programs/v1/items/{itemId}",
        items.GetItemRequest,
        items.GetItemResponse,
        READ_LIMITED,
        ("BENEFIT_PROGRAMS.ITEM_READ",),
    ),
    Method(
        "listItems",
        GET,
        "/benefit-programs/v1/items",
        items.ListItemsRequest,
        items.ListItemsResponse,
        READ_LIMITED,
        ("BENEFIT_PROGRAMS.ITEM_READ",),
    ),
    Method(
        "queryItems",
        POST,
        "/benefit-programs/v1/items/query",
        items.QueryItemsRequest,
        items.QueryItemsResponse,
        READ_LIMITED,
        ("BENEFIT_PROGRAMS.ITEM_READ",),
    ),
    Method(
        "countItems",
        POST,
        "/benefit-programs/v1/items/count",
        items.CountItemsRequest,
        items.CountItemsResponse,
        READ_LIMITED,
        ("BENEFIT_PROGRAMS.ITEM_READ",),
    ),
    Method(
        "queryPoolDefinitionItems",
        POST,
        "/benefit-programs/v1/pool-definition-items/query",
        pool_definition_items.QueryPoolDefinitionItemsRequest,
        pool_definition_items.QueryPoolDefinitionItemsResponse,
        READ,
        ("benefit_programs:v1:pool_definition_item:query_pool_definition_items",),
    ),
    Method(
        "removeItemsFromBenefit",
        POST,
        "/benefit-programs/v1/pool-definition-items/remove-items-from-benefit",
        pool_definition_items.RemoveItemsFromBenefitRequest,
        pool_definition_items.RemoveItemsFromBenefitResponse,
        MANAGE,
        ("benefit_programs:v1:pool_definition_item:remove_items_from_benefit",),
    ),
    Method(
        "addItemsToBenefit",
        POST,
        "/benefit-programs/v1/pool-definition-items/add-items-to-benefit",
        pool_definition_items.AddItemsToBenefitRequest,
        pool_definition_items.AddItemsToBenefitResponse,
        MANAGE,
        ("benefit_programs:v1:pool_definition_item:add_items_to_benefit",),
    ),
    Method(
        "queryPoolItems",
        POST,
        "/benefit-programs/v1/pool-items/query",
        pool_items.QueryPoolItemsRequest,
        pool_items.QueryPoolItemsResponse,
        READ_LIMITED,
        ("benefit_programs:v1:pool_item:query_pool_items", "BENEFIT_PROGRAMS.POOL_READ"),
    ),
    Method(
        "getBalance",
        GET,
        "/benefit-programs/v1/balances/{poolId}",
        balances.GetBalanceRequest,
        balances.GetBalanceResponse,
        READ_LIMITED,
        ("BENEFIT_PROGRAMS.BALANCE_READ",),
    ),
    Method(
        "listBalances",
        GET,
        "/benefit-programs/v1/balances",
        balances.ListBalancesRequest,
        balances.ListBalancesResponse,
        READ_LIMITED,
        ("BENEFIT_PROGRAMS.BALANCE_READ",),
    ),
    Method(
        "queryBalances",
        POST,
        "/benefit-programs/v1/balances/query",
        balances.QueryBalancesRequest,
        balances.QueryBalancesResponse,
        READ_LIMITED,
        ("BENEFIT_PROGRAMS.BALANCE_READ",),
    ),
    Method(
        "changeBalance",
        POST,
        "/benefit-programs/v1/balances/{poolId}/change",
        balances.ChangeBalanceRequest,
        balances.ChangeBalanceResponse,
        MANAGE,
        ("BENEFIT_PROGRAMS.BALANCE_CHANGE",),
    ),
    Method(
        "revertBalanceChange",
        POST,
        "/benefit-programs/v1/balances/changes/{transactionId}/revert",
        balances.RevertBalanceChangeRequest,
        balances.RevertBalanceChangeResponse,
        MANAGE,
        ("BENEFIT_PROGRAMS.BALANCE_CHANGE",),
    ),
    Method(
        "getTransaction",
        GET,
        "/benefit-programs/v1/transactions/{transactionId}",
        transactions.GetTransactionRequest,
        transactions.GetTransactionResponse,
        READ_LIMITED,
        ("BENEFIT_PROGRAMS.TRANSACTION_READ",),
    ),
    Method(
        "queryTransactions",
        POST,
        "/benefit-programs/v1/transactions/query",
        transactions.QueryTransactionsRequest,
        transactions.QueryTransactionsResponse,
        READ_LIMITED,
        ("BENEFIT_PROGRAMS.TRANSACTION_READ",),
    ),
    Method(
        "getAsyncJob",
        GET,
        "/async-jobs/v1/async-jobs/{jobId}",
        async_jobs.GetAsyncJobRequest,
        async_jobs.GetAsyncJobResponse,
        READ_JOBS,
        (),
    ),
    Method(
        "listAsyncJobItems",
        GET,
        "/async-jobs/v1/async-jobs/{jobId}/items",
        async_jobs.ListAsyncJobItemsRequest,
        async_jobs.ListAsyncJobItemsResponse,
        READ_JOBS,
        (),
    ),
)

METHODS: dict[str, Method] = {method.name: method for method in _ROWS}
"""All methods by name."""
